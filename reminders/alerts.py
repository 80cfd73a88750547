"""Alerts to staff and to nurse contacts: by text and by email, past quiet hours and circuits."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

from patients.models import Clinic
from patients.models.clinic import Role
from reminders.channels import Message, Outcome, email, sms
from reminders.models import Alert
from reminders.telling import send_each, written


def send_waiting(*, now: datetime) -> None:
    """Send every alert that has not gone by both channels yet, the oldest first."""
    for name, send in (("sms", _text), ("email", _mail)):
        rows = Alert.objects.select_related("clinic")
        send_each(rows, send, gone=f"by_{name}_at", taken=f"{name}_taken_until", now=now)


def _text(alert: Alert) -> Outcome | None:
    clinic = alert.clinic
    number = {
        Alert.Contact.STAFF: clinic.alert_phone,
        Alert.Contact.NURSE: clinic.nurse_phone or clinic.alert_phone,
        Alert.Contact.SECOND: clinic.second_nurse_phone,
    }[Alert.Contact(alert.contact)]
    return sms.send(_message(alert, number.as_e164)) if number else None


def _mail(alert: Alert) -> Outcome | None:
    """Whoever has no address of their own: the staff's, and then the first admin's."""
    clinic = alert.clinic
    own = {
        Alert.Contact.STAFF: "",
        Alert.Contact.NURSE: clinic.nurse_email,
        Alert.Contact.SECOND: clinic.second_nurse_email,
    }[Alert.Contact(alert.contact)]
    to = own or clinic.alert_email or _first_admin(clinic)
    return email.send(_message(alert, to)) if to else None


def _first_admin(clinic: Clinic) -> str:
    admin = clinic.staff.filter(role=Role.ADMIN, is_active=True).order_by("id").first()
    return admin.email if admin else ""


def _message(alert: Alert, to: str) -> Message:
    return _written(alert.clinic, to, alert.words, key=str(alert.pk))


def _written(clinic: Clinic, to: str, words: str, *, key: str) -> Message:
    text = f"Aftercare: {words}"
    return written(clinic, to, about="please look", text=text, key=f"alert.{key}")


# --- without the database -------------------------------------------------------------------------


class Contact(NamedTuple):
    """Where a clinic's staff are told of the site itself; `phone` or `mail` may be empty."""

    clinic: Clinic
    phone: str
    mail: str


def contacts() -> list[Contact]:
    """Every clinic's, to be remembered while the database can be asked."""
    return [
        Contact(
            clinic,
            clinic.alert_phone.as_e164 if clinic.alert_phone else "",
            clinic.alert_email or _first_admin(clinic),
        )
        for clinic in Clinic.objects.all()
    ]


def tell(contact: Contact, words: str) -> None:
    """Send at once, both ways; nothing is kept, and nothing tried again."""
    for to, send in ((contact.phone, sms.send), (contact.mail, email.send)):
        if to:
            send(_written(contact.clinic, to, words, key=uuid.uuid4().hex))
