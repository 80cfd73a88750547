"""The rows of the table: what was found, printed while the run goes on, kept as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a lane takes rows to where there is no Django
    from .judge import Verdict

WIDTHS = (40, 30, 6, 8, 7)
HEADS = ("fault", "N", "lost", "doubled", "passed")
NOTE_WIDTH = 100


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


def keep(rows: Iterable[Row], path: Path, *, mode: str, times: str, names: Sequence[str]) -> None:
    """Write the rows in the order of `names`, the table's own.

    Those of an earlier run of the same mode that were not run again stay.
    """
    kept: dict[str, dict[str, Any]] = {}
    if path.exists():
        before = json.loads(path.read_text())
        if (before["mode"], before["times"]) == (mode, times):
            kept = {row["name"]: row for row in before["rows"]}
    kept |= {row.name: row.as_json() for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    in_order = [kept[name] for name in names if name in kept]
    content = {"mode": mode, "times": times, "rows": in_order}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
