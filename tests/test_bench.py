"""The benchmark itself, at its smallest; the figures we publish are those of `make bench`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.sending import RUNS
from tests.services.environment import ROOT

# The others wait for beat, or for memory to fill.
PARTS = ("sending", "planning", "pages", "growth")

pytestmark = pytest.mark.services


def test_every_contender_sends_each_reminder_once_and_gets_a_row(tmp_path: Path) -> None:
    kept = tmp_path / "bench.json"
    parts = [word for part in PARTS for word in ("--only", part)]
    command = [sys.executable, "-m", "tests.bench", "--tiny", *parts]
    ended = subprocess.run(
        [*command, "--kept", kept, "--logs", tmp_path / "logs"],
        cwd=ROOT, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = json.loads(kept.read_text())["rows"]
    assert {"name", "figure", "unit", "peer", "ratio"} <= rows[0].keys()
    rates = [row for row in rows if row["name"].startswith("rate, ")]
    assert len(rates) == len(RUNS)
    assert all(row["figure"] > 0 for row in rates)
    assert not [row for row in rows if row["note"].startswith("!")]
