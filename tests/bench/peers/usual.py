"""What the usual programs share: Twilio's SDK as its guide shows it, and a saved row.

The words are rendered by the site's own renderer, so that every contender posts the same form.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.utils import timezone
from twilio.rest import Client

from patients.models import OptOut
from reminders.messages import render
from reminders.models import Reminder, ReminderQuerySet, State


@lru_cache(maxsize=1)
def client() -> Client:
    """The SDK with its own HTTP client."""
    made = Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
    made.api.base_url = settings.TWILIO_API_BASE
    return made


def with_patient() -> ReminderQuerySet:
    """Reminders with everything that sending one needs, in one query."""
    rows: ReminderQuerySet = Reminder.objects.select_related(
        "treatment__patient__clinic", "treatment__version"
    ).defer("treatment__version__source")
    return rows


def form_of(reminder: Reminder, *, now: datetime) -> dict[str, str]:
    """The form that Twilio gets for it."""
    patient = reminder.treatment.patient
    callback = f"{settings.PUBLIC_BASE_URL}/webhooks/twilio/status/{reminder.treatment.form_key}"
    return {
        "To": patient.address(reminder.channel),
        "From": patient.clinic.sms_sender.as_e164,
        "Body": render(reminder, at=now).text,
        "StatusCallback": f"{callback}#rc=5&rp=all",
        "ValidityPeriod": str(int(min(36_000, (reminder.not_after - now).total_seconds()))),
    }


def send(reminder: Reminder) -> None:
    form = form_of(reminder, now=timezone.now())
    client().messages.create(
        to=form["To"],
        from_=form["From"],
        body=form["Body"],
        status_callback=form["StatusCallback"],
        validity_period=form["ValidityPeriod"],
    )


def mark_sent(reminder: Reminder) -> None:
    reminder.state = State.SENT
    reminder.state_at = timezone.now()
    reminder.save()


def send_one(pk: int) -> None:
    """The body of a task for one reminder: look it up, ask about a stop, send, save."""
    reminder = with_patient().get(pk=pk)
    patient = reminder.treatment.patient
    stopped = OptOut.objects.filter(
        clinic=patient.clinic_id, address=patient.address(reminder.channel), stopped=True
    )
    if reminder.state == State.PLANNED and not stopped.exists():
        send(reminder)
        mark_sent(reminder)
