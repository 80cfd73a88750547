"""What a patient is found by: name, number and email as one plain text, kept beside the row.

Letters lose their accents and their case, so that "elodie" finds "Élodie". Every word of the name
begins after a blank, the digits of the number and the email end with a line break: so the begin
of a word, the end of a number and the begin of an email are each one substring.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from patients.models.patient import Patient

APOSTROPHES = re.compile(r"['’‘`´]")
NO_LETTER = re.compile(r"[^\w]|_")
END = "\n"


def fold(text: str) -> str:
    """`O’Hara-Lindqvist Élodie` → `ohara lindqvist elodie`."""
    plain = "".join(
        one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one)
    )
    return " ".join(NO_LETTER.sub(" ", APOSTROPHES.sub("", plain)).casefold().split())


def search_text_of(patient: Patient) -> str:
    digits = re.sub(r"\D", "", str(patient.phone or ""))
    return f" {fold(patient.full_name)}{END}{digits}{END}{patient.email.lower()}{END}"


class SearchTextField(models.TextField):  # type: ignore[type-arg]
    """Written with every save of the whole row; a partial one must name it to keep it right."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        text = search_text_of(model_instance)
        setattr(model_instance, self.attname, text)
        return text
