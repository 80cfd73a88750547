"""Whether a due reminder may leave now: checked at the claim, whatever was right when planned.

Everything a batch needs is read once (`standing_of`); each row is then judged by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from patients.models import Consent, Patient, Treatment
from patients.models.answers import open_reports
from patients.models.patient import Channel, latest_consents, stopped_addresses
from patients.protocol import ReminderKind
from reminders import circuits
from reminders.models import LAST_MINUTE, Circuit, Concern, Reminder
from reminders.moments import Skip

# How soon what an open report holds back is looked at again; a nurse's close lets it go at once.
HELD_FOR = timedelta(minutes=10)
AT_THE_DESK = timedelta(hours=1)


class Hold(NamedTuple):
    """Not now: look again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom messages may reach: what people have agreed to, and who has stopped."""

    consents: frozenset[tuple[int, str, str]]  # patient, scope, channel: said yes
    stopped: frozenset[tuple[int, str, str]]  # clinic, channel, address: said stop


@dataclass(frozen=True, slots=True)
class Standing(Reach):
    """What is known, at this claim, of the people a batch is for."""

    superseded: frozenset[int]  # treatments that a later one replaced
    circuits: dict[circuits.Scope, Circuit]
    reporting: frozenset[int]  # patients with an open report of the emergency or page-now tier
    worried: frozenset[int]  # patients to be invited about whom a concern or report is open


def standing_of(due: list[Reminder]) -> Standing:
    patients = {row.treatment.patient_id: row.treatment.patient for row in due}
    consents = latest_consents(patients.keys())
    addresses = {row.treatment.patient.address(row.channel) for row in due}
    reporting = frozenset(
        open_reports(patients.keys()).values_list("treatment__patient", flat=True)
    )
    clinics = {patient.clinic_id for patient in patients.values()}
    return Standing(
        frozenset(consents.filter(given=True).values_list("patient_id", "scope", "channel")),
        frozenset(stopped_addresses(clinics, addresses)),
        frozenset(_superseded(patients.keys())),
        circuits.open_circuits(),
        reporting,
        reporting | _worried({row.treatment.patient_id for row in due if _may_invite(row)}),
    )


def reach_of(patients: Collection[Patient]) -> Reach:
    """Of these people, by either channel, in two questions."""
    addresses = {one.address(way) for one in patients for way in Channel} - {""}
    given = latest_consents({one.pk for one in patients}).filter(given=True)
    return Reach(
        frozenset(given.values_list("patient_id", "scope", "channel")),
        frozenset(stopped_addresses({one.clinic_id for one in patients}, addresses)),
    )


def reach_of_one(patient: Patient, consents: Iterable[Consent]) -> Reach:
    """The same of one, from rows of `consents_and_stops`, without a question of its own."""
    told = [(one, getattr(one, "stopped", False)) for one in consents]
    return Reach(
        frozenset((patient.pk, one.scope, one.channel) for one, _ in told if one.given),
        frozenset(
            (patient.clinic_id, one.channel, patient.address(one.channel))
            for one, stopped in told
            if stopped
        ),
    )


def refusal_of(patient: Patient, scope: str, channel: str, reach: Reach) -> Skip | None:
    """Why no message of this scope may go to the patient by this channel."""
    address = patient.address(channel)
    if not address:
        return Skip.NO_CONTACT
    if (patient.pk, scope, channel) not in reach.consents:
        return Skip.NO_CONSENT
    if (patient.clinic_id, channel, address) in reach.stopped:
        return Skip.OPTED_OUT
    return None


def _invites(row: Reminder) -> bool:
    return ReminderKind.INVITE in row.find_rule().kinds


def _may_invite(row: Reminder) -> bool:
    """For a whole batch: a row whose plan cannot be read must not stop the others."""
    try:
        return _invites(row)
    except Exception:  # noqa: BLE001 - whatever is broken, the row's own check says so
        return False


def _worried(patients: Iterable[int]) -> frozenset[int]:
    open_ = Concern.objects.filter(patient__among=patients, closed_at=None)
    return frozenset(open_.values_list("patient", flat=True))


def _superseded(patients: Iterable[int]) -> set[int]:
    newest: dict[tuple[int, str], int] = {}
    replaced = set()
    rows = (
        Treatment.objects.filter(patient__among=patients, voided_at=None)
        .order_by("-treated_at", "-id")
        .values_list("id", "patient_id", "version__key")
    )
    for pk, patient, key in rows:
        if newest.setdefault((patient, key), pk) != pk:
            replaced.add(pk)
    return replaced


def verdict_on(row: Reminder, standing: Standing, now: datetime) -> Skip | Hold | None:
    """Why this row is not sent now; None when it is."""
    treatment = row.treatment
    patient = treatment.patient
    rule = row.find_rule()
    address = patient.address(row.channel)
    if treatment.voided_at is not None:
        return Skip.VOIDED
    if treatment.pk in standing.superseded:
        return Skip.LATER_TREATMENT
    if refusal := refusal_of(patient, rule.consent.value, row.channel, standing):
        return refusal
    if now >= row.not_after + LAST_MINUTE:
        return Skip.NOT_USEFUL
    if rule.is_handover:
        late = None if _is_at_the_desk(row, now) else _quiet(row, now)
        return late or _refused(row, address, standing.circuits, now)
    if patient.pk in standing.reporting:
        return Hold(now + HELD_FOR)
    if _invites(row) and patient.pk in standing.worried:
        return Skip.CONCERN_OPEN
    waits = _quiet(row, now)
    return waits or _refused(row, address, standing.circuits, now)


def _is_at_the_desk(row: Reminder, now: datetime) -> bool:
    """Whether somebody waits for this handover, so that it may go at any hour."""
    return row.treatment.import_file_id is None and now - row.due_at <= AT_THE_DESK


def _quiet(row: Reminder, now: datetime) -> Skip | Hold | None:
    """What is late and comes up in quiet hours waits for their end, if it is still useful then."""
    patient = row.treatment.patient
    quiet = patient.clinic.quiet_hours
    if not quiet.covers(now, patient.tz):
        return None
    until = quiet.end_after(now, patient.tz)
    return Skip.QUIET_HOURS if until > row.not_after else Hold(until)


def _refused(
    row: Reminder, address: str, open_: dict[circuits.Scope, Circuit], now: datetime
) -> Hold | None:
    """A circuit is open on this row's way. One that is due to close lets one message try."""
    if not open_:
        return None
    clinic = row.treatment.patient.clinic
    sender = circuits.sender_of(clinic, row.channel)
    for scope in circuits.scopes_of(row.channel, sender, address):
        circuit = open_.get(scope)
        if circuit is None:
            continue
        if circuit.closes_at > now:
            return Hold(circuit.closes_at)
        circuit.closes_at = now + circuits.FIRST_PAUSE  # for the rest of this batch
    return None
