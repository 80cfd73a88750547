"""What a member of staff asks to be sent: the same message once more, or words of their own.

Each is a new row, and goes the one way everything goes: claimed, checked, sent, recorded. Nothing
is sent twice by a second press: the row it repeats is locked, and has one repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max, Q

from patients import audit
from patients.models import AuditAct, Patient, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.checks import Hold, Reach, reach_of, refusal_of, standing_of, verdict_on
from reminders.models import ANSWER, InboundText, Reminder, State
from reminders.moments import Skip
from reminders.state_words import SKIPPED_WHY

AT_THE_DESK = timedelta(hours=1)  # after logging the patient may still stand there
JUST_WROTE = timedelta(hours=2)  # whoever has written so lately waits for an answer
SAME_WORDS = timedelta(minutes=10)
PAGE_FOR = timedelta(days=1)
SPENT = "What it says is over by now. Call, or answer in your own words."
MOVED = "It was meant for the time before the correction. Answer in your own words."
ON_ITS_WAY = frozenset({State.PLANNED, State.SENDING})


# What may have changed since it was skipped: a number added, messages agreed to or started again.
MENDABLE = frozenset({Skip.NO_CONTACT, Skip.NO_CONSENT, Skip.OPTED_OUT, Skip.CONCERN_OPEN})
DID_NOT_ARRIVE = frozenset({State.FAILED, State.NO_RECEIPT, State.UNKNOWN})


class NotSentAgain(ValueError):
    """It is not sent; the text says why, for whoever asked."""


def ways_again(reminder: Reminder, *, now: datetime) -> list[Channel]:
    """By which channels it is worth asking for it once more; its own channel first."""
    handover = reminder.rule != ANSWER and reminder.find_rule().is_handover
    state = State(reminder.state)
    # What is still ahead would leave too early.
    mendable = (
        state is State.SKIPPED and Skip(reminder.skip_reason) in MENDABLE and reminder.due_at <= now
    )
    missed = state in DID_NOT_ARRIVE or mendable
    lost = handover and state in (State.SENT, State.DELIVERED)
    useful = handover or now <= reminder.not_after
    if not useful or not (missed or lost):
        return []
    patient = reminder.treatment.patient
    own_first = sorted(Channel, key=lambda channel: channel != reminder.channel)
    return [channel for channel in own_first if patient.address(channel)]


class Again(NamedTuple):
    """How it can be sent once more; `refused`: why by no way, though it is worth asking for;
    `closed`: why not by each of the other ways.
    """

    ways: tuple[Channel, ...] = ()
    refused: Skip | None = None
    closed: Mapping[Channel, Skip] = MappingProxyType({})


def agains_of(
    reminders: Iterable[Reminder], *, now: datetime, reach: Reach | None = None
) -> dict[int, Again]:
    """For each what is worth asking for and would not be refused: what cannot be is not offered."""
    worth = [(one, ways) for one in reminders if (ways := ways_again(one, now=now))]
    if not worth:
        return {}
    reach = reach or reach_of([one.treatment.patient for one, _ in worth])
    return {one.pk: _again(one, ways, reach) for one, ways in worth}


def _again(reminder: Reminder, worth: list[Channel], reach: Reach) -> Again:
    patient, scope = reminder.treatment.patient, reminder.find_rule().consent.value
    verdicts = {way: refusal_of(patient, scope, way, reach) for way in Channel}
    closed = {way: why for way, why in verdicts.items() if why}
    ways = tuple(way for way in worth if way not in closed)
    return Again(ways, None if ways else closed[worth[0]], closed)


@transaction.atomic
def send_again(*, reminder: Reminder, channel: str, by: StaffUser, now: datetime) -> Reminder:
    """Plan the same message once more, by either channel. Raises `NotSentAgain`."""
    first = _lock(reminder)
    if first.repeats.exists():
        raise NotSentAgain("It has been sent again already, by a colleague or by itself.")
    if State(first.state) in ON_ITS_WAY:
        raise NotSentAgain("It is still on its way.")
    handover = first.find_rule().is_handover
    if first.treated_at != first.treatment.treated_at and not handover:
        raise NotSentAgain(MOVED)
    if now > first.not_after and not handover:
        raise NotSentAgain(SPENT)
    row = _row(first.treatment, first.rule, channel, by, now)
    row.not_after = now + PAGE_FOR if handover else first.not_after
    row.gate_at, row.urgent, row.again_of = first.gate_at, first.urgent, first
    row.words = first.words
    if handover and now > first.treatment.logged_at + AT_THE_DESK:
        row.leaves_at = _past_quiet_hours(first.treatment.patient, now)
    return _save(row, now, AuditAct.SENT)


class SentAgain(NamedTuple):
    """How many were sent, whose were not and why, and how many were `left` for another time."""

    sent: int
    refused: dict[str, list[str]]
    left: int


def send_all_again(
    reminders: Collection[Reminder], *, channel: str, by: StaffUser, now: datetime, most: int
) -> SentAgain:
    """Each of these once more, until `most` were sent."""
    sent, tried, refused = 0, 0, dict[str, list[str]]()
    for reminder in reminders:
        if sent == most:
            break
        tried += 1
        try:
            send_again(reminder=reminder, channel=channel, by=by, now=now)
            sent += 1
        except NotSentAgain as why:
            refused.setdefault(str(why), []).append(reminder.treatment.patient.full_name)
    return SentAgain(sent, refused, len(reminders) - tried)


@transaction.atomic
def answer(
    *, treatment: Treatment, channel: str, words: str, by: StaffUser, now: datetime
) -> Reminder:
    """Send staff's own words to the patient. Raises `NotSentAgain`."""
    patient = Patient.objects.select_for_update(no_key=True).get(pk=treatment.patient_id)
    newest = patient.treatments.filter(voided_at=None).order_by("-treated_at", "-id").first()
    said = Reminder.objects.filter(treatment__patient=patient, rule=ANSWER, words=words)
    if said.filter(due_at__gt=now - SAME_WORDS).exists():
        raise NotSentAgain("These very words are on their way already.")
    if newest is None:
        raise NotSentAgain("The treatment was voided: call instead.")
    row = _row(_whole(newest), ANSWER, channel, by, now)
    row.not_after, row.urgent, row.words = now + timedelta(hours=24), True, words
    if not _just_wrote(patient, now):
        row.leaves_at = _past_quiet_hours(row.treatment.patient, now)
    return _save(row, now, AuditAct.ANSWERED)


def _lock(reminder: Reminder) -> Reminder:
    rows = Reminder.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("treatment__patient__clinic", "treatment__version").get(
        pk=reminder.pk
    )


def _whole(treatment: Treatment) -> Treatment:
    return Treatment.objects.select_related("patient__clinic", "version").get(pk=treatment.pk)


def _row(treatment: Treatment, rule: str, channel: str, by: StaffUser, now: datetime) -> Reminder:
    said = treatment.reminders.filter(rule=rule, channel=channel)
    last: int = said.aggregate(last=Max("occurrence"))["last"] or 0
    return Reminder(
        treatment=treatment,
        rule=rule,
        channel=Channel(channel).value,
        occurrence=last + 1,
        due_at=now,
        leaves_at=now,
        treated_at=treatment.treated_at,
        state=State.PLANNED,
        state_at=now,
        asked_by=by,
    )


def _save(row: Reminder, now: datetime, act: AuditAct) -> Reminder:
    """Unless the claim would refuse it: then whoever asked is told now."""
    verdict = verdict_on(row, standing_of([row]), now)
    if isinstance(verdict, Skip):
        raise NotSentAgain(SPENT if verdict is Skip.NOT_USEFUL else SKIPPED_WHY[verdict])
    if isinstance(verdict, Hold):
        row.leaves_at = max(row.leaves_at, verdict.until)
    row.save(force_insert=True)
    patient, about = row.treatment.patient, f"reminder {row.pk}, by {row.channel}"
    audit.record(act, clinic=patient.clinic_id, by=row.asked_by, patients=[patient], about=about)
    return row


def _past_quiet_hours(patient: Patient, now: datetime) -> datetime:
    quiet = patient.clinic.quiet_hours
    return quiet.end_after(now, patient.tz) if quiet.covers(now, patient.tz) else now


def _just_wrote(patient: Patient, now: datetime) -> bool:
    texts = InboundText.objects.filter(
        Q(clinic=patient.clinic_id) | Q(clinic=None), from_address=patient.address("sms")
    )
    return texts.filter(received_at__gt=now - JUST_WROTE).exists()
