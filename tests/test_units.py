"""The systemd units in docs/systemd call what exists, with options it takes, and hold it back."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery.bin import beat, worker
from celery.bin.base import CLIContext
from click import NoSuchOption
from django.core.management import CommandError, get_commands, load_command_class

from aftercare import machine, web
from aftercare.celery import app
from reminders.dispatch import DRAIN_SECONDS, GRACE
from reminders.import_reading import LARGEST
from tests.services.environment import ROOT
from tests.test_settings import PRODUCTION

UNITS = ROOT / "docs" / "systemd"
FILES = sorted(UNITS.iterdir())
SERVICES = [path for path in FILES if path.suffix == ".service"]
PYTHON = "/srv/aftercare/.venv/bin/python"
OF_SYSTEMD = {"network-online.target", "multi-user.target", "timers.target"}
HELD_BACK = {
    "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "ProtectHome=yes",
    "PrivateTmp=yes", "PrivateDevices=yes", "RestrictSUIDSGID=yes", "UMask=0077",
    "SystemCallFilter=@system-service", "User=aftercare", "StateDirectoryMode=0700",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
}  # fmt: skip


def values(path: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", path.read_text(), re.MULTILINE)


def commands() -> Iterator[list[str]]:
    """Every command line, as systemd would run it for the first instance."""
    for path in SERVICES:
        instance = "8001" if "web" in path.name else "1"
        for line in values(path, "ExecStart"):
            words = line.replace("%%", "\0").replace("%i", instance).replace("\0", "%")
            yield shlex.split(words)


COMMANDS = list(commands())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_line_is_one_that_its_program_takes(command: list[str]) -> None:
    assert command[0] == PYTHON
    match command[1:]:
        case ["-m", "gunicorn", *options]:
            check_gunicorn(options)
        case ["-m", "celery", "-A", "aftercare", "worker", *options]:
            context = worker.worker.make_context("worker", options, obj=celery_context())
            assert re.fullmatch(r"1@[\w.-]+", context.params["hostname"])
        case ["-m", "celery", "-A", "aftercare", "beat", *options]:
            beat.beat.make_context("beat", options, obj=celery_context())
        case ["manage.py", name, *options]:
            parser = load_command_class(get_commands()[name], name).create_parser("m", name)
            parser.parse_args(options)
        case other:
            pytest.fail(f"Nobody knows how to check {other}")


def celery_context() -> CLIContext:
    return CLIContext(app=app, no_color=True, workdir=None)


def check_gunicorn(options: list[str]) -> None:
    """Its own check loads the application, under a production's settings."""
    settings = {name: str(value) for name, value in PRODUCTION.items() if value}
    env = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "VAR_DIR": "/nonexistent",
        **settings,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--check-config", *options],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (["-m", "gunicorn", "--no-such"], AssertionError),
        (["-m", "celery", "-A", "aftercare", "beat", "--no-such"], NoSuchOption),
        (["manage.py", "backup", "x", "--no-such"], CommandError),
        (["-m", "flask", "run"], pytest.fail.Exception),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_wrong_command_line_would_be_found(wrong: list[str], error: type[BaseException]) -> None:
    with pytest.raises(error):
        test_every_command_line_is_one_that_its_program_takes([PYTHON, *wrong])


def test_the_units_start_what_the_launcher_starts() -> None:
    """The same options on one machine and on many, but for the place to listen and names."""
    joined = [" ".join(command[1:]) for command in COMMANDS]
    for ours in (machine.worker_command(), machine.beat_command()):
        own = [word for word in ours[1:] if word != sys.executable]
        assert any(all(word in line.split() for word in own) for line in joined), own
    web = " ".join(machine.web_command()[1:6])
    assert any(line.startswith(web) for line in joined)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_every_service_is_held_back(path: Path) -> None:
    assert HELD_BACK - set(path.read_text().splitlines()) == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_unit_names_units_and_settings_that_exist(path: Path) -> None:
    ours = {one.name for one in FILES}
    for name in ("After", "Wants", "Requires", "WantedBy"):
        for line in values(path, name):
            assert set(line.split()) <= ours | OF_SYSTEMD
    explained = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert {line.partition("=")[0] for line in values(path, "Environment")} <= explained
    if path.suffix == ".timer":
        assert path.with_suffix(".service").exists()


def test_a_stop_leaves_more_time_than_the_parts_take() -> None:
    longest = {"web": web.graceful_timeout, "worker": DRAIN_SECONDS + GRACE}
    for part, needed in longest.items():
        (seconds,) = values(UNITS / f"aftercare-{part}@.service", "TimeoutStopSec")
        assert int(seconds) > needed


def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    """Where it is installed; the checks above need no systemd."""
    analyze = shutil.which("systemd-analyze")
    for path in FILES:
        text = path.read_text().replace(PYTHON, sys.executable)
        (tmp_path / path.name.replace("@", "@1")).write_text(text)
    if analyze is None:
        return
    ended = subprocess.run(
        [analyze, "verify", *sorted(tmp_path.iterdir())],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    ours = [line for line in ended.stderr.splitlines() if "aftercare" in line]
    assert ours == []


# --- The proxy before them ------------------------------------------------------------------------

NGINX = (ROOT / "docs" / "nginx.conf").read_text()


def test_the_proxy_of_the_docs_stands_before_the_servers_that_are_started_there() -> None:
    told = (ROOT / "docs" / "operator.md").read_text()
    started = set(re.findall(r"enable --now .*?aftercare-web@(\d+) aftercare-web@(\d+)", told)[0])
    assert set(re.findall(r"^    server 127\.0\.0\.1:(\d+);", NGINX, re.MULTILINE)) == started


def test_the_proxy_of_the_docs_does_what_the_docs_ask_of_one() -> None:
    said = {" ".join(line.split()) for line in NGINX.splitlines()}
    assert said >= {
        "proxy_request_buffering on;",  # a request is read whole before a thread of ours has it
        "client_header_timeout 10s;",
        "client_body_timeout 10s;",
        "proxy_set_header Host $host;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_set_header X-Forwarded-Proto https;",
        "proxy_set_header X-Request-ID $request_id;",  # 32 hex digits, as `aftercare.requests` asks
        "access_log off;",
    }
    # Each of its servers keeps links out of its logs.
    assert NGINX.count("access_log off;") == NGINX.count("\nserver {") == 2
    assert NGINX.count("error_log /var/log/nginx/error.log crit;") == 2
    # The largest list that the desk takes comes through, with the rest of its form.
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", NGINX)
    assert int(megabytes) * 1024 * 1024 > LARGEST
    # Ours keeps an idle line longer than nginx does, whose own default is 60 s.
    assert "keepalive 32;" in said
    assert web.keepalive > 60
