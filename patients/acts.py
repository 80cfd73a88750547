"""What a patient does on the personal page: each act is a row, and nothing is sent from here.

An `Act` is written in the transaction of what it tells of; reminders takes it up with its next
tick. Pressed twice, each of them is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from patients import audit, links
from patients.models import (
    Act,
    AuditAct,
    AuditRow,
    CheckIn,
    OptOut,
    Patient,
    Reading,
    Report,
    Treatment,
)
from patients.models.patient import Channel, standing_stops
from patients.protocol import TierAction

# A second press, or a page sent again after a bad connection, is the same report.
SAME_WITHIN = timedelta(minutes=10)
# How a stop or a start came: on the page, or from the mail program.
ON_PAGE, ONE_CLICK = "on the page", "one click"
UNDONE_ON_PAGE = frozenset({ON_PAGE, ONE_CLICK})
OPEN_AT_MOST = 10  # a nurse has been called often enough; the page says the same


@transaction.atomic
def report_signs(
    *, treatment: Treatment, tier: TierAction, signs: Iterable[str], now: datetime
) -> None:
    """Keep the ticked signs under their tier, for a nurse to see."""
    # Two presses, one after another.
    Treatment.objects.select_for_update(no_key=True).get(pk=treatment.pk)
    ticked = sorted(signs)
    open_ = list(Report.objects.filter(treatment=treatment, closed_at=None))
    if len(open_) >= OPEN_AT_MOST or any(
        one.tier == tier and one.signs == ticked and now - one.opened_at < SAME_WITHIN
        for one in open_
    ):
        return
    report = Report.objects.create(treatment=treatment, tier=tier, signs=ticked, opened_at=now)
    _act(treatment, Act.Kind.REPORT, now, report=report)


@transaction.atomic
def answer(
    *,
    treatment: Treatment,
    rule: str,
    feels_normal: bool,
    trend: str,
    wants_call: bool,
    now: datetime,
) -> None:
    """Keep the answers to one check-in."""
    Treatment.objects.select_for_update(no_key=True).get(pk=treatment.pk)
    said = {"feels_normal": feels_normal, "trend": trend, "wants_call": wants_call}
    same = treatment.check_ins.filter(rule=rule, answered_at__gt=now - SAME_WITHIN, **said)
    if same.exists():
        return
    check_in = CheckIn.objects.create(treatment=treatment, rule=rule, answered_at=now, **said)
    _act(treatment, Act.Kind.CHECK_IN, now, check_in=check_in)


def mark_read(*, treatment: Treatment, now: datetime) -> None:
    """ "I have read this": the first press counts."""
    Reading.objects.bulk_create([Reading(treatment=treatment, read_at=now)], ignore_conflicts=True)


@transaction.atomic
def disown(*, treatment: Treatment, now: datetime) -> None:
    """The page reached somebody else: nothing more goes there, and no link opens any more."""
    patient = treatment.patient
    stop_messages(treatment=treatment, kind=Act.Kind.NOT_ME, now=now)
    for one in patient.treatments.select_related("patient__clinic", "version"):
        links.revoke(one, role=AuditRow.Who.PATIENT)


@transaction.atomic
def stop_messages(*, treatment: Treatment, now: datetime, kind: Act.Kind = Act.Kind.STOP) -> None:
    """No more texts and no more mails to this patient's addresses; in force at once."""
    patient = treatment.patient
    _lock_reached(patient)
    ways = [channel for channel in Channel if patient.address(channel)]
    how = ON_PAGE if kind == Act.Kind.STOP else kind
    _record(patient, ways, stopped=True, how=how, now=now)
    _act(treatment, kind, now)


@transaction.atomic
def start_messages(*, treatment: Treatment, now: datetime) -> None:
    """Messages again after a stop on the page or in a mail program. A stop by text is undone by
    text: the provider itself holds that one, and lets nothing through until START comes from
    the phone.
    """
    patient = treatment.patient
    _lock_reached(patient)
    ways = [channel for channel, how in stops_of(patient).items() if how in UNDONE_ON_PAGE]
    if ways:
        _record(patient, ways, stopped=False, how=ON_PAGE, now=now)
        _act(treatment, Act.Kind.START, now)


def stops_of(patient: Patient) -> dict[str, str]:
    """The channels that are stopped for this patient, each with how it was stopped."""
    addresses = {channel.value: patient.address(channel) for channel in Channel}
    stops = standing_stops([patient.clinic_id], [one for one in addresses.values() if one])
    return {row.channel: row.how for row in stops if row.address == addresses[row.channel]}


def _lock_reached(patient: Patient) -> None:
    """Everybody at these addresses. The claim locks these rows too: a stop and a send cannot
    cross. In the order in which a text locks them, so that the two never wait for each other.
    """
    reached = Q(phone=patient.phone) if patient.phone else Q()
    reached |= Q(email__iexact=patient.email) if patient.email else Q(pk=patient.pk)
    rows = Patient.objects.select_for_update(no_key=True).filter(reached, clinic=patient.clinic)
    list(rows.order_by("pk"))


def _record(
    patient: Patient, ways: Iterable[str], *, stopped: bool, how: str, now: datetime
) -> None:
    OptOut.objects.bulk_create(
        OptOut(
            clinic=patient.clinic,
            channel=channel,
            address=patient.address(channel),
            stopped=stopped,
            how=how,
            recorded_at=now,
        )
        for channel in ways
    )
    audit.record(
        AuditAct.STOPPED if stopped else AuditAct.STARTED,
        clinic=patient.clinic_id,
        role=AuditRow.Who.PATIENT,
        patients=[patient],
        about=how,
    )


@transaction.atomic
def choose(
    *, treatment: Treatment, channel: str, language: str, wants_details: bool, now: datetime
) -> None:
    """How the patient wants to be reached, in which language, in which wording."""
    patient = Patient.objects.select_for_update(no_key=True).get(pk=treatment.patient_id)
    moved = patient.channel != channel
    patient.channel, patient.language, patient.wants_details = channel, language, wants_details
    patient.save(update_fields=["channel", "language", "wants_details"])
    if moved:
        _act(treatment, Act.Kind.CHANNEL, now)


def _act(
    treatment: Treatment,
    kind: Act.Kind,
    now: datetime,
    *,
    report: Report | None = None,
    check_in: CheckIn | None = None,
) -> None:
    Act.objects.create(
        treatment=treatment, kind=kind, report=report, check_in=check_in, done_at=now
    )
