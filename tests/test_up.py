"""`manage.py up` with real processes: what it starts, says, survives and leaves behind."""

import contextlib
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.launcher import LAUNCHER, Up
from tests.services.running import Running, answers
from tests.services.runtime import free_port, runtime_folder, wait_for
from tests.services.valkey import Valkey

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """One data folder for all: only the first start has tables and static files to make."""
    with runtime_folder("up") as folder:
        yield folder / "var"


@pytest.fixture
def start(var: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start_one(command: list[str] = LAUNCHER, *, port: int = 0, **more: str) -> Up:
        port = port or free_port(neighbours=2)
        started.append(Up(var, command=command, port=port, more=more))
        return started[-1]

    yield start_one
    for up in started:
        for pid in up.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        up.process.wait(10)


@pytest.fixture
def up(start: Callable[..., Up]) -> Up:
    running = start()
    running.wait_until_ready()
    return running


def test_it_starts_everything_and_prints_where_to_look(up: Up) -> None:
    assert re.search(
        rf"^Patient page +http://localhost:{up.port}/r/\S{{22}}$", up.text(), re.MULTILINE
    )
    for role in ("desk", "nurse", "clinical lead", "admin"):
        login = rf"http://localhost:{up.port}/accounts/login/"
        assert re.search(rf"^Staff {role} +{login} +\S+@\S+ +\S+$", up.text(), re.MULTILINE), role
    assert re.search(rf"^Phone +http://localhost:{up.port + 1}/$", up.text(), re.MULTILINE)
    assert answers(f"http://localhost:{up.port}")
    for part in ("valkey-server", "aftercare.wsgi", " worker ", " beat ", "tests.phone"):
        assert up.family(part), part


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_signal_stops_everything(up: Up, sig: signal.Signals) -> None:
    up.process.send_signal(sig)
    up.wait_until_gone()
    assert up.process.returncode == 0


def test_an_impatient_second_ctrl_c_leaves_nobody(up: Up) -> None:
    up.interrupt()
    time.sleep(0.1)
    up.interrupt()
    up.wait_until_gone()


def test_a_killed_launcher_leaves_nobody(up: Up) -> None:
    up.process.kill()
    up.wait_until_gone()


def test_make_run_killed_or_interrupted_leaves_nobody(start: Callable[..., Up]) -> None:
    port = free_port(neighbours=2)
    killed = start(["make", "run", f"PORT={port}"], port=port)
    killed.wait_until_ready()
    killed.process.kill()
    killed.wait_until_gone()
    interrupted = start(["make", "run", f"PORT={port}"], port=port)
    interrupted.wait_until_ready()
    interrupted.interrupt()
    interrupted.wait_until_gone()


def test_a_taken_port_is_named_with_another_before_anything_starts(
    up: Up, start: Callable[..., Up]
) -> None:
    second = start(port=up.port)
    assert second.process.wait(20) == 2
    assert second.text() == (
        f"Port {up.port} is taken. Choose another: make run PORT={up.port + 100}\n"
    )


def test_a_second_launcher_on_the_same_data_is_refused(up: Up, start: Callable[..., Up]) -> None:
    second = start()
    assert second.process.wait(20) == 2
    assert second.text().startswith(f"Aftercare already runs on {up.var} (process {up.process.pid}")


def test_the_data_is_kept_over_a_restart(up: Up, start: Callable[..., Up]) -> None:
    counts = "SELECT (SELECT count(*) FROM patients_patient), (SELECT count(*) FROM django_session)"
    with contextlib.closing(sqlite3.connect(up.var / "aftercare.sqlite3")) as database:
        database.execute("INSERT INTO django_session VALUES ('kept', '', '2100-01-01')")
        database.commit()
        before = database.execute(counts).fetchone()
    up.interrupt()
    up.wait_until_gone()
    start().wait_until_ready()
    with contextlib.closing(sqlite3.connect(up.var / "aftercare.sqlite3")) as database:
        assert database.execute(counts).fetchone() == before
        database.execute("DELETE FROM django_session WHERE session_key = 'kept'")
        database.commit()


def test_servers_given_by_url_come_first(
    start: Callable[..., Up], postgres_url: str, valkey: Valkey
) -> None:
    up = start(DATABASE_URL=postgres_url, REDIS_URL=valkey.url)
    up.wait_until_ready()
    assert "The database is prepared." in up.text()
    assert up.family(" worker ")
    assert not up.family("valkey-server")
    up.interrupt()
    up.wait_until_gone()


@pytest.mark.parametrize("part", [" worker ", " beat ", "aftercare.wsgi", "valkey-server"])
def test_a_process_that_dies_is_started_again_and_named(up: Up, part: str) -> None:
    killed = up.family(part)
    os.kill(min(killed), signal.SIGKILL)
    wait_for(lambda: set(up.family(part)) - set(killed), seconds=10, what="it is started again")
    assert "ended by itself (signal 9); started again." in up.text()


def test_a_process_that_keeps_dying_stops_everything_and_names_its_log(up: Up) -> None:
    for _ in range(5):
        wait_for(lambda: up.family(" worker "), seconds=10, what="the worker is back")
        for pid in up.family(" worker "):
            os.kill(pid, signal.SIGKILL)
        wait_for(
            lambda: not up.family(" worker "), seconds=5, what="the worker is gone", every=0.01
        )
    up.wait_until_gone()
    assert up.process.returncode == 1
    assert "worker ended 5 times within a minute" in up.text()
    assert str(up.var / "log" / "worker.log") in up.text()


def test_a_killed_worker_takes_its_prefork_children_along(celery_processes: Running) -> None:
    worker = celery_processes.worker(pool="prefork")
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    assert len(children) == 2
    worker.kill()
    wait_for(lambda: not any(map(_is_alive, children)), seconds=20, what="no orphan is left")


def _is_alive(process: str) -> bool:
    """Whether it still runs; what has ended stays listed until its new parent looks after it."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(") ")[2][0] not in "ZX"
