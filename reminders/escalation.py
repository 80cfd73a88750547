"""A report alerts the clinic's nurse contact; left alone for 15 minutes, the second contact too.

Each contact is told of a concern once: the escalation's row and its alert are written together.
The words are neutral: no name, nothing clinical. `alerts.send_waiting` sends them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from patients.models.answers import HOLDING_TIERS
from reminders.models import Alert, Concern, Escalation

ALONE_FOR = timedelta(minutes=15)
# Older than this it is history: after a long outage nobody is woken for last week.
NOT_AFTER = timedelta(days=1)
WORDS = {
    Alert.Contact.NURSE: "a patient needs a nurse now. Sign in to see: {address}",
    Alert.Contact.SECOND: "nobody has answered a patient for 15 minutes. Sign in to see: {address}",
}


def tell_nurse(concern: Concern, *, now: datetime) -> None:
    _tell(concern, Alert.Contact.NURSE, now)


def escalate(*, now: datetime) -> None:
    """Tell the second contact of what nobody has taken on."""
    alone = (
        Concern.objects.filter(
            kind=Concern.Kind.REPORT,
            report__tier__in=HOLDING_TIERS,
            closed_at=None,
            acknowledged_at=None,
            opened_at__lte=now - ALONE_FOR,
            opened_at__gt=now - NOT_AFTER,
        )
        .exclude(escalations__contact=Alert.Contact.SECOND)
        .order_by("id")
    )
    for concern in alone:
        _tell(concern, Alert.Contact.SECOND, now)


@transaction.atomic
def _tell(concern: Concern, contact: Alert.Contact, now: datetime) -> None:
    words = WORDS[contact].format(address=f"{settings.PUBLIC_BASE_URL}/concerns/")
    alert = Alert.objects.create(clinic=concern.clinic, contact=contact, words=words, made_at=now)
    _, is_new = Escalation.objects.get_or_create(
        concern=concern, contact=contact, defaults={"alert": alert}
    )
    if not is_new:
        alert.delete()
