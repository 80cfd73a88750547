"""What an email provider says later: delivered, bounced, complained.

django-anymail verifies and translates the fourteen providers' webhooks; here its one event becomes
a receipt, or an opt-out. It tells by a Django signal; this is the only one the site listens to.
"""

from __future__ import annotations

from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from patients.models import Clinic
from patients.models.patient import Channel
from reminders.channels.told import fit
from reminders.models import Attempt, Receipt
from reminders.optouts import stop
from reminders.receipts import apply_receipt, keep_receipt

STATUSES = {
    EventType.SENT: "sent",
    EventType.DELIVERED: "delivered",
    EventType.BOUNCED: "undelivered",
    EventType.REJECTED: "undelivered",
    EventType.FAILED: "failed",
}
ENDS_EMAILS = (EventType.COMPLAINED, EventType.UNSUBSCRIBED)


@receiver(tracking)
@transaction.atomic
def on_tracking_event(event: AnymailTrackingEvent, **kwargs: Any) -> None:
    """Place one event by the provider's message id; what cannot be placed is kept."""
    provider_id = fit(event.message_id, 255)
    attempt = (
        Attempt.objects.select_for_update(of=("self",), no_key=True)
        .filter(receipts__provider_id=provider_id)
        .select_related("reminder__treatment__patient__clinic")
        .first()
    )
    if event.event_type in ENDS_EMAILS:
        _end_emails(attempt, fit(event.recipient, 254).strip().lower(), how=event.event_type)
        return
    status = STATUSES.get(event.event_type)
    if status is None:
        return
    code = event.event_type if status in ("undelivered", "failed") else ""
    if attempt is None:
        keep_receipt(None, provider_id, status, code, timezone.now())
        return
    apply_receipt(
        attempt, provider_id=provider_id, status=status, error_code=code, now=timezone.now()
    )


def _end_emails(attempt: Attempt | None, recipient: str, *, how: str) -> None:
    """At the clinic whose message it was; if that is not known, wherever the address is."""
    if attempt is not None:
        clinic = attempt.reminder.treatment.patient.clinic
        stop(clinic, attempt.to_address, channel=Channel.EMAIL, how=how)
    elif recipient:
        for clinic in Clinic.objects.filter(patients__email__iexact=recipient).distinct():
            stop(clinic, recipient, channel=Channel.EMAIL, how=how)


@transaction.atomic
def place_kept(provider_ids: list[str]) -> None:
    """Place receipts that came before the provider's answer had told us its message id."""
    for kept in Receipt.objects.filter(attempt=None, provider_id__in=provider_ids):
        known = Receipt.objects.filter(provider_id=kept.provider_id, attempt__isnull=False).first()
        if known is None or known.attempt is None:
            continue
        Receipt.objects.filter(pk=kept.pk).update(attempt=known.attempt)
        apply_receipt(
            known.attempt,
            provider_id=kept.provider_id,
            status=kept.status,
            error_code=kept.error_code,
            now=timezone.now(),
        )
