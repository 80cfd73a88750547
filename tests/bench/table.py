"""The rows of the table: one figure each, beside its peer and its target; kept as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

WIDTHS = (58, 12, 16, 30, 9, 10)
HEADS = ("what", "figure", "unit", "peer", "ratio", "target")


@dataclass(frozen=True, slots=True)
class Target:
    """What was aimed at, for the ratio or for the figure itself."""

    at_least: float | None = None
    at_most: float | None = None
    of: str = "ratio"  # or "figure"

    def is_met(self, figure: float, ratio: float | None) -> bool | None:
        value = ratio if self.of == "ratio" else figure
        if value is None:
            return None
        low, high = self.at_least, self.at_most
        return (low is None or value >= low) and (high is None or value <= high)

    def words(self) -> str:
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {bound:g}" + ("×" if self.of == "ratio" else "")


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` says how the figure and its peer compare; the row's name or note says which way."""

    name: str
    figure: float
    unit: str
    peer: str = ""
    ratio: float | None = None
    target: Target | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return self.target.is_met(self.figure, self.ratio) if self.target else None

    def as_json(self) -> dict[str, Any]:
        target = self.target.words() if self.target else ""
        return {**asdict(self), "target": target, "met": self.met}

    def line(self) -> str:
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        cells = (
            self.name,
            number(self.figure),
            self.unit,
            self.peer,
            f"{number(self.ratio)}×" if self.ratio is not None else "",
            self.target.words() if self.target else "",
        )
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True))
        return f"{line}  {verdict}".rstrip() + (f"\n    {self.note}" if self.note else "")


Tell = Callable[[Row], None]


def number(value: float) -> str:
    """Three figures that mean something: 1,830 · 92.1 · 0.053."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def heading() -> str:
    return "  ".join(f"{head:<{width}}" for head, width in zip(HEADS, WIDTHS, strict=True))


def machine() -> dict[str, Any]:
    """What the figures depend on, and whether others were busy on it."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(one, 1) for one in os.getloadavg()],
    }


def keep(rows: Sequence[Row], path: Path, *, size: str, began: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "size": size,
        "machine": began,
        "load_at_end": machine()["load"],
        "rows": [row.as_json() for row in rows],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
