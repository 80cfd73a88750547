"""Asking the provider: what became of an unknown, and of what was sent and never confirmed.

An unknown is resolved, never retried blind. Its number's messages are listed three times over the
settling window; found, it is a receipt like any other; not found in three looks, it is absent and
is sent again if that is still useful. A message without a final word is asked for at 2, 10 and 60
minutes, 6, 24 and 72 hours, because callbacks are best-effort; after that it is `no receipt`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from patients import links
from patients.models import Patient
from patients.models.patient import Channel
from reminders.calls import Calls
from reminders.channels import Listed, sms
from reminders.concerns import raise_concern
from reminders.heartbeat import RESTORED
from reminders.looks import next_look
from reminders.messages import render
from reminders.models import Attempt, Concern, Receipt, Reminder, State, may_become
from reminders.moments import Skip
from reminders.receipts import apply_receipt

IN_FLIGHT = 20
BATCH = 2 * IN_FLIGHT  # even if each one times out, a batch ends well within `ASKING`
# While one worker asks, no other does; a look whose worker died is taken again after this.
ASKING = timedelta(seconds=60)
SETTLE_FOR = 15.0  # seconds; what is left is taken up by the next ring
# Our clock and the provider's may differ, by a whole hour where one was set wrong. The frozen
# text with its own link, and the sids we know, tell one message from another.
CLOCKS_DIFFER = timedelta(hours=2)


logger = logging.getLogger(__name__)
_settling = threading.Lock()


class Look(NamedTuple):
    """An attempt to ask about; `known_as`: the provider's name for its message, if we have it.

    `until`: what marks the attempt as taken by this look and no other.
    """

    attempt: Attempt
    known_as: str
    until: datetime


class Answer(NamedTuple):
    """What the provider said: None if it could not be asked."""

    look: Look
    found: list[Listed] | None


def settle() -> None:
    """Take the looks that are due, for about `SETTLE_FOR` seconds; one at a time in a process.

    Two that waited for a slow provider side by side would leave no thread to send.
    """
    if not _settling.acquire(blocking=False):
        return
    until = time.monotonic() + SETTLE_FOR
    calls = Calls(_ask, IN_FLIGHT)
    try:
        while time.monotonic() < until and (looks := _take_looks(now=timezone.now())):
            calls.begin(looks)
            while calls.outstanding:
                for answer in calls.collect(within=1.0):
                    _try_to_write(answer)
    finally:
        calls.close()
        _settling.release()


@transaction.atomic
def _take_looks(*, now: datetime) -> list[Look]:
    due = list(
        Attempt.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .filter(look_at__lte=now)
        .select_related("reminder__treatment__patient")
        .order_by("look_at")[:BATCH]
    )
    until = now + ASKING
    Attempt.objects.filter(pk__in=[one.pk for one in due]).update(look_at=until)
    known = _provider_ids(due)
    return [Look(attempt, known.get(attempt.pk, ""), until) for attempt in due]


def _provider_ids(attempts: Sequence[Attempt]) -> dict[int, str]:
    rows = Receipt.objects.filter(attempt__in=attempts).order_by("-id")
    return dict(rows.values_list("attempt", "provider_id"))


def _ask(look: Look) -> Answer:
    """Runs beside others in a thread of its own and touches no row."""
    attempt, known_as, _ = look
    if attempt.reminder.channel != Channel.SMS:
        return Answer(look, [])  # a mail server cannot be asked
    try:
        if known_as:
            message = sms.fetch(known_as)
            return Answer(look, [message] if message else [])
        since = attempt.called_at - CLOCKS_DIFFER
        return Answer(look, sms.listed(to=attempt.to_address, since=since))
    except sms.NoAnswer:
        return Answer(look, None)
    except Exception:  # whatever broke, nothing was learned: ask again later
        logger.exception("The provider's word on attempt %d could not be read.", attempt.pk)
        return Answer(look, None)


def _try_to_write(answer: Answer) -> None:
    """One answer that cannot be written takes no other one with it; it is asked for again."""
    try:
        _write(answer, now=timezone.now())
    except Exception:
        logger.exception(
            "What the provider said of attempt %d could not be written.", answer.look.attempt.pk
        )


@transaction.atomic
def _write(answer: Answer, *, now: datetime) -> None:
    (asked, known_as, until), found = answer
    attempt = (
        Attempt.objects.select_for_update(of=("self",), no_key=True)
        .select_related("reminder__treatment__patient__clinic", "reminder__treatment__version")
        .get(pk=asked.pk)
    )
    if attempt.look_at != until:
        return  # a receipt has settled it meanwhile, or we were so slow that another one asked
    if found is None:
        Attempt.objects.filter(pk=attempt.pk).update(look_at=now + ASKING)
        return
    attempt.looks += 1  # only an answer counts: three unheard questions prove nothing
    attempt.save(update_fields=["looks"])
    message = next(_matching(attempt, found, known_as), None)
    if message is not None:
        apply_receipt(
            attempt,
            provider_id=message.provider_id,
            status=message.status,
            error_code=message.error_code,
            now=now,
        )
    attempt.refresh_from_db(fields=["look_at", "looks", "outcome"])
    if attempt.look_at is not None:
        _look_again_or_end(attempt, now)


def _matching(attempt: Attempt, found: Sequence[Listed], known_as: str) -> Iterator[Listed]:
    """The messages that are this attempt's: the exact words, and nobody else's sid.

    The oldest first: of two with the same words, the earlier call made the earlier one. What a
    nurse had sent again has the same words too: a message is of the call that was nearest to it.
    """
    if known_as:
        yield from found
        return
    # One at a time for one patient: two workers must not both take the same message for theirs.
    Patient.objects.select_for_update(no_key=True).get(pk=attempt.reminder.treatment.patient_id)
    taken = set(
        Receipt.objects.filter(
            provider_id__in=[one.provider_id for one in found], attempt__isnull=False
        )
        .exclude(attempt=attempt)
        .values_list("provider_id", flat=True)
    )
    words = set(_words_of(attempt))
    others = _other_calls(attempt)
    for one in sorted(found, key=lambda listed: listed.created_at):
        away = abs(one.created_at - attempt.called_at)
        nearest = all(away <= abs(one.created_at - called_at) for called_at in others)
        if one.text in words and one.provider_id not in taken and nearest:
            yield one


def _other_calls(attempt: Attempt) -> list[datetime]:
    """When the same was said to the same number by calls whose end nobody knows either.

    Those that may have run side by side with this one are left out: either made either message.
    """
    apart = Q(called_at__gt=attempt.lease_until) | Q(lease_until__lt=attempt.called_at)
    unclear = Attempt.objects.filter(
        apart,
        reminder__treatment=attempt.reminder.treatment_id,
        reminder__rule=attempt.reminder.rule,
        to_address=attempt.to_address,
        outcome__in=[Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN],
    )
    return list(unclear.values_list("called_at", flat=True))


def _words_of(attempt: Attempt) -> Iterator[str]:
    """The frozen text with its link as it was, for every link this treatment has had."""
    bodies = {attempt.body}
    if attempt.error_code == RESTORED:
        # What a forgotten call said depends on whether its gate was still ahead then.
        bodies.add(render(attempt.reminder, at=attempt.reminder.not_after).masked())
    for address in links.addresses_of(attempt.reminder.treatment):
        yield from (body.replace(links.masked_address(), address) for body in bodies)


def _look_again_or_end(attempt: Attempt, now: datetime) -> None:
    at = next_look(
        attempt.outcome,
        attempt.reminder.channel,
        answered=attempt.looks,
        began=attempt.ended_at or attempt.called_at,
        now=now,
    )
    Attempt.objects.filter(pk=attempt.pk).update(look_at=at)
    if at is not None:
        return
    if attempt.outcome == Attempt.Outcome.UNKNOWN:
        _absent(attempt, now)
    else:
        Reminder.objects.filter(
            pk=attempt.reminder_id, state__in=may_become(State.NO_RECEIPT)
        ).update(state=State.NO_RECEIPT, state_at=now)


def _absent(attempt: Attempt, now: datetime) -> None:
    """The provider has nothing of it: send it again if that is still useful."""
    reminder = attempt.reminder
    if reminder.channel != Channel.SMS:
        raise_concern(Concern.Kind.UNKNOWN, reminder=reminder, now=now)
        return
    Attempt.objects.filter(pk=attempt.pk).update(
        outcome=Attempt.Outcome.NOT_SENT, error_code="absent"
    )
    row = Reminder.objects.filter(pk=reminder.pk, state=State.UNKNOWN)
    if now <= reminder.not_after:
        row.update(state=State.PLANNED, state_at=now, claim=None)
    elif row.update(
        state=State.SKIPPED, state_at=now, skip_reason=Skip.NOT_USEFUL.value, claim=None
    ):
        raise_concern(Concern.Kind.UNKNOWN, reminder=reminder, now=now)
