"""Finding a patient of one clinic: by name, by the end of the phone number, by email."""

from __future__ import annotations

import re

from django.db.models import Max, Q, QuerySet

from patients.models import Clinic, Patient

SHOWN = 8
LEAST_LETTERS = 2
LEAST_DIGITS = 3


def find_patients(clinic: Clinic, typed: str) -> list[Patient]:
    """Up to `SHOWN` patients, the latest visit first; each with `last_treated_at`."""
    wanted = _wanted(typed.strip())
    return list(_seen(clinic).filter(wanted)[:SHOWN]) if wanted else []


def same_person(
    clinic: Clinic, *, first_name: str, last_name: str, phone: str, email: str
) -> list[Patient]:
    """Patients with this name and this phone or email: very likely the same person."""
    contact = _contact(phone, email)
    if not contact or not first_name or not last_name:
        return []
    named = Q(first_name__iexact=first_name.strip(), last_name__iexact=last_name.strip())
    return list(_seen(clinic).filter(named & contact)[:SHOWN])


def same_contact(clinic: Clinic, *, phone: str, email: str) -> list[Patient]:
    """Patients reached at this phone or email: the same person, or one of the family."""
    contact = _contact(phone, email)
    return list(_seen(clinic).filter(contact)[:SHOWN]) if contact else []


def _seen(clinic: Clinic) -> QuerySet[Patient]:
    last = Max("treatments__treated_at", filter=Q(treatments__voided_at=None))
    return (
        clinic.patients.select_related("clinic")
        .annotate(last_treated_at=last)
        .order_by("-last_treated_at", "last_name", "first_name")
    )


def _contact(phone: str, email: str) -> Q:
    contact = Q(phone=phone) if phone else Q()
    return contact | Q(email__iexact=email) if email else contact


def _wanted(typed: str) -> Q:
    digits = re.sub(r"\D", "", typed)
    if "@" in typed:
        return Q(email__istartswith=typed)
    if len(digits) >= LEAST_DIGITS and not re.search(r"[^\W\d_]", typed):
        return Q(phone__endswith=digits)
    wanted = Q()
    if len(typed) < LEAST_LETTERS:
        return wanted
    for part in typed.split():
        # SQLite folds the case of a-z only; the second form finds "Ángel" by "ángel".
        wanted &= (
            Q(first_name__istartswith=part)
            | Q(last_name__istartswith=part)
            | Q(first_name__startswith=part.capitalize())
            | Q(last_name__startswith=part.capitalize())
        )
    return wanted
