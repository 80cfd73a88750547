"""The runner of the faults itself; the faults are `make faults`, and a few of each `make test`."""

import json
import os
import pkgutil
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

import reminders
from tests.faults import lanes
from tests.faults.__main__ import play_all, read_arguments
from tests.faults.table import Row, Run, commit
from tests.faults.times import CONSTANTS

NAMES = ("first", "second", "third", "fourth", "fifth", "sixth")


def a_lane(pipe: Connection, logs: Path, small: bool) -> None:
    """Says a row at once, with the moment for its seconds."""
    pipe.send(None)
    while (name := pipe.recv()) is not None:
        if name == "kills its lane":
            os.kill(os.getpid(), signal.SIGKILL)
        passed = name != "fails"
        pipe.send(Row(name, name, "1", 0, 0, passed, "", seconds=time.monotonic()))


def a_slow_first_row(pipe: Connection, logs: Path, small: bool) -> None:
    if logs.name == "lane-0":
        pipe.poll(1.0)  # it is ready only when the other has played all the rest
    a_lane(pipe, logs, small)


def no_lane(pipe: Connection, logs: Path, small: bool) -> None:
    raise SystemExit(3)


def played(tmp_path: Path, *names: str, serve: lanes.Serve = a_lane) -> dict[str, Row | str]:
    said = list(lanes.play(names, 2, logs=tmp_path, small=True, serve=serve))
    assert sorted(name for name, _ in said) == sorted(names)
    return dict(said)


def test_two_lanes_play_each_fault_once(tmp_path: Path) -> None:
    rows = played(tmp_path, *NAMES)
    assert all(isinstance(row, Row) and row.name == name for name, row in rows.items())


def test_a_lane_that_dies_leaves_words_for_its_row_and_the_rest_is_played(tmp_path: Path) -> None:
    rows = played(tmp_path, "first", "kills its lane", *NAMES[1:])
    died = rows.pop("kills its lane")
    assert died == "the lane that played it ended with -9"
    assert all(isinstance(row, Row) for row in rows.values())


def test_faults_that_no_lane_could_play_are_told_and_not_missing(tmp_path: Path) -> None:
    rows = played(tmp_path, *NAMES, serve=no_lane)
    assert set(rows.values()) == {"no lane could be opened; its words stand above"}


@pytest.mark.parametrize(
    ("names", "all_passed"),
    [
        (NAMES, True),
        (("first", "fails", "third"), False),
        (("first", "kills its lane", "third"), False),
    ],
    ids=["all pass", "one fails", "a lane dies"],
)
def test_the_table_is_whole_and_in_its_order_and_red_if_one_row_is(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    names: tuple[str, ...],
    all_passed: bool,
) -> None:
    from tests.faults.scenarios import FAULTS, Fault

    kept = tmp_path / "faults.json"
    faults = [Fault(name, f"<{name}>", FAULTS[0].play, 1, 1) for name in names]
    arguments = read_arguments(["--small", "--kept", str(kept), "--logs", str(tmp_path)])
    assert play_all(faults, arguments, serve=a_slow_first_row) is all_passed
    told = json.loads(kept.read_text())
    rows = told["rows"]
    assert [row["name"] for row in rows] == list(names)
    assert all({"fault", "n", "lost", "doubled", "passed"} <= row.keys() for row in rows)
    assert {(row["commit"], row["at"]) for row in rows} == {(told["commit"], told["at"])}
    assert told["seconds"] > 0
    assert abs(datetime.now(UTC) - datetime.fromisoformat(told["at"])) < timedelta(hours=1)
    assert all(row["passed"] for row in rows) is all_passed
    printed = capsys.readouterr().out
    found = [printed.find(row["fault"]) for row in rows]
    assert found == sorted(found)
    assert found[0] > 0


@pytest.mark.parametrize(
    ("mode", "ago", "is_slow"), [("small", 200, False), ("small", 241, True), ("full", 3600, False)]
)
def test_a_small_run_that_took_too_long_says_so(mode: str, ago: int, is_slow: bool) -> None:
    run = Run(mode, "", NAMES, began=time.monotonic() - ago)
    assert ("SLOW" in run.ending(2)) is is_slow


def test_the_rows_name_the_commit_they_were_played_on() -> None:
    assert re.fullmatch(r"[0-9a-f]{12,}\+?|", commit())  # nothing where there is no git


def test_what_is_about_speed_is_played_when_all_else_is_over(tmp_path: Path) -> None:
    from tests.faults.scenarios import FAULTS

    kept = tmp_path / "faults.json"
    arguments = read_arguments(["--kept", str(kept), "--logs", str(tmp_path)])
    order = [fault.name for fault in FAULTS]
    assert play_all(FAULTS, arguments, serve=a_lane)
    rows = json.loads(kept.read_text())["rows"]
    assert [row["name"] for row in rows] == order
    rows.sort(key=lambda row: row["seconds"])
    assert [row["name"] for row in rows[-2:]] == ["provider-unclear", "soak"]


def test_a_row_played_again_takes_its_old_place(tmp_path: Path) -> None:
    from tests.faults.scenarios import FAULTS, Fault

    kept = tmp_path / "faults.json"
    faults = [Fault(name, name, FAULTS[0].play, 1, 1) for name in NAMES]
    usual = ["--small", "--lanes", "1", "--kept", str(kept), "--logs", str(tmp_path)]
    for only in ([], ["--only", "third"], ["--only", "fifth", "--only", "first"]):
        play_all(faults, read_arguments([*usual, *only]), serve=a_lane)
        rows = json.loads(kept.read_text())["rows"]
        assert [row["name"] for row in rows] == list(NAMES)


def test_no_module_holds_a_copy_of_a_time_that_the_run_shortens() -> None:
    """Such a copy stayed long: what a killed worker held was then free after 90 seconds, not 4."""
    modules = [
        import_module(found.name)
        for found in pkgutil.walk_packages(reminders.__path__, "reminders.")
        if ".migrations" not in found.name
    ]
    for path in CONSTANTS:
        module, _, constant = path.rpartition(".")
        value = getattr(import_module(module), constant)
        holders = [one.__name__ for one in modules if vars(one).get(constant) is value]
        assert holders == [module]
