"""render(reminder): the one renderer. What the patient gets, the board's preview shows.

Texts come from the treatment's pinned protocol, in the patient's language; neutral unless the
patient chose detailed wording. While the rule's gate is still ahead the words state its hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string

from patients import links, words
from patients.timeline import fill_text
from reminders.email_words import email_words
from reminders.models import ANSWER, Reminder


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message as it leaves. `text` is the whole SMS, or the email's text part."""

    subject: str
    text: str
    html: str
    link: str

    def masked(self) -> str:
        """`text` with the personal link masked, fit to be stored."""
        return self.text.replace(self.link, links.masked_address())


def render(reminder: Reminder, *, at: datetime) -> Rendered:
    """The words of `reminder` if it leaves at `at`. Needs its treatment, patient, clinic, version.

    Email parts: subject, text and HTML; a text message has only `text`.
    """
    treatment = reminder.treatment
    patient = treatment.patient
    protocol = treatment.version.protocol
    language = protocol.spoken(patient.language)
    if reminder.rule == ANSWER:
        return _answer(reminder, language)
    texts = protocol.words(language).reminders[reminder.rule]
    ahead = reminder.gate_at is not None and reminder.gate_at > at
    message = texts.ahead if ahead and texts.ahead is not None else texts.plain
    fill = _fill(reminder, language)
    if reminder.channel == "sms":
        body = message.sms_detailed if patient.wants_details else message.sms
        text = fill_text(body, {**fill, "clinic": patient.clinic.sms_name})
        return Rendered("", text, "", fill["link"])
    body = message.email_detailed if patient.wants_details else message.email
    return _email(fill_text(message.subject, fill), fill_text(body, fill), fill, language)


def _answer(reminder: Reminder, language: str) -> Rendered:
    """What staff wrote, word for word: nothing in it is filled in."""
    fill = _fill(reminder, language)
    if reminder.channel == "sms":
        return Rendered("", reminder.words, "", fill["link"])
    return _email(fill["clinic"], reminder.words, fill, language)


def _fill(reminder: Reminder, language: str) -> dict[str, str]:
    treatment = reminder.treatment
    patient = treatment.patient
    gate_at = reminder.gate_at.astimezone(patient.tz) if reminder.gate_at else None
    return {
        **patient.clinic.words,
        "link": links.address_of(treatment),
        "first_name": patient.first_name,
        "gate_time": words.hour(gate_at, language) if gate_at else "",
    }


def _email(subject: str, body: str, fill: dict[str, str], language: str) -> Rendered:
    say = {name: fill_text(text, fill) for name, text in email_words(language).items()}
    context = {"say": say, "language": language, "clinic": fill["clinic"], "link": fill["link"]}
    context |= {"subject": subject, "body": body}
    return Rendered(
        subject,
        render_to_string("email/reminder.txt", context),
        render_to_string("email/reminder.html", context),
        fill["link"],
    )
