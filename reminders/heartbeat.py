"""The last tick, and what follows from a long silence before it.

A gap in the ticks means that nothing ran, or that the database has since been restored from a
backup and has forgotten what it sent. The cache, which no restore touches, tells the two apart;
where it cannot, what fell due in the gap is in doubt: the provider is asked before it is sent.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import connection, transaction

from patients.models.patient import Channel
from reminders.claim import Claim
from reminders.concerns import raise_concern
from reminders.looks import UNKNOWN_LOOKS
from reminders.messages import render
from reminders.models import Attempt, Concern, Heartbeat, Reminder, State

logger = logging.getLogger(__name__)

TICK = "tick"
RESTORED = "restored"  # the code of an attempt that a forgotten one may have made
SILENCE = timedelta(minutes=5)
# Both are written with every tick: a cache that remembers a later one than the database has seen
# the database go back in time.
AT_ODDS = timedelta(seconds=60)


def beat(*, now: datetime) -> None:
    """Note a tick; after a restore or an unexplained silence, what fell due is in doubt."""
    heart, _ = Heartbeat.objects.get_or_create(name=TICK, defaults={"at": now})
    changes: dict[str, object] = {"at": now}
    remembered = _remembered()
    restored = remembered is not None and remembered > heart.at + AT_ODDS
    # A restore has been declared since the last tick: what it put in doubt is all there is.
    declared = heart.doubt_until is not None and heart.doubt_until > heart.at
    if not declared and (restored or (remembered is None and now - heart.at > SILENCE)):
        changes |= {"doubt_until": now, "restored": restored}
    # Of two workers that tick together, one writes.
    Heartbeat.objects.filter(name=TICK, at=heart.at).update(**changes)
    _remember(now)


def declare_restored(*, now: datetime) -> str:
    """The statement that puts all that fell due before `now` in doubt, in either database.

    The restore writes it with the rows themselves, so that no worker ever finds them without it.
    """
    ticked, until = (
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        + ("+00" if connection.vendor == "postgresql" else "")
        for moment in (now - timedelta(seconds=1), now)
    )
    return (
        "INSERT INTO reminders_heartbeat (name, at, doubt_until, restored) "  # noqa: S608
        f"VALUES ('{TICK}', '{ticked}', '{until}', true) ON CONFLICT (name) DO UPDATE "
        "SET doubt_until = excluded.doubt_until, restored = true"
    )


def in_doubt() -> Heartbeat | None:
    """The tick after which what had fallen due may already have gone; None in good times."""
    return Heartbeat.objects.filter(name=TICK, doubt_until__isnull=False).first()


def set_aside(claim: Claim, heart: Heartbeat | None, *, now: datetime) -> Claim:
    """Take out of a claim what may have gone before a restore; the provider is asked about it."""
    if heart is None or heart.doubt_until is None:
        return claim
    # What has been asked about since then, or tried, is in no doubt any more.
    settled = set(
        Attempt.objects.filter(
            reminder__in=[row.pk for row in claim.reminders], ended_at__gte=heart.doubt_until
        ).values_list("reminder", flat=True)
    )
    doubted = [
        row
        for row in claim.reminders
        if row.due_at <= heart.doubt_until
        and row.pk not in settled
        and (row.channel == Channel.SMS or heart.restored)
    ]
    held = _doubt(doubted, now)
    return claim._replace(reminders=[row for row in claim.reminders if row.pk not in held])


@transaction.atomic
def _doubt(rows: list[Reminder], now: datetime) -> set[int]:
    """An attempt that a forgotten one may have made: one look at the provider settles it."""
    attempts = [attempt for row in rows if (attempt := _forgotten(row, now)) is not None]
    Attempt.objects.bulk_create(attempts)
    held = {attempt.reminder_id for attempt in attempts}
    Reminder.objects.filter(pk__in=held, state=State.SENDING).update(
        state=State.UNKNOWN, state_at=now, claim=None
    )
    for row in rows:
        if row.pk in held and row.channel != Channel.SMS:  # a mail server cannot be asked
            raise_concern(Concern.Kind.UNKNOWN, reminder=row, now=now)
    return held


def _forgotten(row: Reminder, now: datetime) -> Attempt | None:
    try:
        rendered = render(row, at=row.due_at)
    except Exception:  # it cannot be written now either; the dispatch says so to staff
        logger.exception("Reminder %d could not be written.", row.pk)
        return None
    return Attempt(
        reminder=row,
        called_at=row.due_at,
        lease_until=row.due_at,
        ended_at=now,
        outcome=Attempt.Outcome.UNKNOWN,
        error_code=RESTORED,
        to_address=row.treatment.patient.address(row.channel),
        subject=rendered.subject,
        body=rendered.masked(),
        look_at=now if row.channel == Channel.SMS else None,
        looks=len(UNKNOWN_LOOKS) - 1,
    )


def oldest_overdue(*, now: datetime) -> timedelta:
    """How late the oldest reminder is that should have left; zero if none is."""
    firsts = [
        Reminder.objects.late(now, urgent=urgent).values_list("leaves_at", flat=True).first()
        for urgent in (True, False)
    ]
    return max((now - first for first in firsts if first), default=timedelta())


def last_tick() -> datetime | None:
    return Heartbeat.objects.filter(name=TICK).values_list("at", flat=True).first()


def silent_since(*, now: datetime, for_: timedelta) -> datetime | None:
    """The last tick, if it is longer ago than that: nothing is sent or taken in any more.

    Asks the cache alone, so that every page can afford it; where that knows nothing, it is None.
    """
    at = _remembered()
    return at if at is not None and now - at > for_ else None


def _remembered() -> datetime | None:
    try:
        at: datetime | None = cache.get(TICK)
    except Exception:  # noqa: BLE001 - whatever the cache's server lacks, the doubt is ours
        return None
    return at


def _remember(now: datetime) -> None:
    try:
        cache.set(TICK, now, timeout=None)
    except Exception:  # noqa: BLE001 - a cache that is away costs a question to the provider
        return
