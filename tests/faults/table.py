"""The rows of the table: what was found, printed while the run goes on, kept as JSON."""

from __future__ import annotations

import json
import subprocess
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.services.environment import ROOT

if TYPE_CHECKING:  # a lane takes rows to where there is no Django
    from .judge import Verdict

WIDTHS = (40, 30, 6, 8, 7)
HEADS = ("fault", "N", "lost", "doubled", "passed")
NOTE_WIDTH = 100
SMALL_SECONDS = 240  # which the small run should take at most, on two cores that are free


@dataclass(slots=True)
class Finding:
    """What one scenario found. `n` says what was counted; `problems` is what did not hold."""

    n: str
    verdict: Verdict
    note: str = ""
    problems: list[str] = field(default_factory=list)

    def all_problems(self) -> list[str]:
        return self.problems + self.verdict.problems()

    @property
    def holds(self) -> bool:
        return not (self.verdict.lost or self.verdict.doubled or self.all_problems())


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    fault: str
    n: str
    lost: int
    doubled: int
    passed: bool
    note: str
    seconds: float
    must_pass: bool = True

    def as_json(self) -> dict[str, Any]:
        names = ("name", "fault", "n", "lost", "doubled", "passed", "note", "seconds")
        return {name: getattr(self, name) for name in names}


def row_of(name: str, fault: str, finding: Finding, *, seconds: float, must_pass: bool) -> Row:
    problems = finding.all_problems()
    verdict = finding.verdict
    note = "; ".join([*([finding.note] if finding.note else []), *(f"! {one}" for one in problems)])
    return Row(
        name, fault, finding.n, verdict.lost, verdict.doubled, finding.holds, note,
        round(seconds, 1), must_pass,
    )  # fmt: skip


def heading() -> str:
    return "  ".join(f"{head:<{width}}" for head, width in zip(HEADS, WIDTHS, strict=True))


def line_of(row: Row) -> str:
    passed = "yes" if row.passed else "NO" if row.must_pass else "cannot"
    cells = (row.fault, row.n, str(row.lost), str(row.doubled), passed)
    line = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True))
    indent = "    "
    note = textwrap.fill(row.note, NOTE_WIDTH, initial_indent=indent, subsequent_indent=indent)
    return f"{line}{row.seconds:6.0f} s\n{note}" if row.note else f"{line}{row.seconds:6.0f} s"


def commit() -> str:
    """The commit that is played, with a + if files differ from it; empty where there is no git."""
    words = ("describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*")
    try:
        asked = subprocess.run(
            ["git", "-C", str(ROOT), *words],  # noqa: S607 - wherever it is installed
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip()


@dataclass(frozen=True, slots=True)
class Run:
    """What the rows of one run have in common; `names`: all faults, in the table's order."""

    mode: str
    times: str
    names: Sequence[str]
    commit: str = field(default_factory=commit)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 1)

    def ending(self, lanes: int) -> str:
        """The run's last line. A time is said and fails nothing: others may be busy here."""
        took = f"{self.seconds:.0f} s in all, {lanes} at once."
        if self.mode == "small" and self.seconds > SMALL_SECONDS:
            return f"{took} SLOW: each fault a few times should take {SMALL_SECONDS} s at most."
        return took


def keep(rows: Iterable[Row], path: Path, run: Run) -> None:
    """Write the rows in the table's order, each with the commit and the moment of its run.

    Those of an earlier run of the same mode that were not run again stay.
    """
    kept: dict[str, dict[str, Any]] = {}
    if path.exists():
        before = json.loads(path.read_text())
        if (before["mode"], before["times"]) == (run.mode, run.times):
            kept = {row["name"]: row for row in before["rows"]}
    of_run = {"commit": run.commit, "at": f"{run.at:%Y-%m-%dT%H:%M:%SZ}"}
    kept |= {row.name: row.as_json() | of_run for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    in_order = [kept[name] for name in run.names if name in kept]
    content = {"mode": run.mode, "times": run.times, **of_run, "seconds": run.seconds}
    content["rows"] = in_order
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
