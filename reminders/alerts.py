"""Alerts to staff: by text and by email, past quiet hours and past every circuit."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from patients.models.clinic import Role
from reminders.channels import Accepted, Message, email, sms
from reminders.models import Alert

logger = logging.getLogger(__name__)


def send_waiting(*, now: datetime) -> None:
    """Send every alert that has not gone by both channels yet; what fails waits for the next."""
    waiting = Alert.objects.filter(Q(by_sms_at=None) | Q(by_email_at=None))
    for alert in waiting.select_related("clinic").order_by("id")[:20]:
        if alert.by_sms_at is None and _text(alert):
            # Marked by a conditional update: two workers may both have come here.
            Alert.objects.filter(pk=alert.pk, by_sms_at=None).update(by_sms_at=now)
        if alert.by_email_at is None and _mail(alert):
            Alert.objects.filter(pk=alert.pk, by_email_at=None).update(by_email_at=now)


def _text(alert: Alert) -> bool:
    number = alert.clinic.alert_phone
    return not number or isinstance(sms.send(_message(alert, number.as_e164)), Accepted)


def _mail(alert: Alert) -> bool:
    to = alert.clinic.alert_email or _first_admin(alert)
    return not to or isinstance(email.send(_message(alert, to)), Accepted)


def _first_admin(alert: Alert) -> str:
    admin = alert.clinic.staff.filter(role=Role.ADMIN, is_active=True).order_by("id").first()
    return admin.email if admin else ""


def _message(alert: Alert, to: str) -> Message:
    by_mail = "@" in to
    return Message(
        to=to,
        sender=settings.DEFAULT_FROM_EMAIL if by_mail else alert.clinic.sms_sender.as_e164,
        subject=f"Aftercare at {alert.clinic}: please look",
        text=f"Aftercare: {alert.words}",
        html="",
        callback_url="",
        message_id=f"<alert.{alert.pk}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>",
        valid_for=3600,
    )
