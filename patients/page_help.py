"""The warning signs and whom to call, drawn: the same for every patient of a clinic at an hour.

A third of the page's words stand here and nothing in them is of a person, so they are drawn once
and kept; whatever changes them (the plan, the clinic's numbers, its hours) is part of what they
are kept by.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from patients.page_calls import Care, Contact
from patients.page_frame import Frame
from patients.page_words import page_words


@dataclass(frozen=True, slots=True)
class Help:
    language: str
    hours: str
    care: tuple[Care, ...]
    contacts: tuple[Contact, ...]


def help_of(frame: Frame) -> SafeString:
    fill = frame.treatment.patient.clinic.words
    return _drawn(
        Help(
            frame.language,
            frame.calls.hours.text,
            frame.calls.care(frame.protocol, frame.language, fill),
            frame.calls.contacts(frame.protocol, frame.language, fill),
        )
    )


@lru_cache(maxsize=512)
def _drawn(told: Help) -> SafeString:
    return render_to_string("patient/signs.html", {"page": told, "say": page_words(told.language)})
