"""The drawn line of the phases and where the patient stands on it. Pure.

It shows time and nothing else: every phase is as wide as the next, and the dot walks through its
own. Numbers are percent of the line's length, as SVG takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from patients.protocol import Phase

LAST_PHASE = timedelta(weeks=12)  # it has no end; the dot has arrived after so long
GAP = 1.2  # percent, on each side of where two phases meet
EDGE = 3.0  # percent: the dot stays whole


@dataclass(frozen=True, slots=True)
class Stretch:
    """`state`: done, now (the dot is on it) or later."""

    x1: str
    x2: str
    state: str


@dataclass(frozen=True, slots=True)
class Path:
    """`anchor` keeps the words above the dot inside the line."""

    stretches: tuple[Stretch, ...]
    walked: Stretch
    dot: str
    anchor: str


def path_of(phases: Sequence[Phase], after: timedelta) -> Path:
    """The line at `after` the treatment."""
    here = max(index for index, phase in enumerate(phases) if phase.starts <= after)
    width = 100 / len(phases)
    dot = min(max((here + _share(phases[here], after)) * width, EDGE), 100 - EDGE)
    return Path(
        stretches=tuple(_stretch(index, here, len(phases)) for index in range(len(phases))),
        walked=Stretch(_stretch(here, here, len(phases)).x1, _percent(dot), "walked"),
        dot=_percent(dot),
        anchor="start" if dot < 18 else "end" if dot > 82 else "middle",
    )


def _stretch(index: int, here: int, count: int) -> Stretch:
    before = 0 if index == 0 else GAP
    behind = 0 if index == count - 1 else GAP
    width = 100 / count
    state = "done" if index < here else "now" if index == here else "later"
    return Stretch(_percent(index * width + before), _percent((index + 1) * width - behind), state)


def _share(phase: Phase, after: timedelta) -> float:
    length = LAST_PHASE if phase.ends is None else phase.ends - phase.starts
    return min((after - phase.starts) / length, 1.0)


def _percent(number: float) -> str:
    return f"{number:.1f}%"
