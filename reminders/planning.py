"""plan(treatment): moments become rows, one for every rule, sent or not.

The same function plans a new treatment and plans it again after a correction: rows that have not
been handed to a provider move, the others stay as they are. What will not be sent is a row too,
`skipped` with its reason, so that the board can answer for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from patients.models import Patient, Treatment
from patients.models.patient import latest_consents, stopped_addresses
from patients.protocol import ConsentScope, ReminderRule, Session
from reminders.models import Reminder, State
from reminders.moments import Logged, Planned, Skip, plan_moments

MOVABLE = (
    "due_at", "leaves_at", "not_after", "gate_at", "treated_at", "state", "state_at", "skip_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What patients have agreed to and stopped: their side of a plan."""

    agreed: frozenset[tuple[int, str, str]]  # patient, scope, channel
    stopped: frozenset[tuple[int, str, str]]  # clinic, channel, address


def said_by(patients: Iterable[Patient]) -> Said:
    by_id = {patient.pk: patient for patient in patients}
    consents = latest_consents(by_id.keys()).filter(given=True)
    addresses = {patient.address(patient.channel) for patient in by_id.values()} - {""}
    clinics = {patient.clinic_id for patient in by_id.values()}
    return Said(
        frozenset(consents.values_list("patient_id", "scope", "channel")),
        frozenset(stopped_addresses(clinics, addresses)) if addresses else frozenset(),
    )


@transaction.atomic
def plan(
    treatment: Treatment,
    *,
    now: datetime,
    handover: bool = True,
    only: frozenset[str] | None = None,
) -> list[Reminder]:
    """Bring the treatment's reminders in line with its time, its plan and its patient.

    `handover=False` (an import) plans no handover text; `only`: no other rule's row is touched.
    Returns the rows as they now are.
    """
    # Locked: a claim either has the row already (it stays) or waits and sees the new plan. Repeats,
    # too: they are not planned anew, but what a claim took just now counts as announced.
    locked = Reminder.objects.select_for_update(no_key=True).filter(treatment=treatment)
    rows = [row for row in locked if row.occurrence == 1]
    existing = {row.rule: row for row in rows if row.channel == treatment.patient.channel}
    protocol = treatment.version.protocol
    handover_rule = next(rule.key for rule in protocol.reminders if rule.is_handover)
    handover_row = existing.get(handover_rule)
    desired = _rows(
        treatment,
        said_by([treatment.patient]),
        handover=handover if handover_row is None else _wants_handover(handover_row),
        handed_over=handover_row is not None and _is_out(handover_row),
        now=now,
    )
    gone_elsewhere = _leave_other_channels(rows, treatment.patient.channel, now)
    if only is not None:
        desired = [row for row in desired if row.rule in only]
    _save([row for row in desired if row.rule not in gone_elsewhere], existing)
    return list(treatment.reminders.order_by("due_at", "id"))


def plan_new(
    treatments: Iterable[Treatment], said: Said, *, now: datetime, handover: bool
) -> list[Reminder]:
    """The rows of new treatments, which have none yet; they are still to be saved.

    Each treatment with its id, patient, clinic and version. Asks the database nothing.
    """
    return [
        row
        for treatment in treatments
        for row in _rows(treatment, said, handover=handover, handed_over=False, now=now)
    ]


def withdraw(treatments: Iterable[Treatment | int], *, reason: Skip, now: datetime) -> None:
    """Skip whatever of these treatments has not been handed to a provider."""
    Reminder.objects.filter(treatment__in=list(treatments), state=State.PLANNED).update(
        state=State.SKIPPED, skip_reason=reason.value, state_at=now
    )


def settle_series(patients: Iterable[int], *, now: datetime) -> QuerySet[Treatment]:
    """Only each patient's newest treatment of a protocol has a plan that runs: stop the others'.

    Returns the newest ones, as `plan` wants them.
    """
    known = Treatment.objects.filter(patient__in=list(patients), voided_at=None)
    newest: dict[tuple[int, str], int] = {}
    earlier = []
    rows = known.order_by("-treated_at", "-id").values_list("pk", "patient_id", "version__key")
    for pk, patient, key in rows:
        if newest.setdefault((patient, key), pk) != pk:
            earlier.append(pk)
    withdraw(earlier, reason=Skip.LATER_TREATMENT, now=now)
    return (
        Treatment.objects.filter(pk__in=newest.values())
        .select_related("patient__clinic", "version")
        .defer("version__source")
        .order_by("id")
    )


def plan_again(patients: Iterable[Patient], channels: Iterable[str], *, now: datetime) -> None:
    """Messages come again by these channels: what is still ahead is planned again."""
    for treatment in settle_series([one.pk for one in patients], now=now):
        plan(treatment, now=now)
        _bring_back_asks(treatment, list(channels), now=now)


def _bring_back_asks(treatment: Treatment, channels: list[str], *, now: datetime) -> None:
    """What lies ahead beyond the plan, such as another ask after "not normal yet", and was skipped
    by a stop that is over.
    """
    treatment.reminders.filter(
        channel__in=channels,
        occurrence__gt=1,
        state=State.SKIPPED,
        skip_reason=Skip.OPTED_OUT.value,
        leaves_at__gt=now,
    ).update(state=State.PLANNED, skip_reason="", state_at=now)


def _leave_other_channels(rows: list[Reminder], channel: str, now: datetime) -> set[str]:
    """Stop what waits on a channel no longer chosen; the rules that have gone out on one."""
    others = [row for row in rows if row.channel != channel and row.again_of_id is None]
    waiting = [row.pk for row in others if row.state == State.PLANNED]
    if waiting:
        Reminder.objects.filter(pk__in=waiting).update(
            state=State.SKIPPED, skip_reason=Skip.OTHER_CHANNEL.value, state_at=now
        )
    return {row.rule for row in others if _is_out(row)}


def _is_out(row: Reminder) -> bool:
    return row.state not in (State.PLANNED, State.SKIPPED)


def _wants_handover(row: Reminder) -> bool:
    return row.skip_reason != Skip.NO_HANDOVER.value


def _standing_reason(treatment: Treatment, scope: ConsentScope, said: Said) -> Skip | None:
    """Why what needs this consent is not sent whatever its time."""
    patient = treatment.patient
    address = patient.address(patient.channel)
    if treatment.voided_at is not None:
        return Skip.VOIDED
    if not address:
        return Skip.NO_CONTACT
    if (patient.pk, scope.value, patient.channel) not in said.agreed:
        return Skip.NO_CONSENT
    if (patient.clinic_id, patient.channel, address) in said.stopped:
        return Skip.OPTED_OUT
    return None


def _rows(
    treatment: Treatment, said: Said, *, handover: bool, handed_over: bool, now: datetime
) -> list[Reminder]:
    """The rows a treatment should have, one for every rule."""
    protocol = treatment.version.protocol
    logged = Logged(
        treated_at=treatment.treated_at,
        logged_at=treatment.logged_at,
        now=now,
        zone=treatment.patient.tz,
        quiet=treatment.patient.clinic.quiet_hours,
        session=Session(treatment.session),
        handover=handover,
        handed_over=handed_over,
    )
    reasons = {scope: _standing_reason(treatment, scope, said) for scope in ConsentScope}
    return [
        _row(treatment, rule, one, reasons[rule.consent] or one.skip, now)
        for rule, one in zip(protocol.reminders, plan_moments(protocol, logged), strict=True)
    ]


def _row(
    treatment: Treatment, rule: ReminderRule, planned: Planned, skip: Skip | None, now: datetime
) -> Reminder:
    return Reminder(
        treatment_id=treatment.pk,
        rule=planned.rule,
        channel=treatment.patient.channel,
        due_at=planned.due_at,
        leaves_at=planned.due_at,
        not_after=planned.not_after,
        gate_at=planned.gate_at,
        treated_at=treatment.treated_at,
        state=State.SKIPPED if skip else State.PLANNED,
        state_at=now,
        urgent=rule.is_handover and treatment.import_file_id is None,
        skip_reason=skip.value if skip else "",
    )


def _save(desired: list[Reminder], existing: dict[str, Reminder]) -> None:
    new = [row for row in desired if row.rule not in existing]
    Reminder.objects.bulk_create(new)
    moved = []
    for row in desired:
        old = existing.get(row.rule)
        if old is None or _is_out(old):
            continue
        row.pk = old.pk
        moved.append(row)
    if moved:
        Reminder.objects.bulk_update(moved, MOVABLE)
