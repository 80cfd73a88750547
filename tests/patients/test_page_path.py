"""The drawn line shows time and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from patients.page_path import path_of
from patients.protocol import Phase

H = timedelta(hours=1)
PHASES = [
    Phase("first", 0 * H, 6 * H),
    Phase("second", 6 * H, 24 * H),
    Phase("third", 24 * H, 168 * H),
    Phase("last", 168 * H, None),
]


@pytest.mark.parametrize(
    ("after", "dot", "states"),
    [
        (0 * H, "3.0%", "now later later later"),
        (3 * H, "12.5%", "now later later later"),
        (6 * H, "25.0%", "done now later later"),
        (15 * H, "37.5%", "done now later later"),
        (96 * H, "62.5%", "done done now later"),
        (168 * H, "75.0%", "done done done now"),
        (9999 * H, "97.0%", "done done done now"),
    ],
)
def test_the_dot_walks_through_the_phase_it_is_in(after: timedelta, dot: str, states: str) -> None:
    path = path_of(PHASES, after)
    assert path.dot == dot
    assert [part.state for part in path.stretches] == states.split()


@pytest.mark.parametrize(
    ("after", "anchor"), [(0 * H, "start"), (96 * H, "middle"), (9999 * H, "end")]
)
def test_the_words_above_the_dot_stay_on_the_line(after: timedelta, anchor: str) -> None:
    assert path_of(PHASES, after).anchor == anchor
