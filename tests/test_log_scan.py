"""The scan of the logs can fail: what it finds, what it lets pass, and that the run then fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.environment import ROOT
from tests.services.log_scan import SCAN, Scan

pytestmark = pytest.mark.thorough

TOKEN = "7kQ2mZr9LxWc4TbYd8NfGa"
# Whoever logs like this fails the run that this file's own test starts.
LEAKS = """
import logging
import pytest
from patients.models import Patient, StaffUser

@pytest.mark.parametrize("said", [{said!r}])
def test_it(said: str) -> None:
    Patient(first_name="Wren", last_name="Quillfeather")
    StaffUser(name="desk Oakenshaw")
    logging.getLogger("x").warning(said)
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Texted +12025550146 again.", ["a phone number"]),
        ("Texted (202) 555-0146 again.", ["a phone number"]),
        ("Mailed maria@example.org.", ["an email address"]),
        (f"Not Found: /r/{TOKEN}", ["a link's token"]),
        (f"token={TOKEN}", ["a link's token"]),
        ("Patient Quillfeather could not be redacted.", ["a person's name"]),
        ("Wren, +12025550146", ["a person's name", "a phone number"]),
        ("Patient 12 could not be redacted; the next run tries again.", []),
        ("Not Found: /r/…", []),
        ("The provider has SM0123456789abcdef0123456789abcdef.", []),
        ('{"message": "Refused.", "request": "4307d7adf56a430bbbbd33e68d78a514"}', []),
        ("Ring 4307d7ad-f56a-430b-8bbd-bbbbd8a514ab came back.", []),
        ("Took up 12 due reminders at 2026-11-23 12:00:00,123.", []),
    ],
)
def test_a_line_that_names_somebody_is_found_and_no_other(line: str, found: list[str]) -> None:
    scan = Scan()
    scan.learn("Wren", "Quillfeather", "Ana", "bbbbd")
    scan.look(line, "here")
    assert [one.what for one in scan.findings] == found


@pytest.mark.parametrize(
    ("said", "code"),
    [("Called Quillfeather.", 1), ("Oakenshaw called.", 1), ("The desk called patient 12.", 0)],
)
def test_a_run_in_which_somebody_is_named_fails(tmp_path: Path, said: str, code: int) -> None:
    file = tmp_path / "test_leak.py"
    file.write_text(LEAKS.format(said=said))
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), str(file)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "1 passed" in ended.stdout, ended.stdout
    assert ended.returncode == code, ended.stdout
    assert ("somebody is named in a log" in ended.stdout) == bool(code)


def test_what_a_process_has_logged_is_looked_into(tmp_path: Path) -> None:
    scan = Scan()
    (tmp_path / "worker-0.log").write_text("ready\nMailed maria@example.org\n")
    scan.look_into(tmp_path / "worker-0.log")
    scan.look_into(tmp_path / "none.log")
    assert [(one.where, one.line) for one in scan.findings] == [
        ("worker-0.log", "Mailed maria@example.org")
    ]


def test_no_logger_speaks_past_those_who_are_looked_at() -> None:
    """What does not go on to the root is scanned by nobody; runserver's own is in no production."""
    import logging

    known = logging.root.manager.loggerDict.items()
    past = {name for name, one in known if isinstance(one, logging.Logger) and not one.propagate}
    assert past <= {"django.server"}


def test_this_run_is_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    import logging

    before = SCAN.lines
    logging.getLogger("tests").info("Nobody is named here.")
    assert SCAN.lines == before + 2  # by each of production's formatters
