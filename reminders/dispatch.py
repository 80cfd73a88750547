"""claimed → rendered → sent → recorded. The only path by which a message leaves.

The order is the promise. A claim is committed before anything else. The start of a call is
committed before the call. A call is made once and never again blind: what has no clear answer is
recorded as unknown, and only the provider's word moves it on.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from patients import links
from patients.models import OptOut
from patients.models.patient import Channel
from reminders.channels import Accepted, Message, NotSent, Outcome, Rejected, Unknown, email, sms
from reminders.channels.codes import Means
from reminders.claim import Claimed, claim_due, release_expired
from reminders.messages import Rendered, render
from reminders.models import Attempt, Receipt, Reminder, State, may_become
from reminders.moments import Skip

logger = logging.getLogger(__name__)

IN_FLIGHT = 16
# Connect, read and a little: with less than this left of a lease, a call must not begin.
CALL_NEEDS = timedelta(seconds=15)
BACKOFF, BACKOFF_LIMIT = timedelta(seconds=30), timedelta(minutes=15)
SEND = {Channel.SMS: sms.send, Channel.EMAIL: email.send}


class Ready(NamedTuple):
    claimed: Claimed
    message: Message


class Result(NamedTuple):
    claimed: Claimed
    outcome: Outcome


def drain() -> int:
    """Send everything that is due; returns how many reminders were taken up."""
    release_expired(now=timezone.now())
    taken, more = 0, True
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        while more:
            batch, more = claim_due(now=timezone.now())
            taken += len(batch)
            for start in range(0, len(batch), IN_FLIGHT):
                ready = _begin(batch[start : start + IN_FLIGHT], now=timezone.now())
                _record(list(pool.map(_call, ready)), now=timezone.now())
    if taken:
        logger.info("Took up %d due reminders.", taken)
    return taken


def _begin(batch: Sequence[Claimed], *, now: datetime) -> list[Ready]:
    """Render, freeze the words and mark the call as begun; committed before any call is made."""
    ready, stale, broken = [], [], []
    for claimed in batch:
        if claimed.attempt.lease_until < now + CALL_NEEDS:
            stale.append(Result(claimed, NotSent("lease")))
            continue
        try:
            ready.append(_prepare(claimed, now))
        except Exception:  # one text that cannot be written must not stop the others
            logger.exception("Reminder %d could not be written.", claimed.reminder.pk)
            broken.append(Result(claimed, Rejected("unwritten")))
    Attempt.objects.bulk_update(
        [one.claimed.attempt for one in ready], ["called_at", "subject", "body"]
    )
    _record(stale + broken, now=now)
    return ready


def _prepare(claimed: Claimed, now: datetime) -> Ready:
    attempt, reminder = claimed
    rendered = render(reminder, at=now)
    attempt.called_at = now
    attempt.subject = rendered.subject
    attempt.body = rendered.masked(links.address_of(reminder.treatment))
    return Ready(claimed, _message(attempt, reminder, rendered, now))


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


def _call(ready: Ready) -> Result:
    """The one call. Touches no row: it runs beside others in a thread of its own."""
    claimed, message = ready
    try:
        outcome = SEND[Channel(claimed.reminder.channel)](message)
    except Exception:  # whatever broke, the message may have gone: only the provider knows
        logger.exception("The call for reminder %d broke.", claimed.reminder.pk)
        outcome = Unknown("broken call")
    return Result(claimed, outcome)


def _record(results: Sequence[Result], *, now: datetime) -> None:
    """Write down what came of each call. A receipt may have come first: states only move on."""
    if not results:
        return
    with transaction.atomic():
        for claimed, outcome in results:
            _close_attempt(claimed.attempt, outcome, now)
        Attempt.objects.bulk_update(
            [result.claimed.attempt for result in results],
            ["outcome", "error_code", "ended_at"],
        )
        _keep_answers(results, now)
        for kind, state in (
            (Accepted, State.SENT),
            (Unknown, State.UNKNOWN),
        ):
            ids = [r.claimed.reminder.pk for r in results if isinstance(r.outcome, kind)]
            _move(ids, state, now)
        _record_rejected(results, now)
        _record_not_sent([r.claimed.reminder for r in results if isinstance(r.outcome, NotSent)])


def _keep_answers(results: Sequence[Result], now: datetime) -> None:
    """What the provider answered is its first receipt; its name for the message stands there."""
    Receipt.objects.bulk_create(
        [
            Receipt(
                attempt=claimed.attempt,
                provider_id=outcome.provider_id,
                status=outcome.status,
                received_at=now,
            )
            for claimed, outcome in results
            if isinstance(outcome, Accepted)
        ],
        ignore_conflicts=True,
    )


def _close_attempt(attempt: Attempt, outcome: Outcome, now: datetime) -> None:
    attempt.ended_at = now
    match outcome:
        case Accepted():
            attempt.outcome = Attempt.Outcome.ACCEPTED
        case Rejected(code):
            attempt.outcome, attempt.error_code = Attempt.Outcome.REJECTED, code
        case NotSent(code):
            attempt.outcome, attempt.error_code = Attempt.Outcome.NOT_SENT, code
        case Unknown(code):
            attempt.outcome, attempt.error_code = Attempt.Outcome.UNKNOWN, code


def _move(ids: list[int], state: State, now: datetime, **values: object) -> None:
    if ids:
        Reminder.objects.filter(pk__in=ids, state__in=may_become(state)).update(
            state=state, state_at=now, **values
        )


def _record_rejected(results: Sequence[Result], now: datetime) -> None:
    rejected = [r for r in results if isinstance(r.outcome, Rejected)]
    stopped = [r.claimed for r in rejected if r.outcome.means is Means.OPTED_OUT]  # type: ignore[union-attr]
    OptOut.objects.bulk_create(
        OptOut(
            clinic=reminder.treatment.patient.clinic,
            channel=reminder.channel,
            address=attempt.to_address,
            stopped=True,
            how="provider",
            recorded_at=now,
        )
        for attempt, reminder in stopped
    )
    stopped_ids = [reminder.pk for _, reminder in stopped]
    _move(stopped_ids, State.SKIPPED, now, skip_reason=Skip.OPTED_OUT.value)
    failed = [r.claimed.reminder.pk for r in rejected if r.claimed.reminder.pk not in stopped_ids]
    _move(failed, State.FAILED, now)


def _record_not_sent(reminders: Sequence[Reminder]) -> None:
    """Back to planned, a little later each time; nothing of it was sent."""
    if not reminders:
        return
    now = timezone.now()
    ids = [reminder.pk for reminder in reminders]
    tried = dict(
        Attempt.objects.filter(reminder__in=ids)
        .values_list("reminder")
        .annotate(tried=Count("id"))
        .values_list("reminder", "tried")
    )
    for reminder in reminders:
        wait = min(BACKOFF_LIMIT, BACKOFF * 2 ** (tried.get(reminder.pk, 1) - 1))
        # Jitter, so that a provider that comes back is not met by everybody at once.
        reminder.leaves_at = now + wait * random.uniform(0.5, 1.0)  # noqa: S311
        reminder.state, reminder.state_at = State.PLANNED, now
    Reminder.objects.filter(state=State.SENDING).bulk_update(
        reminders, ["state", "state_at", "leaves_at"]
    )
