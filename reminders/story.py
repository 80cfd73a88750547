"""One treatment's whole story: every reminder with what was said, tried and answered, in words.

Times are local to the patient. Texts come out as they were stored, the personal link masked; what
is still planned is written by the one renderer for the moment it is to leave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from patients import words
from patients.models import Patient, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.again import DID_NOT_ARRIVE, Again, agains_of
from reminders.amending import correct_time
from reminders.checks import Reach
from reminders.fields import masked
from reminders.messages import render
from reminders.models import ANSWER, Attempt, Reminder, State
from reminders.moments import Skip
from reminders.provider_errors import ProviderError, explain
from reminders.state_words import CHANNELS, LOOKS, SKIPPED_WHY, Look

# What a clinician has still to read of a protocol.
REVIEWED = {"signs": "Warning signs", "en": "English texts", "es": "Spanish texts"}
PUT_RIGHT = "It has been corrected since."
OUTCOMES = {
    Attempt.Outcome.OPEN: "is being sent",
    Attempt.Outcome.ACCEPTED: "taken by the provider",
    Attempt.Outcome.REJECTED: "refused by the provider",
    Attempt.Outcome.NOT_SENT: "not sent, tried again later",
    Attempt.Outcome.UNKNOWN: "no clear answer",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One receipt: the provider's own word and when it came."""

    status: str
    when: str


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt. `said` has the link masked."""

    when: str
    outcome: str
    to: str
    subject: str
    said: str
    provider_id: str
    code: str
    error: ProviderError | None
    heard: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One reminder. `preview`: what it will say, if it is still to leave."""

    name: str
    look: Look
    when: str
    why: str
    channel: str
    earlier: str
    preview: str
    tries: tuple[Try, ...]
    pk: int
    again: tuple[Way, ...]
    asked_by: str


@dataclass(frozen=True, slots=True)
class Way:
    """A channel by which it can be sent once more, and the button's words."""

    channel: str
    words: str


@dataclass(frozen=True, slots=True)
class Move:
    """What a correction does to one reminder; `old` is empty for a new one."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Address:
    channel: str
    shown: str


def addresses(patient: Patient) -> list[Address]:
    """How the patient is reached, masked; the chosen channel first."""
    channels = sorted(Channel, key=lambda channel: channel != patient.channel)
    return [
        Address(channel.value, masked(channel, patient.address(channel)))
        for channel in channels
        if patient.address(channel)
    ]


def facts(treatment: Treatment, *, now: datetime) -> list[Fact]:
    """What was logged, in the order one asks for it."""
    patient, version = treatment.patient, treatment.version
    logged = said(treatment.logged_at, patient, now)
    by = f" by {treatment.logged_by.name}" if treatment.logged_by else ""
    zone = patient.tz.key
    return [
        Fact("Treatment", version.protocol.words("en").name),
        Fact("It ended", said(treatment.treated_at, patient, now)),
        Fact("Session", treatment.get_session_display()),
        Fact("Treated by", treatment.practitioner or "not noted"),
        Fact("Logged", logged + by),
        Fact("Plan", f"version {version.number}"),
        *(Fact(REVIEWED.get(one.of, one.of), one.waits_for) for one in version.protocol.reviews),
        Fact("All times", f"{zone}, the patient’s" if patient.zone else f"{zone}, the clinic’s"),
    ]


def lines(
    treatment: Treatment,
    reminders: Iterable[Reminder],
    *,
    now: datetime,
    reach: Reach | None = None,
) -> list[Line]:
    """Every reminder of the treatment in order. Needs attempts and receipts prefetched."""
    rows = list(reminders)
    repeated = {row.again_of_id for row in rows}
    for row in rows:
        row.treatment = treatment
    last = [] if treatment.voided_at else [row for row in rows if row.pk not in repeated]
    agains = agains_of(last, now=now, reach=reach)
    return [_line(treatment, row, agains.get(row.pk, Again()), now) for row in rows]


def _line(treatment: Treatment, reminder: Reminder, again: Again, now: datetime) -> Line:
    patient = treatment.patient
    state = State(reminder.state)
    sent_for_another_time = reminder.treated_at != treatment.treated_at
    out = state not in (State.PLANNED, State.SKIPPED)
    return Line(
        name=name_of(reminder),
        look=LOOKS[state],
        when=_when(reminder, patient, now),
        why=_why(reminder, again, patient),
        channel=reminder.channel,
        earlier=said(reminder.treated_at, patient, now) if out and sent_for_another_time else "",
        preview=_preview(reminder) if state == State.PLANNED else "",
        tries=tuple(_try(attempt, reminder, now) for attempt in reminder.attempts.all()),
        pk=reminder.pk,
        again=ways_of(reminder, again),
        asked_by=reminder.asked_by.name if reminder.asked_by else "",
    )


def ways_of(reminder: Reminder, again: Again) -> tuple[Way, ...]:
    """How to send it once more, each a button."""
    more = "" if reminder.state == State.SKIPPED else "again "
    return tuple(
        Way(way.value, f"Send {more if way == reminder.channel else ''}{CHANNELS[way.value]}")
        for way in again.ways
    )


def name_of(reminder: Reminder) -> str:
    """The reminder's name for staff, in the protocol's own words."""
    if reminder.rule == ANSWER:
        return "Answer"
    return reminder.treatment.version.protocol.words("en").reminders[reminder.rule].name


def said(at: datetime, patient: Patient, now: datetime) -> str:
    """`3:05 pm today`, on the patient's clock."""
    return words.moment(at.astimezone(patient.tz), now.astimezone(patient.tz), "en")


def _when(reminder: Reminder, patient: Patient, now: datetime) -> str:
    if reminder.state == State.PLANNED:
        return _plan_words(reminder, patient, now)
    if reminder.state == State.SKIPPED:
        return f"was for {said(reminder.due_at, patient, now)}"
    return said(reminder.state_at, patient, now)


def _plan_words(reminder: Reminder, patient: Patient, now: datetime) -> str:
    at = said(reminder.leaves_at, patient, now)
    if reminder.gate_at is None or reminder.gate_at <= reminder.leaves_at:
        return at
    leaves, gate = (one.astimezone(patient.tz) for one in (reminder.leaves_at, reminder.gate_at))
    near = leaves.date() == gate.date()
    until = words.clock(gate, "en") if near else said(reminder.gate_at, patient, now)
    return f"told {at}: wait until {until}"


def _why(reminder: Reminder, again: Again, patient: Patient) -> str:
    if again.refused and reminder.state in DID_NOT_ARRIVE:
        return SKIPPED_WHY[again.refused]  # so nothing can be pressed beside it
    if reminder.state == State.SKIPPED:
        return SKIPPED_WHY[Skip(reminder.skip_reason)]
    if reminder.state == State.PLANNED and reminder.leaves_at > reminder.due_at:
        waited = "It could not leave" if reminder.attempts.all() else "Quiet hours held it back"
        return f"{waited} at {words.clock(reminder.due_at.astimezone(patient.tz), 'en')}."
    return ""


def _preview(reminder: Reminder) -> str:
    rendered = render(reminder, at=reminder.leaves_at)
    return rendered.masked()


def _try(attempt: Attempt, reminder: Reminder, now: datetime) -> Try:
    patient = reminder.treatment.patient
    receipts, outcome = list(attempt.receipts.all()), Attempt.Outcome(attempt.outcome)
    # A call that broke off may turn out to have been taken: its code stays, and is no failure.
    taken = outcome is Attempt.Outcome.ACCEPTED and reminder.state != State.FAILED
    failed = attempt.error_code if not taken else ""
    error = explain(failed, reminder.channel) if failed else None
    if error and error.is_wrong_address and attempt.to_address != patient.address(reminder.channel):
        error = replace(error, do=PUT_RIGHT)
    return Try(
        when=said(attempt.called_at, patient, now),
        outcome=OUTCOMES[outcome],
        to=masked(reminder.channel, attempt.to_address),
        subject=attempt.subject,
        said=attempt.body,
        provider_id=receipts[0].provider_id if receipts else "",
        code=attempt.error_code,
        error=error,
        heard=tuple(
            Heard(receipt.status, said(receipt.received_at, patient, now)) for receipt in receipts
        ),
    )


def preview_correction(
    *, treatment: Treatment, treated_at: datetime, by: StaffUser, now: datetime
) -> list[Move]:
    """Exactly what correcting the time would move: the correction itself, made and taken back."""
    series = Reminder.objects.filter(
        treatment__patient=treatment.patient, treatment__version__key=treatment.version.key
    ).select_related("treatment__patient__clinic", "treatment__version")
    series = series.defer("treatment__version__source").order_by("due_at", "id")
    before = {reminder.pk: _stand(reminder, now) for reminder in series}
    with transaction.atomic():
        fresh = Treatment.objects.select_related("patient__clinic", "version").get(pk=treatment.pk)
        correct_time(treatment=fresh, treated_at=treated_at, reason="preview", by=by)
        after = [(one.pk, name_of(one), _stand(one, now)) for one in series.all()]
        transaction.set_rollback(True)
    return [
        Move(name, before.get(pk, ""), stand)
        for pk, name, stand in after
        if before.get(pk) != stand
    ]


def _stand(reminder: Reminder, now: datetime) -> str:
    """Where a reminder stands in one phrase; two phrases differ if anything visible moved."""
    patient = reminder.treatment.patient
    if reminder.state == State.PLANNED:
        return _plan_words(reminder, patient, now)
    if reminder.state == State.SKIPPED:
        why = SKIPPED_WHY[Skip(reminder.skip_reason)]
        return f"not sent. {why}"
    return f"{LOOKS[State(reminder.state)].word.lower()} {said(reminder.state_at, patient, now)}"
