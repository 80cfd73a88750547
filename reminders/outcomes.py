"""What came of each call, written down in bulk.

A receipt may have come first, by webhook, while the call was still open: states only move on, and
what the provider has said since is not overwritten.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count

from patients.models.patient import Channel
from reminders import circuits
from reminders.channels import Accepted, NotSent, Outcome, Rejected, Unknown
from reminders.channels.codes import GLOBAL, Means
from reminders.failures import follow_up
from reminders.looks import first_look
from reminders.mail_events import place_kept
from reminders.models import Attempt, Receipt, Reminder, State, may_become
from reminders.models.in_bulk import insert
from reminders.moments import Skip
from reminders.optouts import stop

BACKOFF, BACKOFF_LIMIT = timedelta(seconds=30), timedelta(minutes=15)
LEAVES_OPEN = (Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN)


class Result(NamedTuple):
    """How a call ended; `proves`: a circuit was open when it was claimed."""

    attempt: Attempt
    outcome: Outcome
    proves: bool = False


def record(results: Sequence[Result], *, now: datetime) -> None:
    """Write down what came of each call, in one transaction."""
    if not results:
        return
    with transaction.atomic():
        # Attempts first, as a webhook does: locked the other way round, the two could deadlock.
        _end_attempts(results, now)
        _stop_opted_out(results)
        _keep_answers(results, now)
        _move(_reminders(results, Accepted), State.SENT, now)
        _move(_in_doubt(results), State.UNKNOWN, now)
        _reject(results, now)
        _put_back(results, now)
        _close_circuits(results)
        _place_early_words(results)


def _place_early_words(results: Sequence[Result]) -> None:
    """An email provider's webhook can be quicker than its answer, and knows only its own id.

    Looked for once this is committed, as the webhook does: whichever is the later one finds both.
    """
    mails = [
        r.outcome.provider_id
        for r in results
        if isinstance(r.outcome, Accepted) and r.attempt.reminder.channel == Channel.EMAIL
    ]
    if mails:
        transaction.on_commit(partial(place_kept, mails), robust=True)


def _end_attempts(results: Sequence[Result], now: datetime) -> None:
    by_end: dict[tuple[Attempt.Outcome, str, str], list[int]] = {}
    for attempt, outcome, _ in results:
        by_end.setdefault((*_end_of(outcome), attempt.reminder.channel), []).append(attempt.pk)
    for (end, code, channel), ids in by_end.items():
        # Not where a receipt has said more meanwhile; but an answer that took it is the truth, even
        # where the attempt had long counted as never sent.
        absent = [Attempt.Outcome.NOT_SENT] if end == Attempt.Outcome.ACCEPTED else []
        Attempt.objects.filter(pk__among=ids, outcome__in=[*LEAVES_OPEN, *absent]).update(
            outcome=end, error_code=code, ended_at=now, look_at=first_look(end, channel, now)
        )


def _end_of(outcome: Outcome) -> tuple[Attempt.Outcome, str]:
    match outcome:
        case Accepted():
            return Attempt.Outcome.ACCEPTED, ""
        case Rejected(code):
            return Attempt.Outcome.REJECTED, code
        case NotSent(code):
            return Attempt.Outcome.NOT_SENT, code
        case Unknown(code):
            return Attempt.Outcome.UNKNOWN, code


def _reminders(results: Sequence[Result], kind: type[Outcome]) -> list[int]:
    return [r.attempt.reminder_id for r in results if isinstance(r.outcome, kind)]


def _in_doubt(results: Sequence[Result]) -> list[int]:
    """Not where a worker slept until its attempt counted as never sent: another one may hold the
    reminder, and nobody would ask about it any more.
    """
    unknown = [r.attempt.pk for r in results if isinstance(r.outcome, Unknown)]
    asked = Attempt.objects.filter(pk__among=unknown, outcome=Attempt.Outcome.UNKNOWN)
    return list(asked.values_list("reminder", flat=True)) if unknown else []


def _keep_answers(results: Sequence[Result], now: datetime) -> None:
    """What the provider answered is its first receipt; its name for the message stands there."""
    insert(
        Receipt,
        ("attempt", "provider_id", "status"),
        [
            (attempt.pk, outcome.provider_id, outcome.status)
            for attempt, outcome, _ in results
            if isinstance(outcome, Accepted)
        ],
        same={"error_code": "", "received_at": now},
        ignore_conflicts=True,
    )


def _move(ids: list[int], state: State, now: datetime, **values: object) -> None:
    if ids:
        changes = {"state": state, "state_at": now, "claim": None, "skip_reason": "", **values}
        Reminder.objects.filter(pk__among=ids, state__in=may_become(state)).update(**changes)


def _stop_opted_out(results: Sequence[Result]) -> None:
    """Patients before reminders, as everywhere: no claim of theirs can commit after the opt-out.

    Always in the same order, so that two workers that learn of the same numbers do not cross.
    """
    refused = {
        (reminder.treatment.patient.clinic_id, reminder.channel, attempt.to_address): reminder
        for attempt, outcome, _ in results
        if isinstance(outcome, Rejected) and outcome.means is Means.OPTED_OUT
        for reminder in [attempt.reminder]
    }
    for (_, channel, address), reminder in sorted(refused.items(), key=itemgetter(0)):
        stop(reminder.treatment.patient.clinic, address, channel=channel, how="provider")


def _reject(results: Sequence[Result], now: datetime) -> None:
    rejected = [(r.attempt, r.outcome) for r in results if isinstance(r.outcome, Rejected)]
    stopped = [one.reminder_id for one, outcome in rejected if outcome.means is Means.OPTED_OUT]
    _move(stopped, State.SKIPPED, now, skip_reason=Skip.OPTED_OUT.value)
    for attempt, outcome in rejected:
        if outcome.means is not Means.OPTED_OUT:
            _move([attempt.reminder_id], State.FAILED, now)
            to, reminder = attempt.to_address, attempt.reminder
            follow_up(reminder, to=to, means=outcome.means, code=outcome.code, now=now)


def _put_back(results: Sequence[Result], now: datetime) -> None:
    """Back to planned, a little later each time; nothing of it was sent."""
    not_sent = [(r.attempt, r.outcome) for r in results if isinstance(r.outcome, NotSent)]
    if not not_sent:
        return
    tried = dict(
        Attempt.objects.filter(reminder__in=[one.reminder_id for one, _ in not_sent])
        .values_list("reminder")
        .annotate(tried=Count("id"))
        .values_list("reminder", "tried")
    )
    # A worker that slept must not free what another one has called for since.
    taken_over = set(
        Attempt.objects.filter(
            reminder__in=[one.reminder_id for one, _ in not_sent], outcome__in=LEAVES_OPEN
        ).values_list("reminder", flat=True)
    )
    paused = _trip_circuits(not_sent, now)
    for attempt, outcome in not_sent:
        if attempt.reminder_id in taken_over:
            continue
        wait = min(BACKOFF_LIMIT, BACKOFF * 2 ** min(tried.get(attempt.reminder_id, 1) - 1, 10))
        # Jitter, so that a provider that comes back is not met by everybody at once.
        leaves_at = now + wait * random.uniform(0.5, 1.0)  # noqa: S311
        if outcome.means in GLOBAL:
            leaves_at = paused[_scope(attempt, outcome.means)]
        # Only what is still in hand: a worker that slept must not wake what was skipped since.
        Reminder.objects.filter(
            pk=attempt.reminder_id, state__in=[State.SENDING, State.UNKNOWN]
        ).update(state=State.PLANNED, state_at=now, claim=None, leaves_at=leaves_at)


def _scope(attempt: Attempt, means: Means) -> circuits.Scope:
    reminder = attempt.reminder
    sender = circuits.sender_of(reminder.treatment.patient.clinic, reminder.channel)
    return circuits.scope_of(means, reminder.channel, sender, attempt.to_address)


def _trip_circuits(
    not_sent: Sequence[tuple[Attempt, NotSent]], now: datetime
) -> dict[circuits.Scope, datetime]:
    """Open a circuit for each scope that refused us; until when, by scope."""
    refused: dict[circuits.Scope, list[tuple[Attempt, NotSent]]] = {}
    for attempt, outcome in not_sent:
        if outcome.means in GLOBAL:
            refused.setdefault(_scope(attempt, outcome.means), []).append((attempt, outcome))
    return {
        scope: circuits.trip(
            scope,
            code=these[0][1].code,
            clinics={attempt.reminder.treatment.patient.clinic for attempt, _ in these},
            now=now,
        )
        for scope, these in refused.items()
    }


def _close_circuits(results: Sequence[Result]) -> None:
    """What was let through a circuit and passes proves its way free."""
    for attempt in [r.attempt for r in results if r.proves and isinstance(r.outcome, Accepted)]:
        reminder = attempt.reminder
        sender = circuits.sender_of(reminder.treatment.patient.clinic, reminder.channel)
        scopes = circuits.scopes_of(reminder.channel, sender, attempt.to_address)
        circuits.close(scopes, called_at=attempt.called_at)
