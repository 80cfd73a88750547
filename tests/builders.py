"""Small builders: the rows most tests begin with. Keyword-only; what is not said is ordinary.

Numbers are from the range reserved for fiction (+1 202 555 01xx).
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.utils import timezone

from patients.models import Clinic, Patient, ProtocolVersion, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from patients.models.protocol_version import newest_version, publish_shipped
from patients.protocol import Session
from reminders.amending import void_treatment
from reminders.models import Attempt, Receipt, Reminder, State
from reminders.treatments import Agreed, log_treatment

OFFICE = "+18553837546"
NURSE = "+12025550155"  # of a clinic with another number after hours
SENDER = "+12025550100"
PASSWORD = "a-password-of-the-tests"


def make_clinic(
    *,
    name: str = "Lakeside Skin Clinic",
    slug: str = "lakeside",
    sms_name: str = "Lakeside Skin",
    zone: str = "America/Chicago",
    sms_sender: str = SENDER,
    opening_hours: dict[str, list[str]] | None = None,
    after_hours_phone: str = OFFICE,
) -> Clinic:
    """A clinic with the shipped protocol published as its version 1."""
    clinic = Clinic.objects.create(
        name=name,
        slug=slug,
        sms_name=sms_name,
        zone=zone,
        office_phone=OFFICE,
        after_hours_phone=after_hours_phone,
        sms_sender=sms_sender,
        opening_hours=opening_hours or {},
    )
    publish_shipped(clinic)
    clinic.refresh_from_db()
    return clinic


def make_staff(
    *,
    clinic: Clinic,
    role: Role = Role.DESK,
    name: str = "Dana Ruiz",
    email: str = "",
    password: str = PASSWORD,
) -> StaffUser:
    """Signs in with `desk@lakeside.example` (role, clinic's slug) and `PASSWORD`."""
    address = email or f"{role.value}@{clinic.slug}.example"
    return StaffUser.objects.create_user(
        address, password, name=name, clinic=clinic, role=role.value
    )


def make_patient(
    *,
    clinic: Clinic,
    first_name: str = "Maria",
    last_name: str = "Gomez",
    phone: str = "+12025550146",
    email: str = "",
    channel: Channel = Channel.SMS,
    language: str = "en",
    zone: str = "",
    wants_details: bool = False,
) -> Patient:
    return Patient.objects.create(
        clinic=clinic,
        first_name=first_name,
        last_name=last_name,
        phone=phone,
        email=email,
        channel=channel.value,
        language=language,
        zone=zone,
        wants_details=wants_details,
    )


def shipped(clinic: Clinic) -> ProtocolVersion:
    version = newest_version(clinic, "microneedling")
    assert version is not None
    return version


def log(
    *,
    patient: Patient,
    treated_at: datetime | None = None,
    logged_at: datetime | None = None,
    session: Session = Session.FIRST,
    recovery: bool = True,
    rebooking: bool = True,
    version: ProtocolVersion | None = None,
    by: StaffUser | None = None,
) -> Treatment:
    """A treatment with its plan, agreed to and logged at the moment it ended (now, if unsaid)."""
    ended_at = treated_at or logged_at or timezone.now()
    treatment, _ = log_treatment(
        patient=patient,
        version=version or shipped(patient.clinic),
        treated_at=ended_at,
        session=session,
        agreed=Agreed(recovery=recovery, rebooking=rebooking),
        form_key=uuid.uuid4(),
        by=by,
        now=logged_at or ended_at,
    )
    return treatment


def void(treatment: Treatment, *, by: StaffUser, reason: str = "Wrong patient") -> None:
    void_treatment(treatment=treatment, reason=reason, by=by)


def reminder_of(treatment: Treatment, rule: str) -> Reminder:
    return Reminder.objects.get(treatment=treatment, rule=rule)


def set_state(reminder: Reminder, state: State, *, at: datetime | None = None) -> Reminder:
    """Put a reminder into a state directly, for tests of what is shown."""
    reminder.state, reminder.state_at = state, at or reminder.due_at
    reminder.skip_reason = ""
    reminder.save(update_fields=["state", "state_at", "skip_reason"])
    return reminder


def make_attempt(
    reminder: Reminder,
    *,
    body: str = "Lakeside Skin: your recovery page.",
    outcome: Attempt.Outcome = Attempt.Outcome.ACCEPTED,
    provider_id: str = "",
    error_code: str = "",
    called_at: datetime | None = None,
) -> Attempt:
    """One finished call to a provider; with `provider_id`, and its last word as a receipt."""
    at = called_at or reminder.due_at
    attempt = Attempt.objects.create(
        reminder=reminder,
        lease_until=at + timedelta(seconds=90),
        called_at=at,
        ended_at=at + timedelta(seconds=1),
        outcome=outcome.value,
        to_address=reminder.treatment.patient.address(reminder.channel),
        body=body,
        error_code=error_code,
    )
    if provider_id:
        Receipt.objects.create(
            attempt=attempt,
            provider_id=provider_id,
            status="undelivered" if error_code else "delivered",
            error_code=error_code,
            received_at=at + timedelta(seconds=3),
        )
    return attempt
