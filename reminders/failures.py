"""What follows a message that failed for good: another channel, one more try, a nurse.

Called by whoever learns of it: `dispatch` when the provider refuses, `receipts` when it says so
later. The patient's own number is never tried again with the same words where that was refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Max

from patients.models.patient import Channel, latest_consents, stopped_addresses
from reminders import circuits
from reminders.channels.codes import GLOBAL, Means
from reminders.concerns import alert_staff, raise_concern
from reminders.models import Attempt, Concern, Reminder, State
from reminders.optouts import stop

ONE_MORE_AFTER = timedelta(minutes=10)
FILTERED = "30007"
UNREPEATED = "unrepeated"
FILTERED_SHARE, FILTERED_AT_LEAST = 0.01, 5


def follow_up(reminder: Reminder, *, to: str, means: Means, code: str, now: datetime) -> None:
    """Do what can still be done for the patient, and put it before staff in any case.

    `to`: where it went; the patient may have another address by now. `reminder` needs its
    treatment, patient and clinic.
    """
    if means in GLOBAL:
        _wait_for_the_account(reminder, means, code, now)
        return
    if means is Means.OPTED_OUT:
        stop(reminder.treatment.patient.clinic, to, channel=reminder.channel, how="provider")
    repeated = means in (Means.ONCE_MORE, Means.NOT_KNOWN) and _try_once_more(reminder, now)
    if not repeated:
        _take_other_channel(reminder, now)
        raise_concern(Concern.Kind.FAILED, reminder=reminder, now=now, detail=code)
    if means is Means.NOT_KNOWN:
        words = f"A provider gave a code we do not know: {code}."
        alert_staff(reminder.treatment.patient.clinic, words, now=now)
    if means is Means.NEVER_SAME:
        _alert_if_filtered(reminder, now)


def give_up(repeat: Reminder, now: datetime) -> None:
    """A repeat that cannot leave any more: the failure it was to mend is before staff again.

    `repeat` needs its treatment, patient and clinic.
    """
    _take_other_channel(repeat, now)
    raise_concern(Concern.Kind.FAILED, reminder=repeat, now=now, detail=UNREPEATED)


def _wait_for_the_account(reminder: Reminder, means: Means, code: str, now: datetime) -> None:
    """Nobody's fault but the account's: its circuit opens, and the message goes once it closes."""
    patient = reminder.treatment.patient
    scope = circuits.scope_of(
        means,
        reminder.channel,
        circuits.sender_of(patient.clinic, reminder.channel),
        patient.address(reminder.channel),
    )
    closes_at = circuits.trip(scope, code=code, clinics=[patient.clinic], now=now)
    if not _repeat(reminder, now, at=closes_at):
        raise_concern(Concern.Kind.FAILED, reminder=reminder, now=now, detail=code)


def _try_once_more(reminder: Reminder, now: datetime) -> bool:
    """A second row, a little later; a repeat is not repeated."""
    return reminder.again_of_id is None and _repeat(reminder, now, at=now + ONE_MORE_AFTER)


def _repeat(reminder: Reminder, now: datetime, *, at: datetime) -> bool:
    if at > reminder.not_after:
        return False
    return _add(reminder, channel=reminder.channel, at=at, now=now)


def _take_other_channel(reminder: Reminder, now: datetime) -> bool:
    """The same message by the other way, where the patient agreed to it and can be reached."""
    patient = reminder.treatment.patient
    other = Channel.EMAIL if reminder.channel == Channel.SMS else Channel.SMS
    address = patient.address(other)
    rule = reminder.find_rule()
    agreed = any(
        row.given and row.scope == rule.consent.value and row.channel == other
        for row in latest_consents([patient.pk])
    )
    if not address or not agreed or now > reminder.not_after:
        return False
    if stopped_addresses([patient.clinic_id], [address]) & {(patient.clinic_id, other, address)}:
        return False
    if reminder.treatment.reminders.filter(rule=reminder.rule, channel=other).exists():
        return False
    return _add(reminder, channel=other, at=now, now=now)


def _add(reminder: Reminder, *, channel: str, at: datetime, now: datetime) -> bool:
    """Whether it was added: of two that fail at one moment, one takes the next number."""
    said = reminder.treatment.reminders.filter(rule=reminder.rule, channel=channel)
    last: int = said.aggregate(last=Max("occurrence"))["last"] or 0
    Reminder.objects.bulk_create(
        [
            Reminder(
                treatment=reminder.treatment,
                rule=reminder.rule,
                channel=channel,
                occurrence=last + 1,
                due_at=at,
                leaves_at=at,
                not_after=reminder.not_after,
                gate_at=reminder.gate_at,
                treated_at=reminder.treated_at,
                urgent=reminder.urgent,
                state=State.PLANNED,
                state_at=now,
                again_of=reminder,
                asked_by_id=reminder.asked_by_id,
                words=reminder.words,
            )
        ],
        ignore_conflicts=True,
    )
    return reminder.repeats.filter(channel=channel).exists()


def _alert_if_filtered(reminder: Reminder, now: datetime) -> None:
    """Carriers take our texts for spam: over one in a hundred in a day is told, once a day."""
    clinic = reminder.treatment.patient.clinic
    since = now - timedelta(days=1)
    sent = Attempt.objects.filter(
        called_at__gt=since, reminder__treatment__patient__clinic=clinic, reminder__channel="sms"
    )
    filtered = sent.filter(error_code=FILTERED).count()
    words = "Carriers take more than 1 in 100 of our texts for spam (code 30007)."
    if filtered >= max(FILTERED_AT_LEAST, FILTERED_SHARE * sent.count()):
        alert_staff(clinic, words, now=now)


def load(reminders: Sequence[int]) -> list[Reminder]:
    """Reminders with everything `follow_up` needs."""
    return list(
        Reminder.objects.filter(pk__in=reminders)
        .select_related("treatment__patient__clinic", "treatment__version")
        .defer("treatment__version__source")
    )
