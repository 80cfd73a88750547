"""Log a treatment: its patient, consents and whole plan in one transaction, then the bell rings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from patients import audit, links, words
from patients.models import (
    AuditAct,
    AuditRow,
    Clinic,
    Consent,
    Patient,
    ProtocolVersion,
    StaffUser,
    Treatment,
)
from patients.models.patient import Channel
from patients.protocol import ConsentScope, Session
from reminders.bell import ring
from reminders.consent_words import wording_in
from reminders.planning import plan, settle_series

FUTURE_ALLOWED = timedelta(minutes=5)
ASK_AFTER = timedelta(hours=12)
REFUSE_AFTER = timedelta(days=30)
SAME_TREATMENT_WITHIN = timedelta(hours=4)
DETAILS = (
    "first_name", "last_name", "phone", "email", "channel", "language", "zone", "wants_details",
)  # fmt: skip


class TreatmentRefused(ValueError):
    """The treatment cannot be logged like this; the text says why, for the person at the desk."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the patient said yes to, and how it was recorded."""

    recovery: bool
    rebooking: bool
    how: Consent.How = Consent.How.DESK


def log_treatment(
    *,
    patient: Patient,
    version: ProtocolVersion,
    treated_at: datetime,
    session: Session,
    agreed: Agreed,
    form_key: UUID,
    by: StaffUser | None,
    practitioner: str = "",
    handover: bool = True,
    now: datetime | None = None,
) -> tuple[Treatment, bool]:
    """Save the treatment with its consents and its whole plan; (treatment, whether it is new).

    `patient` may be unsaved. The same `form_key` twice is one treatment. Raises
    `TreatmentRefused` for a time in the future or more than 30 days back. The questions (over
    12 hours ago, the same person within 4 hours) are the desk's to ask: `questions`.
    """
    now = now or timezone.now()
    check_time(treated_at, now)
    try:
        with transaction.atomic():
            acts = list(_acts(patient))
            patient.save()
            treatment = Treatment(
                patient=patient,
                version=version,
                treated_at=treated_at,
                session=session.value,
                practitioner=practitioner,
                logged_at=now,
                logged_by=by,
                form_key=form_key,
            )
            links.prepare(treatment)
            treatment.save(force_insert=True)
            record_consents(patient, agreed, Channel, by=by, now=now)
            _record(treatment, *acts, by=by)
            plan(treatment, now=now, handover=handover)
            settle_series([patient.pk], now=now)
            transaction.on_commit(ring)
    except IntegrityError:
        earlier = Treatment.objects.filter(form_key=form_key).first()
        if earlier is None:
            raise
        return earlier, False
    return treatment, True


def _acts(patient: Patient) -> Iterator[AuditAct]:
    """What logging a treatment of this patient is, as the trail says it."""
    if patient.pk is None:
        yield AuditAct.ADDED
    elif not Patient.objects.filter(
        pk=patient.pk, **{name: getattr(patient, name) for name in DETAILS}
    ).exists():
        yield AuditAct.DETAILS
    yield from (AuditAct.LOGGED, AuditAct.LINK_ISSUED)
    if any(patient.address(channel) for channel in Channel):
        yield AuditAct.CONSENT


def _record(treatment: Treatment, *acts: AuditAct, by: StaffUser | None) -> None:
    audit.record(
        *acts,
        clinic=treatment.patient.clinic_id,
        by=by,
        role="" if by else AuditRow.Who.SYSTEM,
        patients=[treatment.patient_id],
        about=f"treatment {treatment.pk}",
    )


def check_time(treated_at: datetime, now: datetime) -> None:
    if treated_at > now + FUTURE_ALLOWED:
        raise TreatmentRefused("That time is in the future. When did the treatment end?")
    if is_over(treated_at, now):
        raise TreatmentRefused(
            "That is more than 30 days ago. The plan is over: nothing is left to remind of."
        )


def is_over(treated_at: datetime, now: datetime) -> bool:
    """Whether it was so long ago that nothing is left to plan."""
    return treated_at < now - REFUSE_AFTER


def questions(
    *, patient: Patient, version: ProtocolVersion, treated_at: datetime, now: datetime
) -> list[str]:
    """What the desk should be asked before this is saved; empty when nothing looks odd."""
    asked = []
    if treated_at < now - ASK_AFTER:
        asked.append("That is more than 12 hours ago. Is the time right?")
    if patient.pk and (same := _same_within_hours(patient, version, treated_at)):
        at = words.clock(same.logged_at.astimezone(patient.clinic.tz), "en")
        who = f"{same.logged_by.name} logged one at {at}. " if same.logged_by else ""
        asked.append(
            f"{who}This patient has the same treatment within 4 hours of that. "
            "Is this a second one?"
        )
    return asked


def newest_versions(clinic: Clinic) -> dict[str, ProtocolVersion]:
    """The version to log by, for each of the clinic's protocols."""
    versions = clinic.protocol_versions.defer("source").order_by("key", "number")
    return {version.key: version for version in versions}


def queue_at_desk(clinic: Clinic, patient: Patient | None) -> Patient | None:
    """Within a transaction: whoever logs the same patient, or anybody new, waits until it ends.

    Returns the patient's row as it now is.
    """
    if patient is None:
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        return None
    return Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)


def guess_session(patient: Patient, protocol_key: str) -> Session:
    """Which session of the series comes next, by what was logged before."""
    if patient.pk is None:
        return Session.FIRST
    last = links.newest_of(patient, protocol_key)
    if last is None:
        return Session.FIRST
    order = list(Session)
    return order[min(order.index(Session(last.session)) + 1, len(order) - 1)]


def record_consents(
    patient: Patient,
    agreed: Agreed,
    channels: Iterable[Channel],
    *,
    by: StaffUser | None,
    now: datetime,
) -> None:
    """One row per scope and channel that reaches the patient; a "no" is recorded as well."""
    reaching = [channel for channel in channels if patient.address(channel)]
    said = {ConsentScope.RECOVERY: agreed.recovery, ConsentScope.REBOOKING: agreed.rebooking}
    Consent.objects.bulk_create(
        Consent(
            patient=patient,
            scope=scope.value,
            channel=channel,
            given=given,
            wording=wording_in(patient.language),
            how=agreed.how,
            recorded_by=by,
            recorded_at=now,
        )
        for scope, given in said.items()
        for channel in reaching
    )


def _same_within_hours(
    patient: Patient, version: ProtocolVersion, treated_at: datetime
) -> Treatment | None:
    same = Treatment.objects.filter(
        patient=patient,
        version__key=version.key,
        voided_at=None,
        treated_at__gt=treated_at - SAME_TREATMENT_WITHIN,
        treated_at__lt=treated_at + SAME_TREATMENT_WITHIN,
    )
    return same.select_related("logged_by").order_by("-logged_at").first()
