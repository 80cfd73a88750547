"""Finding a patient of one clinic: by name, by the end of the phone number, by email.

First who is written as typed; where those are few, also who is written almost so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import F, Max, Q, QuerySet
from django.db.models.expressions import RawSQL

from patients.models import Clinic, Patient
from patients.models.search_text import END, fold
from patients.patient_index import holds, resembles

SHOWN = 8
FEW = 3
LEAST_LETTERS = 2
LEAST_DIGITS = 3
LOOKED_AT = 60  # candidates, the newest patients first: what a search reads stays bounded
MOST_WORDS = 6  # of a name that are compared with others
LIKENESS = 0.7  # of two words that may be the same: "maira" and "maria" are 0.8


@dataclass(frozen=True, slots=True)
class Found:
    """`more`: there are others, another letter finds them; `almost`: written a little otherwise."""

    patients: list[Patient]
    almost: list[Patient]
    more: bool = False


def find_patients(clinic: Clinic, typed: str) -> Found:
    """Up to `SHOWN` patients of each kind with `last_treated_at`, the latest visit first."""
    pieces, words = _pieces(typed), fold(typed).split()
    if not pieces:
        return Found([], [])
    ids = list(_newest(clinic, holds(pieces)).values_list("id", flat=True))
    patients = _seen(clinic, ids, most=SHOWN)
    almost = []
    if len(ids) < FEW and not re.search(r"[\d@]", typed):
        almost = _almost(clinic, words, without=ids)
    return Found(patients, almost, more=len(ids) > SHOWN)


def same_person(
    clinic: Clinic, *, first_name: str, last_name: str, phone: str, email: str
) -> list[Patient]:
    """Patients with almost this name and this phone or email: very likely the same person."""
    if not first_name or not last_name:
        return []
    words = fold(f"{first_name} {last_name}").split()
    reached = same_contact(clinic, phone=phone, email=email)
    return [one for one in reached if _likeness(words, one.full_name) >= LIKENESS]


def same_name(clinic: Clinic, *, first_name: str, last_name: str) -> list[Patient]:
    """Patients with this name, or almost: perhaps the same person with another number."""
    words = fold(f"{first_name} {last_name}").split()
    if not first_name or not last_name or not words:
        return []
    return _almost(clinic, words, without=())


def same_contact(clinic: Clinic, *, phone: str, email: str) -> list[Patient]:
    """Patients reached at this phone or email: the same person, or one of the family."""
    contact = Q(phone=phone) if phone else Q()
    contact = contact | Q(email__iexact=email) if email else contact
    if not contact:
        return []
    ids = clinic.patients.filter(contact).order_by("-id").values_list("id", flat=True)[:SHOWN]
    return _seen(clinic, ids)


def _pieces(typed: str) -> list[str]:
    """What the search text must hold: the begin of a word, the end of a number, of an email."""
    if "@" in typed:
        return [f"{END}{typed.strip().lower()}"]
    digits = re.sub(r"\D", "", typed)
    if digits and not re.search(r"[^\W\d_]", typed):
        return [f"{digits}{END}"] if len(digits) >= LEAST_DIGITS else []
    words = fold(typed).split()
    if sum(map(len, words)) < LEAST_LETTERS:
        return []
    return [f"{word}{END}" if word.isdecimal() else f" {word}" for word in words]


def _newest(clinic: Clinic, wanted: RawSQL) -> QuerySet[Patient]:
    # Not "-id": PostgreSQL would read the patients backwards in the hope of meeting some soon.
    return clinic.patients.filter(wanted).order_by(-F("id"))[:LOOKED_AT]


def _almost(clinic: Clinic, words: Sequence[str], *, without: Iterable[int]) -> list[Patient]:
    words = words[:MOST_WORDS]
    names = _newest(clinic, resembles(words)).values_list("id", "first_name", "last_name")
    alike = {one: _likeness(words, f"{first} {last}") for one, first, last in names}
    near = [one for one in alike if alike[one] >= LIKENESS and one not in without]
    nearest = sorted(near, key=lambda one: -alike[one])[:SHOWN]
    return sorted(_seen(clinic, nearest), key=lambda one: -alike[one.pk])


def _likeness(words: Sequence[str], name: str) -> float:
    """0 to 1: how like the name the word is that is least like it."""
    parts = fold(name).split()
    return min(max((_alike(word, part) for part in parts), default=0) for word in words)


def _alike(word: str, part: str) -> float:
    # A word may still be in the typing: it is held against as much of the name.
    if part.startswith(word):
        return 1
    begin = part[: len(word) + 1] if len(part) > len(word) + 1 else part
    return max(SequenceMatcher(None, word, one).ratio() for one in (begin, part[: len(word)]))


def _seen(clinic: Clinic, ids: Iterable[int], *, most: int = LOOKED_AT) -> list[Patient]:
    if not (wanted := list(ids)):
        return []
    last = Max("treatments__treated_at", filter=Q(treatments__voided_at=None))
    seen = clinic.patients.filter(pk__in=wanted).annotate(last_treated_at=last)
    patients: list[Patient] = list(
        seen.order_by("-last_treated_at", "last_name", "first_name")[:most]
    )
    for patient in patients:
        patient.clinic = clinic
    return patients
