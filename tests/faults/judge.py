"""Counts what became of a scenario's reminders: by the phone, then by our own rows.

The phone's word decides. It knows a text by (To, Body), and every body carries its treatment's
own link; a body that carries none is no reminder.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from patients import links
from patients.models import Treatment
from reminders.models import Attempt, Concern, Reminder, State
from tests.phone.client import Phone

LINK = re.compile(r"/r/(\w{22})")
IN_BETWEEN = (State.PLANNED, State.SENDING, State.UNKNOWN)
# Ended without a text: visible on the board with its reason.
ENDED = (State.SKIPPED, State.FAILED)


@dataclass(slots=True)
class Verdict:
    """lost, doubled: see the package. unsettled: due, and neither sent nor ended.
    strange: calls whose attempt no row knows. repeated: attempts that called more than once.
    """

    due: int = 0
    calls: int = 0
    created: int = 0
    lost: int = 0
    doubled: int = 0
    unsettled: int = 0
    strange: int = 0
    repeated: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def problems(self) -> list[str]:
        """What must never be, whatever the fault."""
        found = {
            "left in between": self.unsettled,
            "calls without a committed claim": self.strange,
            "attempts that called twice": self.repeated,
        }
        return [f"{number} {words}" for words, number in found.items() if number]


def judge(
    phone: Phone, *, by: datetime | None = None, gone: Collection[str] = frozenset()
) -> Verdict:
    """Of everything due `by` a moment (now, if unsaid) that is no repeat of what failed.

    `gone`: the phone's attempts whose rows went with a restore. A text that came twice is doubled
    whether or not we have its treatment still.
    """
    stats = phone.stats()
    reminders = list(
        Reminder.objects.filter(due_at__lte=by or timezone.now(), again_of=None).select_related(
            "treatment"
        )
    )
    texts = texts_by_treatment(stats, {one.treatment for one in reminders})
    verdict = Verdict(due=len(reminders), calls=stats["calls"], created=stats["created"])
    verdict.states = Counter(str(one.state) for one in reminders)
    verdict.unsettled = sum(one.state in IN_BETWEEN for one in reminders)
    verdict.doubled = sum(
        text["created"] - 1
        for text in stats["texts"]
        if text["created"] > 1 and LINK.search(text["body"])
    )
    verdict.lost = _lost(reminders, texts)
    verdict.repeated = sum(tally["calls"] > 1 for tally in stats["attempts"].values())
    known = {str(token) for token in Attempt.objects.values_list("token", flat=True)}
    verdict.strange = len(set(stats["attempts"]) - known - set(gone))
    return verdict


def texts_by_treatment(
    stats: dict[str, Any], treatments: Collection[Treatment]
) -> dict[int, list[dict[str, Any]]]:
    """The phone's texts that came into being, by the id of the treatment whose link they carry."""
    owner = {links.token_of(one): one.pk for one in treatments}
    found: dict[int, list[dict[str, Any]]] = {}
    for text in stats["texts"]:
        link = LINK.search(text["body"])
        if text["created"] and link and link[1] in owner:
            found.setdefault(owner[link[1]], []).append(text)
    return found


def _lost(reminders: list[Reminder], texts: dict[int, list[dict[str, Any]]]) -> int:
    """A treatment with fewer different texts than reminders that did not end otherwise."""
    seen = set(Concern.objects.filter(reminder__isnull=False).values_list("reminder", flat=True))
    taken = set(
        Attempt.objects.filter(outcome=Attempt.Outcome.ACCEPTED).values_list("reminder", flat=True)
    )
    wanted: Counter[int] = Counter()
    for one in reminders:
        ended = one.pk not in taken and (one.state in ENDED or one.pk in seen)
        wanted[one.treatment_id] += not ended
    return sum(max(0, want - len(texts.get(pk, ()))) for pk, want in wanted.items())
