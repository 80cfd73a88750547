"""What has changed since a board was drawn.

An open board asks every few seconds, so this is cheap: `mark` is one question for a whole clinic,
and only when it moves are the changes counted. Boards share its answer for a moment.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import (
    DateTimeField,
    ExpressionWrapper,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
)

from patients.models import Act, Clinic, Reading
from reminders.models import Concern, Reminder

# Seconds. With a look every 4.4 s a change shows within 5, and one board costs 0.23 questions a
# second; a second board in the same moment costs nothing.
EVERY, SHARED_FOR = 4.4, 0.5
# For how long it is taken as known that this session may look at a clinic's board.
KNOWN_FOR = 600
MANY, COUNTED = 1000, 200
ON_ITS_WAY = timedelta(seconds=30)  # as long as an attempt may take to be committed, and more

logger = logging.getLogger(__name__)


def clinic_of_looker(session: str) -> int | None:
    """The clinic whose board this session was shown a little while ago, without a question."""
    known = _cached(_looker(session)) if session else None
    if not known:
        return None
    clinic, since = known
    return clinic if since > (_cached(_turned_out(clinic)) or 0.0) else None


def remember_looker(session: str, clinic: int) -> None:
    _cache(_looker(session), (clinic, time.time()), KNOWN_FOR)


def forget_looker(session: str) -> None:
    """The session was locked: its boards learn nothing more."""
    _or_nothing(lambda: cache.delete(_looker(session)))


def forget_lookers(clinic: int) -> None:
    """Somebody of the clinic was shut out: every board is asked who looks at it."""
    _cache(_turned_out(clinic), time.time(), KNOWN_FOR)


def _turned_out(clinic: int) -> str:
    return f"board-lookers-since-{clinic}"


def _looker(session: str) -> str:
    # The session's key signs its owner in: the cache gets only its hash.
    return "board-looker-" + hashlib.sha256(session.encode()).hexdigest()


def mark(clinic: int) -> str:
    """A word that differs whenever a board of this clinic might."""
    key = f"board-mark-{clinic}"
    read_at, kept = _cached(key) or (0.0, "")
    now = time.time()
    if not 0 <= now - read_at < SHARED_FOR:
        kept = _read_mark(clinic)
        _cache(key, (now, kept), 60)  # some caches know no parts of a second
    return kept


def _read_mark(clinic: int) -> str:
    """The newest of everything a board shows, from indexes alone."""
    concerns = Concern.objects.filter(clinic=OuterRef("pk"))
    newest = (
        Reminder.objects.order_by("-state_at").values("state_at"),
        Reminder.objects.order_by("-pk").values("pk"),  # a list is dated before it is taken in
        # By number: one from a page is dated to the patient's press, which is over.
        concerns.filter(closed_at=None).order_by("-pk").values("pk"),
        concerns.filter(closed_at__isnull=False).order_by("-closed_at").values("closed_at"),
        Reading.objects.order_by("-pk").values("pk"),
        # Shown before it is taken up: that is one tick later.
        Act.objects.order_by("-pk").values("pk"),
    )
    answers = [*(Subquery(one[:1]) for one in newest), _lately()]
    row = Clinic.objects.filter(pk=clinic).order_by().values_list(*answers).get()
    return hashlib.sha256(repr(row).encode()).hexdigest()[:16]


def _lately() -> Subquery:
    """How many reminders changed just before the newest change: one that is committed only now,
    though it began earlier, is one more. Ordered, so that the index is walked, and no further.
    """
    newest = Reminder.objects.order_by("-state_at").values("state_at")[:1]
    since = ExpressionWrapper(Subquery(newest) - ON_ITS_WAY, output_field=DateTimeField())
    rows = Reminder.objects.filter(state_at__gt=since).order_by("-state_at").values("state_at")
    return Subquery(
        rows[:COUNTED],
        template="(SELECT COUNT(*) FROM (%(subquery)s) AS lately)",
        output_field=IntegerField(),
    )


def changed_since(clinic: Clinic, since: datetime) -> int:
    """About how many patients something has changed after `since`, up to `MANY`.

    A change bears the moment at which it began, and is seen when it is committed: one that was on
    its way while the board was read is offered, too, with what had just changed before.
    """
    lately = _changed_since(clinic, since - ON_ITS_WAY)
    return (_changed_since(clinic, since) or lately) if lately else 0


def _changed_since(clinic: Clinic, since: datetime) -> int:
    mine = Q(treatment__patient__clinic=clinic)
    changed: set[int | None] = set(
        Reminder.objects.filter(mine, state_at__gt=since)
        .values_list("treatment__patient", flat=True)
        .distinct()[:MANY]
    )
    concerns = Concern.objects.filter(clinic=clinic)
    concerns = concerns.filter(Q(opened_at__gt=since, closed_at=None) | Q(closed_at__gt=since))
    changed |= set(concerns.values_list("patient", flat=True)[:MANY])
    read = Reading.objects.filter(mine, read_at__gt=since)
    acts = Act.objects.filter(mine, Q(done_at__gt=since) | Q(taken_up_at__gt=since))
    for what_patients_did in (read, acts):
        changed |= set(what_patients_did.values_list("treatment__patient", flat=True)[:MANY])
    return len(changed)


def _cached(key: str) -> Any:
    return _or_nothing(lambda: cache.get(key))


def _cache(key: str, value: object, seconds: int) -> None:
    _or_nothing(lambda: cache.set(key, value, seconds))


def _or_nothing(ask: Callable[[], Any]) -> Any:
    """A cache that is away costs a question to the database, not the board."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - whatever its server lacks
        logger.warning("The cache did not answer; the board asks the database.")
        return None
