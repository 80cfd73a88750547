"""What one machine runs, and what must be in order before it does. The launcher decides when."""

import fcntl
import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

PYTHON = (sys.executable, "-m")


class Refusal(Exception):
    """Why nothing was started, in one sentence for the person at the terminal."""


# --- The processes ------------------------------------------------------------------------------


def bind_address() -> str:
    return os.environ.get("BIND", "127.0.0.1")


def web_command() -> list[str]:
    """gunicorn. One process with threads; WEB_CONCURRENCY (its own variable) asks for more."""
    host = f"[{bind_address()}]" if ":" in bind_address() else bind_address()
    command = [*PYTHON, "gunicorn", "-c", "python:aftercare.web", "aftercare.wsgi"]
    command += ["--bind", f"{host}:{settings.PORT}"]
    return command + (["--graceful-timeout", "2"] if settings.DEMO else [])


def worker_command() -> list[str]:
    """One process: a batch has its own threads for the provider, and SQLite has one writer.

    Threads know no hard time limit; the timeouts of each call and the leases stand in for it.
    """
    return [
        *(*PYTHON, "celery", "-A", "aftercare", "worker", "--pool", "threads"),
        *("--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def beat_command() -> list[str]:
    """Never `worker -B`: a killed worker would leave that beat behind."""
    return [*PYTHON, "celery", "-A", "aftercare", "beat", "--pidfile="]


def phone_command() -> list[str]:
    """The demo's stand-in for Twilio and the mail server; its token is no secret."""
    return [
        *(*PYTHON, "tests.phone", "--port", str(settings.PORT + 1)),
        *("--smtp-port", str(settings.PORT + 2), "--public-base", settings.PUBLIC_BASE_URL),
        *("--account-sid", settings.TWILIO_ACCOUNT_SID),
        *("--auth-token", settings.TWILIO_AUTH_TOKEN),
        *("--state", str(settings.VAR / "phone.jsonl")),
    ]


# --- Before they start --------------------------------------------------------------------------


def refuse_taken_ports() -> None:
    """Raise Refusal for the first port we need and cannot have."""
    wanted = [(bind_address(), settings.PORT)]
    if settings.DEMO:
        # Browsers try ::1 first for `localhost`: whoever listens there would be seen instead.
        wanted += [("::1", settings.PORT)]
        wanted += [("127.0.0.1", settings.PORT + 1), ("127.0.0.1", settings.PORT + 2)]
    for host, port in wanted:
        if reason := why_not_free(host, port):
            other = settings.PORT + 100
            choose = f"make run PORT={other}" if settings.DEMO else f"PORT={other}"
            raise Refusal(f"Port {port} {reason}. Choose another: {choose}")


def why_not_free(host: str, port: int) -> str:
    """Empty if we could listen there; else the rest of a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((host, port))
    except PermissionError:
        return "is reserved for the system's own programs"
    except OSError:
        # A machine without IPv6 has no ::1 that somebody could listen on.
        return "" if host == "::1" and not listens(host, port) else "is taken"
    return ""


def listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the data folder for us; raises Refusal if another launcher has it."""
    with lock.open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise Refusal(
                f"Aftercare already runs on {lock.parent} (process {held.read().strip()}). "
                "Stop that one first."
            ) from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def migrate() -> bool:
    """Bring the tables up to date; true if there was anything to do."""
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        call_command("migrate", interactive=False, verbosity=0)
    return bool(pending)


def collect_static_files() -> bool:
    """collectstatic, unless no source file has changed; true if it ran.

    Hashing and compressing every file again would cost a second at each start.
    """
    stamp = settings.VAR / "static.stamp"
    wanted = fingerprint_static_files()
    if settings.STATIC_ROOT.exists() and stamp.exists() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)
    return True


def fingerprint_static_files() -> str:
    digest = hashlib.sha256(repr(settings.STORAGES).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def web_answers() -> bool:
    """Whether our web server answers anything but a failure of its own."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind_address(), bind_address())  # noqa: S104
    client = HTTPConnection(host, settings.PORT, timeout=5)
    try:
        client.request(
            "GET", "/healthz", headers={"Host": urlsplit(settings.PUBLIC_BASE_URL).netloc}
        )
        return client.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        client.close()
