"""What an email provider says later: delivered, bounced, complained.

django-anymail verifies and translates the fourteen providers' webhooks; here its one event becomes
a receipt, or an opt-out. It tells by a Django signal; this is the only one the site listens to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from patients.models import Clinic
from patients.models.patient import Channel
from reminders.channels.told import fit
from reminders.models import Attempt, Receipt
from reminders.once_more import AWAY
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
logger = logging.getLogger(__name__)


class NotTakenIn(Exception):
    """An event could not be acted on, by a fault of ours; the log says which."""


@receiver(tracking)
def on_tracking_event(event: AnymailTrackingEvent, **kwargs: Any) -> None:
    """Place one event by the provider's message id; what cannot be placed is kept.

    Raises `NotTakenIn`, or one of `AWAY`.
    """
    try:
        _place(event)
    except AWAY:  # nobody's fault
        raise
    except Exception as fault:
        logger.exception("An event of the email provider could not be taken in.")
        raise NotTakenIn from fault


@transaction.atomic
def _place(event: AnymailTrackingEvent) -> None:
    provider_id = fit(event.message_id, 255)
    attempt = _lock_attempt_of(provider_id)
    if event.event_type in ENDS_EMAILS:
        _end_emails(attempt, fit(event.recipient, 254).strip().lower(), how=event.event_type)
        return
    status = STATUSES.get(event.event_type)
    if status is None:
        return
    code = event.event_type if status in ("undelivered", "failed") else ""
    if attempt is None:
        keep_receipt(None, provider_id, status, code, timezone.now())
        transaction.on_commit(partial(place_kept, [provider_id]))
        return
    apply_receipt(
        attempt, provider_id=provider_id, status=status, error_code=code, now=timezone.now()
    )


def _lock_attempt_of(provider_id: str) -> Attempt | None:
    return (
        Attempt.objects.select_for_update(of=("self",), no_key=True)
        .filter(receipts__provider_id=provider_id)
        .select_related("reminder__treatment__patient__clinic")
        .first()
    )


def _end_emails(attempt: Attempt | None, recipient: str, *, how: str) -> None:
    """At the clinic whose message it was; if that is not known, wherever the address is."""
    if attempt is not None:
        clinic = attempt.reminder.treatment.patient.clinic
        stop(clinic, attempt.to_address, channel=Channel.EMAIL, how=how)
    elif recipient:
        for clinic in Clinic.objects.filter(patients__email__iexact=recipient).distinct():
            stop(clinic, recipient, channel=Channel.EMAIL, how=how)


def place_kept(provider_ids: Iterable[str]) -> None:
    """Place receipts that came before the provider's answer had told us its message id."""
    kept = Receipt.objects.filter(attempt=None, provider_id__in=list(provider_ids))
    for provider_id in set(kept.values_list("provider_id", flat=True)):
        _place_kept_of(provider_id)


@transaction.atomic
def _place_kept_of(provider_id: str) -> None:
    attempt = _lock_attempt_of(provider_id)
    if attempt is None:
        return
    # Read under the lock: of two that come here at once, the second finds them placed.
    for kept in list(Receipt.objects.filter(attempt=None, provider_id=provider_id).order_by("id")):
        apply_receipt(
            attempt,
            provider_id=provider_id,
            status=kept.status,
            error_code=kept.error_code,
            now=timezone.now(),
        )
