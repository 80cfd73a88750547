"""Texts from patients. A wish for no more texts is acted on at once; the rest a nurse reads.

A stop belongs to the number: every patient who has it is stopped, in the transaction that records
it. Everything that comes in is kept, understood or not.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from patients.models import Clinic, Patient, Treatment
from patients.models.patient import Channel, stopped_addresses
from reminders.check_ins import answer_by_text, asked_by_text
from reminders.concerns import raise_text
from reminders.models import Concern, InboundText
from reminders.optouts import lock_patients, record, stop
from reminders.planning import plan
from reminders.replies import Reply, received, reply
from reminders.wishes import Wish, wishes_to_stop

Meaning = InboundText.Meaning
# The words the provider itself knows, and may answer by itself.
STOP_WORDS = frozenset(
    {"stop", "stopall", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe"}
)
START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info"})
ANSWER_EVERY = timedelta(hours=1)
# One word to a check-in that is open; to nothing asked they are what any text is.
YES_WORDS = frozenset({"yes", "y", "yes it does", "ok", "normal", "si", "sí"})
NO_WORDS = frozenset({"no", "n", "nope", "not yet", "not really", "todavia no", "todavía no"})


def meaning_of(body: str) -> InboundText.Meaning:
    """What a text asks for: exact words first (case, spaces and closing marks do not count)."""
    word = _word(body)
    if word in STOP_WORDS:
        return Meaning.STOP
    if word in START_WORDS:
        return Meaning.START
    if word in HELP_WORDS:
        return Meaning.HELP
    wish = wishes_to_stop(body)
    if wish is Wish.STOP:
        return Meaning.WISH
    return Meaning.UNSURE if wish is Wish.UNSURE else Meaning.OTHER


def _word(body: str) -> str:
    return " ".join(body.casefold().split()).strip(" .,!?¡¿")


@transaction.atomic
def receive_text(*, provider_id: str, sender: str, recipient: str, body: str) -> str:
    """Keep one inbound text and do what it asks; returns the answer to send, or nothing."""
    clinic = Clinic.objects.filter(sms_sender=recipient).first()
    if clinic is None or InboundText.objects.filter(provider_id=provider_id).exists():
        return ""
    patients = lock_patients(clinic, Channel.SMS, sender)
    meaning = meaning_of(body)
    stopped = bool(stopped_addresses([clinic.pk], [sender]))
    answer = _to_check_in(body, clinic, patients)
    if answer:
        meaning = Meaning.ANSWER
    else:
        answer = _answer(meaning, clinic, sender, patients, stopped=stopped)
    text = InboundText.objects.create(
        clinic=clinic,
        provider_id=provider_id,
        from_address=sender,
        body=body,
        meaning=meaning,
        answered=bool(answer),
        received_at=timezone.now(),
    )
    _act(text, patients, stopped=stopped)
    return answer


def _to_check_in(body: str, clinic: Clinic, patients: list[Patient]) -> str:
    """Keep one word as the answer to the check-in that is open, if one is; what to say to it."""
    word = _word(body)
    if word not in YES_WORDS | NO_WORDS:
        return ""
    asked = asked_by_text(patients, now=timezone.now())
    if asked is None:
        return ""
    said = answer_by_text(asked, yes=word in YES_WORDS, now=timezone.now())
    return reply(said, clinic, asked.treatment.patient.language)


def _act(text: InboundText, patients: list[Patient], *, stopped: bool) -> None:
    if text.meaning in (Meaning.STOP, Meaning.WISH):
        stop(text.clinic, text.from_address, how=text.meaning)
    elif text.meaning == Meaning.START and stopped:
        start(text.clinic, text.from_address, patients)
    elif text.meaning == Meaning.UNSURE:
        raise_text(Concern.Kind.WISH, text=text, now=timezone.now())
    elif text.meaning == Meaning.OTHER:
        raise_text(Concern.Kind.TEXT, text=text, now=timezone.now())


def start(clinic: Clinic, number: str, patients: list[Patient]) -> None:
    """Texts again: what is still ahead is planned again."""
    record(clinic, Channel.SMS, number, stopped=False, how="start")
    seen = set()
    for treatment in (
        Treatment.objects.filter(patient__in=patients, voided_at=None)
        .select_related("patient__clinic", "version")
        .defer("version__source")
        .order_by("-treated_at", "-id")
    ):
        series = (treatment.patient_id, treatment.version.key)
        if series not in seen:
            seen.add(series)
            plan(treatment, now=timezone.now())


def _answer(
    meaning: InboundText.Meaning,
    clinic: Clinic,
    sender: str,
    patients: list[Patient],
    *,
    stopped: bool,
) -> str:
    """One confirmation at most; none where the provider answers the word by itself."""
    language = patients[0].language if patients else clinic.default_language
    by_provider = settings.TWILIO_ANSWERS_KEYWORDS
    if meaning in (Meaning.OTHER, Meaning.UNSURE):
        if stopped or _answered_lately(clinic, sender):
            return ""
        return received(clinic, language, now=timezone.now())
    if meaning == Meaning.WISH:
        return "" if stopped else reply(Reply.STOPPED, clinic, language)
    if by_provider or (meaning == Meaning.STOP and stopped):
        return ""
    kind = {
        Meaning.STOP: Reply.STOPPED,
        Meaning.START: Reply.STARTED,
        Meaning.HELP: Reply.HELP,
    }
    return reply(kind[meaning], clinic, language)


def _answered_lately(clinic: Clinic, sender: str) -> bool:
    return clinic.inbound_texts.filter(
        from_address=sender,
        answered=True,
        meaning__in=[Meaning.OTHER, Meaning.UNSURE],
        received_at__gt=timezone.now() - ANSWER_EVERY,
    ).exists()
