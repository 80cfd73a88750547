"""claimed → rendered → sent → recorded. The only path by which a message leaves.

The order is the promise. A claim is committed before anything else. The start of a call is
committed before the call. A call is made once and never again blind: what has no clear answer is
recorded as unknown, and only the provider's word moves it on.

One drain is a pipeline: it claims ahead while calls are in flight, and writes down what ended a
few times a second, in bulk. This thread alone touches the database; the callers only call.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import quote
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from patients import links
from patients.models.patient import Channel
from reminders import letterbox
from reminders.bell import ring
from reminders.calls import Calls
from reminders.channels import Message, NotSent, Rejected, Unknown, email, sms
from reminders.channels.codes import Means
from reminders.circuits import sender_of
from reminders.claim import Claim, claim_due, open_attempts
from reminders.heartbeat import in_doubt, set_aside
from reminders.leases import release_expired
from reminders.messages import Rendered, render
from reminders.models import Attempt, Reminder
from reminders.outcomes import Result, record

logger = logging.getLogger(__name__)

# Connect, read and a little: with less than this left of a lease, a call must not begin.
CALL_NEEDS = timedelta(seconds=15)
# How many calls begin with one commit, and how many wait for a free caller: what a killed worker
# may leave in doubt.
SLICE, AHEAD = 125, 25
RECORD_EVERY, RECORD_AT = 0.5, 500  # seconds; results
# Well within the task's time limit; what is left is taken up by the next ring.
DRAIN_SECONDS = 25.0
GRACE = 5.0  # seconds; after it, calls that have not begun do not: the task's time is over
A_MOMENT = 0.02  # seconds
LOOK_FOR_URGENT = 0.6  # seconds: so long at most waits a handover behind a claim already taken
SEND = {Channel.SMS: sms.send, Channel.EMAIL: email.send}


class Ready(NamedTuple):
    attempt: Attempt
    channel: Channel
    message: Message
    proves: bool


def drain() -> bool:
    """Send what is due, for at most `DRAIN_SECONDS`; returns whether more may be due."""
    letterbox.take_in()  # a STOP that came while the database was away, before any claim
    release_expired(now=timezone.now())
    until = time.monotonic() + DRAIN_SECONDS
    calls, book = Calls(_call, settings.CALLS_IN_FLIGHT), _Book()
    try:
        for ready in _begin_due(until):
            calls.begin(ready)
            book.add(calls.collect(within=0 if ready else A_MOMENT))
            while calls.outstanding > settings.CALLS_IN_FLIGHT + AHEAD:
                book.add(calls.collect(within=A_MOMENT))
        while calls.outstanding:
            book.add(calls.collect(within=A_MOMENT))
            if time.monotonic() > until + GRACE:
                book.add([Result(one.attempt, NotSent("lease")) for one in calls.take_back()])
        book.write()
    finally:
        calls.close()
    return time.monotonic() >= until


class _Book:
    """What has ended, written down a few times a second."""

    def __init__(self) -> None:
        self._ended: list[Result] = []
        self._written = time.monotonic()

    def add(self, ended: list[Result]) -> None:
        self._ended += ended
        if len(self._ended) >= RECORD_AT or time.monotonic() > self._written + RECORD_EVERY:
            self.write()

    def write(self) -> None:
        record(self._ended, now=timezone.now())
        self._ended, self._written = [], time.monotonic()


# --- rendered ---


def _begin_due(until: float) -> Iterator[list[Ready]]:
    """Slices of calls that have begun, claimed as they are asked for.

    An empty one while everything due waits for its sender's pace. `until`: monotonic seconds.
    """
    doubt, again_at, more, taken = in_doubt(), timezone.now(), True, 0
    looked = time.monotonic()
    while more and time.monotonic() < until:
        if timezone.now() < again_at:
            yield []
            continue
        claim = set_aside(claim_due(now=timezone.now()), doubt, now=timezone.now())
        if claim.more and not taken:
            ring()  # there is work for a second one
        taken += len(claim.reminders)
        for ready in _begin(claim):
            yield ready
            if time.monotonic() > looked + LOOK_FOR_URGENT:
                urgent = claim_due(now=timezone.now(), only_urgent=True)
                yield from _begin(set_aside(urgent, doubt, now=timezone.now()))
                looked = time.monotonic()
        again_at = claim.again_at or again_at
        more = claim.more or claim.again_at is not None
    if taken:
        logger.info("Took up %d due reminders.", taken)


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
            Ready(attempt, Channel(attempt.reminder.channel), message, bool(claim.circuits))
            for attempt in held
            if (message := messages[attempt.reminder_id]) is not None
        ]
        broken = [
            Result(attempt, Rejected("unwritten", Means.NEVER_SAME))
            for attempt in held
            if messages[attempt.reminder_id] is None
        ]
        record(broken, now=now)


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
    attempt.body = rendered.masked()
    return attempt, _message(attempt, reminder, rendered, now)


def _message(attempt: Attempt, reminder: Reminder, rendered: Rendered, now: datetime) -> Message:
    clinic = reminder.treatment.patient.clinic
    by_sms = reminder.channel == Channel.SMS
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2]
    sender = sender_of(clinic, reminder.channel)
    return Message(
        to=attempt.to_address,
        sender=sender if by_sms else f'"{quote(clinic.name)}" <{sender}>',
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        # The fragment asks Twilio to try a callback five times (connection overrides).
        callback_url=f"{settings.PUBLIC_BASE_URL}/webhooks/twilio/status/{attempt.token}#rc=5&rp=all",
        message_id=f"<reminder.{reminder.pk}@{host}>",
        valid_for=int((reminder.not_after - now).total_seconds()),
        unsubscribe_url="" if by_sms else links.unsubscribe_address_of(reminder.treatment),
    )


# --- sent ---


def _call(ready: Ready) -> Result:
    """The one call. Runs beside others in a thread of its own and touches no row."""
    attempt, channel, message, proves = ready
    if attempt.lease_until < timezone.now() + CALL_NEEDS:
        return Result(attempt, NotSent("lease"))
    try:
        return Result(attempt, SEND[channel](message), proves)
    except Exception:  # whatever broke, the message may have gone: only the provider knows
        logger.exception("The call for reminder %d broke.", attempt.reminder_id)
        return Result(attempt, Unknown("broken call"))
