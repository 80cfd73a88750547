"""Texts from patients. STOP, START and HELP work as exact words, at once.

A stop belongs to the number: every patient who has it is stopped, in the transaction that records
it. Everything that comes in is kept, understood or not.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from patients.models import Clinic, OptOut, Patient, Treatment
from patients.models.patient import Channel
from reminders.models import InboundText, Reminder, State
from reminders.moments import Skip
from reminders.planning import plan

Meaning = InboundText.Meaning
STOP_WORDS = frozenset(
    {"stop", "stopall", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe"}
)
START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info"})


def meaning_of(body: str) -> InboundText.Meaning:
    """What a text asks for, by exact words: case, spaces and closing marks do not count."""
    word = " ".join(body.casefold().split()).strip(" .!?")
    if word in STOP_WORDS:
        return Meaning.STOP
    if word in START_WORDS:
        return Meaning.START
    return Meaning.HELP if word in HELP_WORDS else Meaning.OTHER


@transaction.atomic
def receive_text(*, provider_id: str, sender: str, recipient: str, body: str) -> str:
    """Keep one inbound text and do what it asks; returns the answer to send, or nothing."""
    clinic = Clinic.objects.filter(sms_sender=recipient).first()
    if clinic is None or InboundText.objects.filter(provider_id=provider_id).exists():
        return ""
    meaning = meaning_of(body)
    InboundText.objects.create(
        clinic=clinic,
        provider_id=provider_id,
        from_address=sender,
        body=body,
        meaning=meaning,
        received_at=timezone.now(),
    )
    if meaning == Meaning.STOP:
        stop(clinic, sender)
    elif meaning == Meaning.START:
        start(clinic, sender)
    return _answer(meaning, clinic)


def stop(clinic: Clinic, number: str) -> None:
    """No more texts from this clinic to this number, from this transaction on."""
    patients = _lock_patients(clinic, number)
    _record(clinic, number, stopped=True)
    Reminder.objects.filter(
        treatment__patient__in=patients, channel=Channel.SMS, state=State.PLANNED
    ).update(state=State.SKIPPED, skip_reason=Skip.OPTED_OUT.value, state_at=timezone.now())


def start(clinic: Clinic, number: str) -> None:
    """Texts again: what is still ahead is planned again."""
    patients = _lock_patients(clinic, number)
    _record(clinic, number, stopped=False)
    seen = set()
    for treatment in (
        Treatment.objects.filter(patient__in=patients, voided_at=None)
        .select_related("patient__clinic", "version")
        .order_by("-treated_at", "-id")
    ):
        series = (treatment.patient_id, treatment.version.key)
        if series not in seen:
            seen.add(series)
            plan(treatment, now=timezone.now())


def _lock_patients(clinic: Clinic, number: str) -> list[Patient]:
    # The claim locks these rows too: a stop and a send cannot cross.
    return list(Patient.objects.select_for_update().filter(clinic=clinic, phone=number))


def _record(clinic: Clinic, number: str, *, stopped: bool) -> None:
    OptOut.objects.create(
        clinic=clinic,
        channel=Channel.SMS,
        address=number,
        stopped=stopped,
        how="text",
        recorded_at=timezone.now(),
    )


def _answer(meaning: InboundText.Meaning, clinic: Clinic) -> str:
    """At most one confirmation: none where the provider answers the word by itself."""
    phone = clinic.office_phone.as_national
    if meaning == Meaning.OTHER or settings.TWILIO_ANSWERS_KEYWORDS:
        return ""
    return {
        Meaning.STOP: f"{clinic.sms_name}: no more texts. Your page stays open.",
        Meaning.START: f"{clinic.sms_name}: texts are on again. STOP ends them.",
        Meaning.HELP: f"{clinic.name}. Any question? Call {phone}. STOP ends texts.",
    }[meaning]
