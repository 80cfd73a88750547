"""Bars as SVG, drawn on the server. They say nothing that the table beside them does not.

Colour is not the only sign: each part has its place in the bar, and failures a dashed edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

BAR, GAP, BETWEEN, HIGH, FOOT = 14, 2, 12, 120, 18
LEAST = 14  # groups that fit beside each other: a few alone are not drawn larger


@dataclass(frozen=True, slots=True)
class Bar:
    """`parts`: from the bottom up, each a class of the stylesheet and a number."""

    label: str
    parts: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        return sum(number for _, number in self.parts)


def draw(groups: Sequence[Sequence[Bar]], *, title: str) -> SafeString:
    """Groups of bars side by side; each group has the label of its first bar."""
    tallest = max((bar.total for group in groups for bar in group), default=0) or 1
    group_width = max((len(group) for group in groups), default=1) * (BAR + GAP) + BETWEEN
    pieces: list[tuple[object, ...]] = []
    labels: list[tuple[object, ...]] = []
    for number, group in enumerate(groups):
        left = number * group_width + BETWEEN // 2
        middle = left + (group_width - BETWEEN) // 2
        labels.append((middle, HIGH + FOOT - 4, group[0].label if group else ""))
        for place, bar in enumerate(group):
            bottom = float(HIGH)
            for part, value in bar.parts:
                height = round(value / tallest * (HIGH - 4), 1)
                bottom -= height
                if value:
                    x = left + place * (BAR + GAP)
                    pieces.append((part, x, round(bottom, 1), BAR, height))
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>',
        max(len(groups), LEAST) * group_width,
        HIGH + FOOT,
        title,
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', pieces),
        format_html_join("", '<text x="{}" y="{}">{}</text>', labels),
    )
