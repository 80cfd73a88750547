"""claimed → rendered → sent → recorded. The only path by which a message leaves.

The order is the promise. A claim is committed before anything else. The start of a call is
committed before the call. A call is made once and never again blind: what has no clear answer is
recorded as unknown, and only the provider's word moves it on.

One drain is a pipeline: it claims ahead while calls are in flight, and writes down what ended a
few times a second, in bulk. This thread alone touches the database; the callers only call.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from patients import links
from patients.models import OptOut
from patients.models.patient import Channel
from reminders.calls import Calls
from reminders.channels import Accepted, Message, NotSent, Outcome, Rejected, Unknown, email, sms
from reminders.channels.codes import Means
from reminders.claim import Claim, claim_due, open_attempts, release_expired
from reminders.messages import Rendered, render
from reminders.models import Attempt, Receipt, Reminder, State, may_become
from reminders.moments import Skip

logger = logging.getLogger(__name__)

# Connect, read and a little: with less than this left of a lease, a call must not begin.
CALL_NEEDS = timedelta(seconds=15)
# How many calls begin with one commit: what a killed worker may leave in doubt.
SLICE = 100
RECORD_EVERY, RECORD_AT = 0.15, 200  # seconds; results
# Well within the task's time limit; what is left is taken up by the next ring.
DRAIN_SECONDS = 25.0
BACKOFF, BACKOFF_LIMIT = timedelta(seconds=30), timedelta(minutes=15)
SEND = {Channel.SMS: sms.send, Channel.EMAIL: email.send}


class Ready(NamedTuple):
    attempt: Attempt
    channel: Channel
    message: Message


class Result(NamedTuple):
    attempt: Attempt
    outcome: Outcome


def drain() -> bool:
    """Send what is due, for at most `DRAIN_SECONDS`; returns whether more may be due."""
    release_expired(now=timezone.now())
    calls = Calls(_call, settings.CALLS_IN_FLIGHT)
    until = time.monotonic() + DRAIN_SECONDS
    taken, more = 0, True
    ended: list[Result] = []
    recorded = time.monotonic()
    while more or calls.outstanding or ended:
        if more and calls.outstanding < settings.CALLS_IN_FLIGHT:
            claim = claim_due(now=timezone.now())
            taken += len(claim.reminders)
            for ready in _begin(claim):
                calls.begin(ready)
            more = claim.more and time.monotonic() < until
        ended += calls.collect(within=0.02)
        if len(ended) >= RECORD_AT or time.monotonic() > recorded + RECORD_EVERY:
            _record(ended, now=timezone.now())
            ended, recorded = [], time.monotonic()
    calls.close()
    if taken:
        logger.info("Took up %d due reminders.", taken)
    return time.monotonic() >= until


# --- rendered ---


def _begin(claim: Claim) -> Iterator[list[Ready]]:
    """Render, slice by slice, and commit that the calls of a slice begin."""
    for start in range(0, len(claim.reminders), SLICE):
        now = timezone.now()
        if claim.lease_until < now + CALL_NEEDS:
            return  # what is left goes back to planned when its lease has run out
        prepared = [
            _prepare(reminder, claim, now) for reminder in claim.reminders[start : start + SLICE]
        ]
        held = open_attempts(claim, [attempt for attempt, _ in prepared])
        messages = {attempt.reminder_id: message for attempt, message in prepared}
        yield [
            Ready(attempt, Channel(attempt.reminder.channel), message)
            for attempt in held
            if (message := messages[attempt.reminder_id]) is not None
        ]
        broken = [
            Result(attempt, Rejected("unwritten", Means.NEVER_SAME))
            for attempt in held
            if messages[attempt.reminder_id] is None
        ]
        _record(broken, now=now)


def _prepare(reminder: Reminder, claim: Claim, now: datetime) -> tuple[Attempt, Message | None]:
    attempt = Attempt(
        reminder=reminder,
        called_at=now,
        lease_until=claim.lease_until,
        to_address=reminder.treatment.patient.address(reminder.channel),
    )
    try:
        rendered = render(reminder, at=now)
    except Exception:  # one text that cannot be written must not stop the others
        logger.exception("Reminder %d could not be written.", reminder.pk)
        return attempt, None
    attempt.subject = rendered.subject
    attempt.body = rendered.masked(links.address_of(reminder.treatment))
    return attempt, _message(attempt, reminder, rendered, now)


def _message(attempt: Attempt, reminder: Reminder, rendered: Rendered, now: datetime) -> Message:
    clinic = reminder.treatment.patient.clinic
    by_sms = reminder.channel == Channel.SMS
    mail_sender = f'"{clinic.name}" <{clinic.email_sender or settings.DEFAULT_FROM_EMAIL}>'
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2]
    return Message(
        to=attempt.to_address,
        sender=clinic.sms_sender.as_e164 if by_sms else mail_sender,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        # The fragment asks Twilio to try a callback five times (connection overrides).
        callback_url=f"{settings.PUBLIC_BASE_URL}/webhooks/twilio/status/{attempt.token}#rc=5&rp=all",
        message_id=f"<reminder.{reminder.pk}@{host}>",
        valid_for=int((reminder.not_after - now).total_seconds()),
    )


# --- sent ---


def _call(ready: Ready) -> Result:
    """The one call. Runs beside others in a thread of its own and touches no row."""
    attempt, channel, message = ready
    if attempt.lease_until < timezone.now() + CALL_NEEDS:
        return Result(attempt, NotSent("lease"))
    try:
        return Result(attempt, SEND[channel](message))
    except Exception:  # whatever broke, the message may have gone: only the provider knows
        logger.exception("The call for reminder %d broke.", attempt.reminder_id)
        return Result(attempt, Unknown("broken call"))


# --- recorded ---


def _record(results: Sequence[Result], *, now: datetime) -> None:
    """Write down what came of each call. A receipt may have come first: states only move on."""
    if not results:
        return
    with transaction.atomic():
        _keep_answers(results, now)
        by_end: dict[tuple[Attempt.Outcome, str], list[Attempt]] = {}
        for attempt, outcome in results:
            by_end.setdefault(_end_of(outcome), []).append(attempt)
        for (end, code), attempts in by_end.items():
            Attempt.objects.filter(pk__in=[one.pk for one in attempts]).update(
                outcome=end, error_code=code, ended_at=now
            )
        _move(_reminders(results, Accepted), State.SENT, now)
        _move(_reminders(results, Unknown), State.UNKNOWN, now)
        _record_rejected(results, now)
        _record_not_sent([r.attempt for r in results if isinstance(r.outcome, NotSent)], now)


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


def _keep_answers(results: Sequence[Result], now: datetime) -> None:
    """What the provider answered is its first receipt; its name for the message stands there."""
    Receipt.objects.bulk_create(
        [
            Receipt(
                attempt=attempt,
                provider_id=outcome.provider_id,
                status=outcome.status,
                received_at=now,
            )
            for attempt, outcome in results
            if isinstance(outcome, Accepted)
        ],
        ignore_conflicts=True,
    )


def _move(ids: list[int], state: State, now: datetime, **values: object) -> None:
    if ids:
        Reminder.objects.filter(pk__in=ids, state__in=may_become(state)).update(
            state=state, state_at=now, claim=None, **values
        )


def _record_rejected(results: Sequence[Result], now: datetime) -> None:
    rejected = [(r.attempt, r.outcome) for r in results if isinstance(r.outcome, Rejected)]
    stopped = [attempt for attempt, outcome in rejected if outcome.means is Means.OPTED_OUT]
    OptOut.objects.bulk_create(
        OptOut(
            clinic=attempt.reminder.treatment.patient.clinic,
            channel=attempt.reminder.channel,
            address=attempt.to_address,
            stopped=True,
            how="provider",
            recorded_at=now,
        )
        for attempt in stopped
    )
    stopped_ids = [attempt.reminder_id for attempt in stopped]
    _move(stopped_ids, State.SKIPPED, now, skip_reason=Skip.OPTED_OUT.value)
    failed = [attempt.reminder_id for attempt, _ in rejected]
    _move([pk for pk in failed if pk not in stopped_ids], State.FAILED, now)


def _record_not_sent(attempts: Sequence[Attempt], now: datetime) -> None:
    """Back to planned, a little later each time; nothing of it was sent."""
    if not attempts:
        return
    tried = dict(
        Attempt.objects.filter(reminder__in=[one.reminder_id for one in attempts])
        .values_list("reminder")
        .annotate(tried=Count("id"))
        .values_list("reminder", "tried")
    )
    reminders = [attempt.reminder for attempt in attempts]
    for reminder in reminders:
        wait = min(BACKOFF_LIMIT, BACKOFF * 2 ** (tried.get(reminder.pk, 1) - 1))
        # Jitter, so that a provider that comes back is not met by everybody at once.
        reminder.leaves_at = now + wait * random.uniform(0.5, 1.0)  # noqa: S311
        reminder.state, reminder.state_at, reminder.claim = State.PLANNED, now, None
    Reminder.objects.filter(state__in=may_become(State.PLANNED)).bulk_update(
        reminders, ["state", "state_at", "claim", "leaves_at"]
    )
