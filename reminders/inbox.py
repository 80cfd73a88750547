"""Texts from patients. A wish for no more texts is acted on at once; the rest a nurse reads.

A stop belongs to the number: every patient who has it is stopped, in the transaction that records
it. Everything that comes in is kept, understood or not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from patients.acts import ON_PAGE
from patients.models import Act, Clinic, OptOut, Patient
from patients.models.patient import Channel, stopped_addresses
from reminders.check_ins import answer_by_text, asked_by_text
from reminders.concerns import raise_text
from reminders.models import Concern, InboundText
from reminders.optouts import lock_patients, record, stop
from reminders.planning import plan_again
from reminders.replies import Reply, received, reply
from reminders.wishes import Wish, wishes_to_stop

Meaning = InboundText.Meaning
STOP_WORDS = frozenset(
    {"stop", "stopall", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe"}
)
START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info"})
# Carriers ask for AYUDA (https://support.twilio.com/hc/en-us/articles/223182348). Whoever writes so
# is answered in Spanish. Not "alta": that can be a fever. With a "!" it is a cry, which a nurse
# reads; with a "?" nobody asked for more texts.
SPANISH_START = frozenset({"iniciar", "reanudar", "empezar", "comenzar"})
SPANISH_HELP = frozenset({"ayuda", "información", "informacion"})
# Those the provider may answer by itself, where they are the whole text: a US number's defaults
# (https://support.twilio.com/hc/en-us/articles/223134027).
PROVIDER_WORDS = (STOP_WORDS - {"opt out"}) | START_WORDS | HELP_WORDS
CONFIRMED = {
    Meaning.STOP: Reply.STOPPED,
    Meaning.WISH: Reply.STOPPED,
    Meaning.START: Reply.STARTED,
    Meaning.HELP: Reply.HELP,
}
# What holds until the contrary is said, by text or on the page; the last word said is the one.
LASTING = (Meaning.STOP, Meaning.WISH, Meaning.START)
SAID_ON_PAGE = (ON_PAGE, Act.Kind.NOT_ME)
BEFORE_A_NURSE = {Meaning.UNSURE: Concern.Kind.WISH, Meaning.OTHER: Concern.Kind.TEXT}
ANSWER_EVERY = timedelta(hours=1)
# One word to a check-in that is open; to nothing asked they are what any text is.
YES_WORDS = frozenset({"yes", "y", "yes it does", "ok", "normal", "si", "sí"})
NO_WORDS = frozenset({"no", "n", "nope", "not yet", "not really", "todavia no", "todavía no"})


def meaning_of(body: str) -> InboundText.Meaning:
    """What a text asks for: exact words first (case, spaces and closing marks do not count)."""
    word = _word(body)
    if word in STOP_WORDS:
        return Meaning.STOP
    if word in START_WORDS or (word in SPANISH_START and "?" not in body):
        return Meaning.START
    if word in HELP_WORDS or (word in SPANISH_HELP and "!" not in body):
        return Meaning.HELP
    wish = wishes_to_stop(body)
    if wish is Wish.STOP:
        return Meaning.WISH
    return Meaning.UNSURE if wish is Wish.UNSURE else Meaning.OTHER


def _word(body: str) -> str:
    return " ".join(body.casefold().split()).strip(" .,!?¡¿")


def receive_text(
    *, provider_id: str, sender: str, recipient: str, body: str, at: datetime | None = None
) -> str:
    """Keep one inbound text and do what it asks; returns the answer to send, or nothing.

    `at`: when it came, if that was not just now. A STOP or START after which its sender has said
    another is kept, and changes nothing any more.

    Delivered twice, it is one. To a number that is no clinic's (a clinic's earlier one, say) it
    counts for every clinic that knows its sender; to one that clinics share, for each of them.
    """
    try:
        with transaction.atomic():
            return _take_in(provider_id, sender, recipient, body, at or timezone.now())
    except IntegrityError:
        if InboundText.objects.filter(provider_id=provider_id).exists():
            return ""  # the same one, delivered twice at once
        raise


def _take_in(provider_id: str, sender: str, recipient: str, body: str, now: datetime) -> str:
    theirs = list(Clinic.objects.filter(sms_sender=recipient).order_by("pk"))
    clinics = (theirs or _that_know(sender)) if sender else []
    patients = [one for each in clinics for one in lock_patients(each, Channel.SMS, sender)]
    if InboundText.objects.filter(provider_id=provider_id).exists():
        return ""
    meaning = meaning_of(body)
    stopped = bool(stopped_addresses([each.pk for each in clinics], [sender]))
    own = clinics[0] if len(theirs) == 1 and clinics else None
    is_outdated = meaning in LASTING and _has_spoken_since(now, meaning, sender, own, clinics)
    answer = "" if stopped else _to_check_in(body, patients, now)
    if answer:
        meaning = Meaning.ANSWER
    elif clinics and not is_outdated:
        answer = _answer(meaning, body, sender, clinics, patients, stopped=stopped)
    text = InboundText.objects.create(
        clinic=own,
        provider_id=provider_id,
        from_address=sender,
        body=body,
        meaning=meaning,
        answered=bool(answer),
        received_at=now,
    )
    if not is_outdated:
        _act(text, clinics, patients, stopped=stopped)
    return answer


def _has_spoken_since(
    at: datetime, meaning: Meaning, sender: str, own: Clinic | None, clinics: list[Clinic]
) -> bool:
    """Whether a later word of this number is in force already: one that waited in the letterbox, or
    was set aside there, comes after it.

    Compares when the words were said. Where it is not sure that both are about the same texts (a
    number given up, or shared), no more texts are sent: a START gives way, and a STOP does not.
    """
    near = Q(clinic=own) if meaning != Meaning.START else Q(clinic__in=clinics) | Q(clinic=None)
    texts = InboundText.objects.filter(
        near, from_address=sender, meaning__in=LASTING, received_at__gt=at
    )
    on_page = OptOut.objects.filter(
        near, channel=Channel.SMS, address=sender, how__in=SAID_ON_PAGE, recorded_at__gt=at
    )
    return texts.exists() or on_page.exists()


def _that_know(number: str) -> list[Clinic]:
    return list(Clinic.objects.filter(patients__phone=number).distinct().order_by("pk"))


def _to_check_in(body: str, patients: list[Patient], now: datetime) -> str:
    """Keep one word as the answer to the check-in that is open, if one is; what to say to it."""
    word = _word(body)
    if word not in YES_WORDS | NO_WORDS:
        return ""
    asked = asked_by_text(patients, now=now)
    if asked is None:
        return ""
    patient = asked.treatment.patient
    said = answer_by_text(asked, yes=word in YES_WORDS, now=now)
    return reply(said, patient.clinic, patient.language)


def _act(
    text: InboundText, clinics: list[Clinic], patients: list[Patient], *, stopped: bool
) -> None:
    kind = BEFORE_A_NURSE.get(Meaning(text.meaning))
    if kind is not None:
        raise_text(kind, text=text, clinics=clinics, patients=patients, now=text.received_at)
    for clinic in clinics:
        if text.meaning in (Meaning.STOP, Meaning.WISH):
            stop(clinic, text.from_address, how=text.meaning)
        elif text.meaning == Meaning.START and stopped:
            theirs = [one for one in patients if one.clinic_id == clinic.pk]
            record(
                clinic,
                Channel.SMS,
                text.from_address,
                stopped=False,
                how="start",
                patients=theirs,
            )
    if text.meaning == Meaning.START and stopped:
        # From now on, however long ago it was said: nothing of the past is planned.
        plan_again(patients, [Channel.SMS], now=timezone.now())


def _answer(
    meaning: InboundText.Meaning,
    body: str,
    sender: str,
    clinics: list[Clinic],
    patients: list[Patient],
    *,
    stopped: bool,
) -> str:
    """One confirmation at most; none where the provider answers the word by itself."""
    at = patients[0].clinic_id if patients else clinics[0].pk
    clinic = next(each for each in clinics if each.pk == at)
    language = patients[0].language if patients else clinic.default_language
    zone = patients[0].tz if patients else clinic.tz
    if meaning in BEFORE_A_NURSE:
        if stopped or _answered_lately(clinics, sender):
            return ""
        return received(clinic, language, zone=zone, now=timezone.now())
    ends = meaning in (Meaning.STOP, Meaning.WISH)
    if (ends and stopped) or _provider_answers(body):
        return ""
    if _word(body) in SPANISH_START | SPANISH_HELP:
        language = "es"
    return reply(CONFIRMED[meaning], clinic, language)


def _provider_answers(body: str) -> bool:
    """Only its own words with nothing around them: to "Help!!" it says nothing, so we do."""
    return settings.TWILIO_ANSWERS_KEYWORDS and body.strip().lower() in PROVIDER_WORDS


def _answered_lately(clinics: list[Clinic], sender: str) -> bool:
    texts = InboundText.objects.filter(Q(clinic__in=clinics) | Q(clinic=None))
    return texts.filter(
        from_address=sender,
        answered=True,
        meaning__in=BEFORE_A_NURSE,
        received_at__gt=timezone.now() - ANSWER_EVERY,
    ).exists()
