"""A made-up clinic with patients at every phase, for `make run`. Refused outside the demo.

History is written as rows, as if it had been sent; from the moment of loading on, everything
leaves by itself through the same workers as anywhere.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from aftercare.demo_patients import PATIENTS, DemoPatient
from aftercare.not_the_demo import PASSWORD
from patients import links
from patients.acts import answer, mark_read
from patients.models import CheckIn, Clinic, Patient, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from patients.models.protocol_version import publish_shipped
from reminders.concerns import raise_text
from reminders.messages import render
from reminders.models import (
    LAST_MINUTE,
    Attempt,
    Concern,
    InboundText,
    Receipt,
    Reminder,
    State,
)
from reminders.moments import Skip
from reminders.optouts import stop
from reminders.treatments import Agreed, log_treatment

STAFF = {
    Role.DESK: ("desk@lakeside.example", "Dana Ruiz"),
    Role.NURSE: ("nurse@lakeside.example", "Imani Brooks"),
    Role.LEAD: ("lead@lakeside.example", "Dr. Helen Park"),
    Role.ADMIN: ("admin@lakeside.example", "Omar Haddad"),
}
# Where it is day when the demo starts, so that reminders may leave; with its emergency number.
ZONES = (
    ("America/Chicago", "911"),
    ("Europe/London", "999"),
    ("Australia/Sydney", "000"),
    ("Asia/Kolkata", "112"),
)
WEEKDAY = ["09:00", "18:00"]


def load(now: datetime | None = None) -> None:
    """Make the demo clinic unless it is there already; what people did in it stays."""
    if not settings.DEMO:
        raise RuntimeError("Demo data is only for the demo: start it with `make run`.")
    if Clinic.objects.exists():
        return
    now = now or timezone.now()
    with transaction.atomic():
        clinic = _clinic(now)
        for role, (email, name) in STAFF.items():
            StaffUser.objects.create_user(
                email, PASSWORD, name=name, clinic=clinic, role=role.value
            )
        publish_shipped(clinic)
        for one in PATIENTS:
            _log(one, clinic, now)


def lines() -> list[str]:
    """What the terminal says: where each of the three people begins."""
    base = settings.PUBLIC_BASE_URL
    newest = Treatment.objects.filter(patient__first_name="Maria").order_by("id").first()
    page = links.address_of(newest) if newest else base
    return [
        f"Patient page          {page}",
        *(
            f"Staff {role.label.lower():<15} {base}/accounts/login/   {email}   {PASSWORD}"
            for role, (email, _) in STAFF.items()
        ),
        f"Phone                 {settings.TWILIO_API_BASE.replace('127.0.0.1', 'localhost')}/",
    ]


def _clinic(now: datetime) -> Clinic:
    zone, emergency = next(
        (z for z in ZONES if 9 <= now.astimezone(ZoneInfo(z[0])).hour < 17), ZONES[0]
    )
    days = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), WEEKDAY)
    return Clinic.objects.create(
        name="Lakeside Skin Clinic",
        slug="lakeside",
        sms_name="Lakeside Skin",
        zone=zone,
        office_phone="+18553837546",
        after_hours_phone="+18553837546",
        emergency_number=emergency,
        opening_hours={**days, "sat": ["09:00", "13:00"]},
        sms_sender="+12025550100",
        nurse_phone="+12025550170",
        nurse_email="nurse@lakeside.example",
        second_nurse_phone="+12025550171",
        second_nurse_email="lead@lakeside.example",
    )


def _log(one: DemoPatient, clinic: Clinic, now: datetime) -> None:
    treated_at = now - one.ago
    treatment, _ = log_treatment(
        patient=Patient(
            clinic=clinic,
            first_name=one.first,
            last_name=one.last,
            phone=one.phone,
            email=one.email,
            channel=one.channel,
        ),
        version=clinic.protocol_versions.get(key="microneedling"),
        treated_at=treated_at,
        session=one.session,
        agreed=Agreed(recovery=one.recovery, rebooking=one.rebooking),
        form_key=uuid.uuid4(),
        by=StaffUser.objects.get(clinic=clinic, role=Role.DESK),
        practitioner="Dr. Helen Park",
        now=treated_at + one.logged_after,
    )
    stopped_at = None if one.stopped_after is None else treated_at + one.stopped_after
    for reminder in treatment.reminders.filter(state=State.PLANNED, due_at__lte=now):
        _write_history(reminder, stopped_at, now, dict(one.failed).get(reminder.rule, ""))
    if stopped_at is not None:
        stop(clinic, one.phone)
    _do_as_patient(one, treatment)


def _do_as_patient(one: DemoPatient, treatment: Treatment) -> None:
    if one.read_after is not None:
        mark_read(treatment=treatment, now=treatment.treated_at + one.read_after)
    if one.answered is not None:
        rule, after = one.answered
        answer(
            treatment=treatment, rule=rule, feels_normal=True, trend=CheckIn.Trend.BETTER,
            wants_call=False, now=treatment.treated_at + after,
        )  # fmt: skip
    if one.wrote is not None:
        body, after = one.wrote
        _write_text(treatment.patient, body, treatment.treated_at + after)


def _write_text(patient: Patient, body: str, at: datetime) -> None:
    """A text that came before the demo was loaded, and waits for a nurse."""
    text = InboundText.objects.create(
        clinic=patient.clinic,
        provider_id=f"SM{uuid.uuid4().hex}",
        from_address=patient.address(Channel.SMS),
        body=body,
        meaning=InboundText.Meaning.OTHER,
        received_at=at,
    )
    raise_text(Concern.Kind.TEXT, text=text, clinics=[patient.clinic], patients=[patient], now=at)


def _write_history(
    reminder: Reminder, stopped_at: datetime | None, now: datetime, error: str
) -> None:
    """One message that went out before the demo was loaded."""
    sent_at = reminder.due_at + timedelta(seconds=2)
    if stopped_at is not None and sent_at > stopped_at:
        reminder.skip_reason, reminder.state = Skip.OPTED_OUT.value, State.SKIPPED
    elif sent_at >= reminder.not_after + LAST_MINUTE:
        reminder.skip_reason, reminder.state = Skip.NOT_USEFUL.value, State.SKIPPED
    else:
        _write_attempt(reminder, sent_at, error)
        delivered = State.DELIVERED if reminder.channel == "sms" else State.SENT
        reminder.state = State.FAILED if error else delivered
    reminder.state_at = min(sent_at + timedelta(seconds=2), now)
    reminder.save()


def _write_attempt(reminder: Reminder, sent_at: datetime, error: str) -> None:
    rendered = render(reminder, at=sent_at)
    attempt = Attempt.objects.create(
        reminder=reminder,
        called_at=sent_at,
        ended_at=sent_at,
        lease_until=sent_at,
        outcome=Attempt.Outcome.ACCEPTED,
        to_address=reminder.treatment.patient.address(reminder.channel),
        subject=rendered.subject,
        body=rendered.masked(),
        error_code=error,
    )
    if reminder.channel == "sms":
        Receipt.objects.create(
            attempt=attempt,
            provider_id=f"SM{uuid.uuid4().hex}",
            status="undelivered" if error else "delivered",
            error_code=error,
            received_at=sent_at + timedelta(seconds=2),
        )
