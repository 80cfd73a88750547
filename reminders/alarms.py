"""What is wrong with the site itself is told to staff once, and once more when it is over.

An alarm is a row: however many processes notice, the first that writes it makes the alert, and
the first that ends it the all-clear. `alerts.send_waiting` sends both, by text and by mail.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from patients.models import Clinic
from patients.models.patient import Channel
from patients.words import clock
from reminders.heartbeat import last_tick
from reminders.models import Alarm, Alert, Reminder, State

HOUR = timedelta(hours=1)
# A provider's word takes moments; what was sent just now has had no time to arrive.
ARRIVES_WITHIN = timedelta(minutes=10)
# The share of an hour's messages that fail. In between, an alarm neither begins nor ends.
BEGINS_AT, ENDS_BELOW = 0.2, 0.1
AT_LEAST = 5  # messages: fewer tell nothing
ENOUGH = 10_000
TOLD = [State.SENT, State.DELIVERED, State.FAILED, State.NO_RECEIPT]


# --- the worker -----------------------------------------------------------------------------------


def watch_dispatcher(*, now: datetime, since: datetime) -> bool:
    """Whether no worker has looked for due reminders for `ALARM_SECONDS`; staff are told.

    Never to be asked of a worker, which would be asking itself. `since`: when whoever asks began
    to watch; the silence before that may have been somebody's wish.
    """
    tick, patience = last_tick(), timedelta(seconds=settings.ALARM_SECONDS)
    heard = max(tick, since) if tick else since
    if now - heard > patience:
        for clinic in Clinic.objects.all():
            at = f"since {clock(tick.astimezone(clinic.tz), 'en')}" if tick else "yet"
            words = f"No reminder can leave: no worker has run {at}. Start the worker and beat."
            _begin(clinic, Alarm.Kind.DISPATCHER, words, now)
        return True
    if tick and now - tick <= patience:
        for alarm in Alarm.objects.filter(kind=Alarm.Kind.DISPATCHER, ended_at=None):
            _end(alarm.clinic, Alarm.Kind.DISPATCHER, "All clear: reminders leave again.", now)
    return False


# --- the messages ---------------------------------------------------------------------------------


class Hour(NamedTuple):
    """Of one clinic's last hour. `waiting`: texts that should have arrived, and nobody knows."""

    ended: int = 0
    failed: int = 0
    delivered: int = 0
    waiting: int = 0


def watch_messages(*, now: datetime) -> None:
    """Begin and end the alarms about what became of the last hour's messages."""
    hours, stuck = _last_hours(now), _stuck(now)
    told = set(Alarm.objects.filter(ended_at=None).values_list("clinic", flat=True))
    for clinic in Clinic.objects.filter(pk__in={*hours, *stuck, *told}):
        hour = hours.get(clinic.pk, Hour())
        _judge_failures(clinic, hour, now)
        _judge_silence(clinic, hour, stuck.get(clinic.pk, 0), now)


def _judge_failures(clinic: Clinic, hour: Hour, now: datetime) -> None:
    said = f"{hour.failed} of {hour.ended} messages of the last hour failed."
    if hour.failed >= max(AT_LEAST, BEGINS_AT * hour.ended):
        words = f"{said} See why: {settings.PUBLIC_BASE_URL}/board/"
        _begin(clinic, Alarm.Kind.FAILURES, words, now)
    elif hour.failed < max(AT_LEAST, ENDS_BELOW * hour.ended):
        _end(clinic, Alarm.Kind.FAILURES, f"All clear: {said}", now)


def _judge_silence(clinic: Clinic, hour: Hour, stuck: int, now: datetime) -> None:
    if hour.delivered == 0 and hour.waiting + stuck >= AT_LEAST:
        words = (
            f"Nothing was delivered in the last hour: {hour.waiting} texts went out unconfirmed, "
            f"{stuck} due reminders did not leave. Look at the provider's console."
        )
        _begin(clinic, Alarm.Kind.SILENCE, words, now)
    elif hour.delivered:
        _end(clinic, Alarm.Kind.SILENCE, "All clear: texts are delivered again.", now)


def _last_hours(now: datetime) -> dict[int, Hour]:
    within = Q(state_at__gt=now - HOUR)
    texts = Q(channel=Channel.SMS)
    rows = (
        Reminder.objects.filter(state__in=TOLD, state_at__gt=now - HOUR - ARRIVES_WITHIN)
        .values_list("treatment__patient__clinic")
        .annotate(
            ended=Count("pk", filter=within),
            failed=Count("pk", filter=within & Q(state=State.FAILED)),
            delivered=Count("pk", filter=within & texts & Q(state=State.DELIVERED)),
            waiting=Count(
                "pk", filter=texts & Q(state=State.SENT, state_at__lte=now - ARRIVES_WITHIN)
            ),
        )
    )
    return {clinic: Hour(*counts) for clinic, *counts in rows}


def _stuck(now: datetime) -> dict[int, int]:
    """By clinic, what has been due for longer than a message takes to arrive."""
    found: dict[int, int] = {}
    for urgent in (True, False):
        late = Reminder.objects.late(now - ARRIVES_WITHIN, urgent=urgent)[:ENOUGH]
        for clinic in late.values_list("treatment__patient__clinic", flat=True):
            found[clinic] = found.get(clinic, 0) + 1
    return found


# --- once -----------------------------------------------------------------------------------------


@transaction.atomic
def _begin(clinic: Clinic, kind: Alarm.Kind, words: str, now: datetime) -> None:
    _, is_new = Alarm.objects.get_or_create(
        clinic=clinic, kind=kind, ended_at=None, defaults={"began_at": now}
    )
    if is_new:
        Alert.objects.create(clinic=clinic, words=words, made_at=now)


@transaction.atomic
def _end(clinic: Clinic, kind: Alarm.Kind, words: str, now: datetime) -> None:
    open_ = Alarm.objects.filter(clinic=clinic, kind=kind, ended_at=None)
    if open_.update(ended_at=now):
        Alert.objects.create(clinic=clinic, words=words, made_at=now)
