"""Alerts to staff and to nurse contacts: by text and by email, past quiet hours and circuits."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from patients.models import Clinic
from patients.models.clinic import Role
from reminders.channels import Message, NotSent, Outcome, email, sms
from reminders.channels.codes import NO_CONNECTION, Means
from reminders.models import Alert

AT_ONCE = 20
# Longer than any call. A worker that died in one is followed by another after this: for staff an
# alert twice is better than none.
TAKEN_FOR = timedelta(seconds=60)


def send_waiting(*, now: datetime) -> None:
    """Send every alert that has not gone by both channels yet, the oldest first."""
    for name, send in (("sms", _text), ("email", _mail)):
        gone, taken = f"by_{name}_at", f"{name}_taken_until"
        waiting = Alert.objects.filter(_free(taken, now), **{gone: None})
        for alert in waiting.select_related("clinic").order_by("id")[:AT_ONCE]:
            mine, moment = Alert.objects.filter(pk=alert.pk), timezone.now()
            # By a conditional update: two workers may both have come here.
            to_take = mine.filter(_free(taken, moment), **{gone: None})
            if not to_take.update(**{taken: moment + TAKEN_FOR}):
                continue
            outcome = send(alert)
            if not isinstance(outcome, NotSent):  # what may have gone is not sent again
                mine.update(**{gone: now})
                continue
            mine.update(**{taken: None})
            if outcome.means is Means.ACCOUNT or outcome.code == NO_CONNECTION:
                break  # the way is closed to all; the next tick tries again


def _free(taken: str, now: datetime) -> Q:
    return Q(**{taken: None}) | Q(**{f"{taken}__lt": now})


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
    by_mail = "@" in to
    return Message(
        to=to,
        sender=settings.DEFAULT_FROM_EMAIL if by_mail else clinic.sender,
        subject=f"Aftercare at {clinic}: please look",
        text=f"Aftercare: {words}",
        html="",
        callback_url="",
        message_id=f"<alert.{key}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>",
        valid_for=3600,
    )


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
