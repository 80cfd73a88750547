"""A record loses whatever tells who it was: after the clinic's period, or because it was asked for.

What stays are the figures: which message was to go when and what became of it, that consent was
given, which signs were ticked. A stop stays too, its address as a keyed hash, so that it holds if
the number ever comes back. One transaction a record, and a row in the audit trail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from patients import audit, links
from patients.models import (
    AuditAct,
    AuditRow,
    Consent,
    Correction,
    Erasure,
    ImportRow,
    OptOut,
    Patient,
    Report,
    StaffUser,
    Treatment,
)
from patients.models.patient import hidden
from patients.models.search_text import fold
from reminders.models import Attempt, Concern, InboundText, Note, Reminder, State, Task
from reminders.moments import Skip

GONE = "Erased"
CLOSED_BECAUSE = "The record was erased."


class NotErased(ValueError):
    """The record stays as it is; the text says why, for whoever asked."""


@transaction.atomic
def redact(
    patient_id: int, *, why: Erasure.Why, now: datetime, by: StaffUser | None = None
) -> Erasure:
    """Take out of the record whatever names the person. Raises `NotErased`."""
    patient = Patient.objects.select_for_update(no_key=True).select_related("clinic").get(
        pk=patient_id
    )  # fmt: skip
    _refuse(patient)
    addresses = addresses_of(patient)
    alone = addresses - shared(patient, addresses)
    _forget_texts(patient, alone, now)
    _forget_stops(patient, alone)
    _forget_list_rows(patient, alone)
    _forget_messages(patient, now)
    _forget_words(patient, by, now)
    _revoke(patient, by, now)
    _forget_person(patient)
    audit.record(
        AuditAct.REDACTED if why == Erasure.Why.PERIOD else AuditAct.ERASED,
        clinic=patient.clinic_id,
        by=by,
        role="" if by else AuditRow.Who.SYSTEM,
        patients=[patient],
        about=why.value,
    )
    return Erasure.objects.create(patient=patient, why=why.value, erased_by=by, erased_at=now)


def _refuse(patient: Patient) -> None:
    if Erasure.objects.filter(patient=patient).exists():
        raise NotErased("This record has been erased before.")
    if patient.holds.filter(lifted_at=None).exists():
        raise NotErased("This record is on hold. Lift the hold first.")
    if Reminder.objects.filter(treatment__patient=patient, state=State.SENDING).exists():
        raise NotErased("A message is leaving at this moment. Try again in a minute.")


def addresses_of(patient: Patient) -> set[str]:
    """Every number and email that this person was ever reached at."""
    tried = Attempt.objects.filter(reminder__treatment__patient=patient)
    found = set(tried.values_list("to_address", flat=True).distinct())
    found |= {patient.address("sms"), patient.address("email")}
    return {one for address in found if address for one in (address, address.lower())}


def shared(patient: Patient, addresses: set[str]) -> set[str]:
    """Those that somebody else is reached at, too: theirs as much."""
    others = Patient.objects.exclude(pk=patient.pk)
    reached = Q(phone__in=addresses)
    for one in addresses:
        reached |= Q(email__iexact=one)
    known = others.filter(reached).values_list("phone", "email")
    return {one for phone, email in known for one in (str(phone), email, email.lower())}


def _forget_texts(patient: Patient, alone: set[str], now: datetime) -> None:
    mine = Q(from_address__in=alone) & (Q(clinic=patient.clinic) | Q(clinic=None))
    told = Concern.objects.filter(patient=patient).exclude(text=None).values("text")
    others = Concern.objects.exclude(patient=patient).exclude(text=None).values("text")
    texts = InboundText.objects.filter(mine | (Q(pk__in=told) & ~Q(pk__in=others)))
    nobodys = Concern.objects.filter(patient=None, closed_at=None, text__in=texts.values("pk"))
    nobodys.update(closed_at=now, closed_reason=CLOSED_BECAUSE)
    for number in texts.values_list("from_address", flat=True).distinct():
        texts.filter(from_address=number).update(body="", from_address=hidden(number))


def _forget_stops(patient: Patient, alone: set[str]) -> None:
    for address in alone:
        stops = OptOut.objects.filter(clinic=patient.clinic, address=address)
        stops.update(address=hidden(address))


def _forget_list_rows(patient: Patient, alone: set[str]) -> None:
    """Lines of uploaded lists that were never taken in, if this person is in them."""
    name = set(fold(patient.full_name).split())
    ends = {re.sub(r"\D", "", one)[-9:] for one in alone if "@" not in one}
    emails = {one for one in alone if "@" in one}
    rows = ImportRow.objects.filter(file__clinic=patient.clinic)
    gone = [
        pk
        for pk, cells in rows.values_list("pk", "cells").iterator(chunk_size=1000)
        if _is_of(cells, name, ends, emails)
    ]
    rows.filter(pk__in=gone).delete()
    for file in patient.clinic.import_files.all():
        if name & set(fold(file.name).split()):
            file.name = "list"
            file.save(update_fields=["name"])


def _is_of(cells: Iterable[object], name: set[str], ends: set[str], emails: set[str]) -> bool:
    said = [str(cell) for cell in cells]
    words = set(fold(" ".join(said)).split())
    if name and name <= words:
        return True
    digits = {re.sub(r"\D", "", one)[-9:] for one in said}
    return bool(ends & digits) or any(one.strip().lower() in emails for one in said)


def _forget_messages(patient: Patient, now: datetime) -> None:
    mine = Reminder.objects.filter(treatment__patient=patient)
    mine.filter(state=State.PLANNED).update(
        state=State.SKIPPED, skip_reason=Skip.NO_CONTACT.value, state_at=now
    )
    mine.exclude(words="").update(words="")
    # Nobody asks a provider about it any more: it would have to say whom it was for.
    Attempt.objects.filter(reminder__treatment__patient=patient).update(
        to_address="", subject="", body="", look_at=None
    )


def _forget_words(patient: Patient, by: StaffUser | None, now: datetime) -> None:
    """What people have written down, and what still asks for somebody."""
    Note.objects.filter(patient=patient).update(text="")
    tasks = Task.objects.filter(patient=patient)
    tasks.filter(done_at=None).update(done_at=now, done_by=by)
    tasks.update(text=GONE)
    concerns = Concern.objects.filter(patient=patient)
    concerns.update(detail="")
    concerns.exclude(closed_reason="").update(closed_reason=GONE)
    concerns.filter(closed_at=None).update(
        closed_at=now, closed_by=by, closed_reason=CLOSED_BECAUSE
    )
    Report.objects.filter(treatment__patient=patient, closed_at=None).update(
        closed_at=now, closed_by=by
    )
    Correction.objects.filter(treatment__patient=patient).update(reason=GONE)
    Consent.objects.filter(patient=patient).exclude(source="").update(source=GONE)
    Treatment.objects.filter(patient=patient).exclude(void_reason="").update(void_reason=GONE)


def _revoke(patient: Patient, by: StaffUser | None, now: datetime) -> None:
    for treatment in patient.treatments.all():
        treatment.patient = patient
        links.revoke(treatment, by=by, role="" if by else AuditRow.Who.SYSTEM)
    patient.treatments.filter(link_expires_at__gt=now).update(link_expires_at=now)


def _forget_person(patient: Patient) -> None:
    patient.first_name, patient.last_name = GONE, f"no. {patient.pk}"
    patient.phone, patient.email, patient.zone = "", "", ""
    patient.wants_details = False
    patient.save()
