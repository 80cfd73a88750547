"""What we answer to a text, in the patient's language. One short text; no clinical word in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from enum import StrEnum

from patients import words
from patients.models import Clinic
from patients.opening import opening


class Reply(StrEnum):
    STOPPED = "stopped"
    STARTED = "started"
    HELP = "help"
    READ_SOON = "read soon"
    READ_LATER = "read later"
    READ_SOME_TIME = "read some time"
    GOOD = "good"
    NOT_YET = "not yet"
    WORSE = "worse"


REPLIES: Mapping[str, Mapping[Reply, str]] = {
    "en": {
        Reply.STOPPED: "{clinic}: no more texts. Your page stays open. START undoes this.",
        Reply.STARTED: "{clinic}: texts are on again. STOP ends them.",
        Reply.HELP: "{name}. Any question? Call {office_phone}. STOP ends texts.",
        Reply.READ_SOON: "{clinic}: we read this today. Cannot wait? Call {after_hours_phone}"
        " now. Emergency: call {emergency_number}. STOP ends texts.",
        Reply.READ_LATER: "{clinic}: closed; we read this {when}. Cannot wait? Call"
        " {after_hours_phone}, any hour. Emergency: call {emergency_number}.",
        Reply.READ_SOME_TIME: "{clinic}: we read this by the next business day. Cannot wait? Call"
        " {after_hours_phone} now. Emergency: call {emergency_number}.",
        Reply.GOOD: "{clinic}: thank you, good to hear. Your page shows what comes next.",
        Reply.NOT_YET: "{clinic}: thank you. It can take time. Keep to your page. We ask again."
        " Worried? Call {office_phone}.",
        Reply.WORSE: "{clinic}: thank you, a nurse sees this. Cannot wait? Call"
        " {after_hours_phone} now. Emergency: call {emergency_number}.",
    },
    "es": {
        Reply.STOPPED: "{clinic}: ya no le llegan mensajes. Su página sigue abierta."
        " Con START vuelven.",
        Reply.STARTED: "{clinic}: los mensajes le llegan otra vez. STOP los termina.",
        Reply.HELP: "{name}. ¿Preguntas? Llame al {office_phone}. STOP termina los mensajes.",
        Reply.READ_SOON: "{clinic}: lo leemos hoy. ¿No puede esperar? Llame ahora al"
        " {after_hours_phone}. Emergencia: {emergency_number}. STOP termina los mensajes.",
        Reply.READ_LATER: "{clinic}: cerrado; lo leemos {when}. ¿No puede esperar? Llame al"
        " {after_hours_phone}, a toda hora. Emergencia: {emergency_number}.",
        Reply.READ_SOME_TIME: "{clinic}: lo leemos a más tardar el próximo día hábil. ¿No puede"
        " esperar? Llame ahora al {after_hours_phone}. Emergencia: {emergency_number}.",
        Reply.GOOD: "{clinic}: gracias, nos alegra. El enlace muestra lo que sigue.",
        Reply.NOT_YET: "{clinic}: gracias. Lleva su tiempo. Siga con su plan. Le preguntamos otra"
        " vez. ¿Dudas? Llame al {office_phone}.",
        Reply.WORSE: "{clinic}: gracias, lo ve una enfermera. ¿No puede esperar? Llame ahora al"
        " {after_hours_phone}. Emergencia: {emergency_number}.",
    },
}


def reply(which: Reply, clinic: Clinic, language: str, *, when: str = "") -> str:
    forms = REPLIES.get(language, REPLIES["en"])
    fill = {**clinic.words, "name": clinic.name, "clinic": clinic.sms_name, "when": when}
    return forms[which].format_map(fill)


def received(clinic: Clinic, language: str, *, zone: tzinfo, now: datetime) -> str:
    """The answer to a text that people must read: who reads it and when, and whom to call now.

    The hour is said in `zone`, the sender's; a clinic that keeps no hours promises none.
    """
    hours = opening(clinic.opening_hours, zone=clinic.tz, now=now)
    if hours is None:
        return reply(Reply.READ_SOME_TIME, clinic, language)
    if hours.is_open:
        return reply(Reply.READ_SOON, clinic, language)
    when = words.moment(hours.changes_at.astimezone(zone), now.astimezone(zone), language)
    return reply(Reply.READ_LATER, clinic, language, when=when)
