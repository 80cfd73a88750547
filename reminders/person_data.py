"""All that is kept about one person, for themselves: as JSON, and to be read.

Flat lists of plain values: one shape for the file and the page. Links are masked as they are
stored; nothing of a colleague is in it but a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from patients.models import CheckIn, Consent, Correction, Patient, Reading, Report, Treatment
from patients.models.patient import standing_stops
from patients.page_report import signs_said
from reminders.models import Attempt, Concern, InboundText, Note, Receipt, Reminder, Task
from reminders.redaction import addresses_of, shared

Row = dict[str, Any]
TITLES = {
    "person": "The person",
    "consents": "What was agreed to",
    "stops": "Messages stopped",
    "treatments": "Treatments",
    "corrections": "Times put right",
    "read": "“I have read this”",
    "check_ins": "Check-ins answered",
    "warning_signs": "Warning signs ticked",
    "messages": "Messages planned",
    "calls": "Messages sent, word for word",
    "receipts": "What the providers said of them",
    "texts": "Texts received",
    "concerns": "What was put before a nurse",
    "notes": "Notes",
    "tasks": "Tasks",
}


# What is not plain from its own key.
LABELS = {
    "id": "Message no.",
    "message": "Message no.",
    "treatment": "Treatment no.",
    "record": "Record no.",
    "wording": "Words of",
    "called_at": "Sent",
    "to_address": "To",
    "from_address": "From",
    "body": "Text",
    "due_at": "Planned for",
    "state_at": "Since",
    "rule": "Which",
}
VALUES = {"sms": "text message", "desk": "at the desk", "page": "on the page"}


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of the page; each item is a list of (label, value)."""

    title: str
    items: tuple[tuple[tuple[str, str], ...], ...]


def data_of(patient: Patient) -> dict[str, list[Row]]:
    """Everything, by the keys of `TITLES`; moments are aware datetimes."""
    return {
        "person": [_person(patient)],
        "consents": _rows(
            Consent.objects.filter(patient=patient),
            "recorded_at", "scope", "channel", "given", "wording", "how", "source",
        ),
        "stops": [
            {"stopped_at": row.recorded_at, "channel": row.channel, "address": row.address,
             "how": row.how}
            for row in standing_stops([patient.clinic_id], addresses_of(patient))
        ],
        "treatments": list(_treatments(patient)),
        "corrections": _rows(
            Correction.objects.filter(treatment__patient=patient),
            "treatment", "corrected_at", "old_treated_at", "new_treated_at", "reason",
        ),
        "read": _rows(Reading.objects.filter(treatment__patient=patient), "treatment", "read_at"),
        "check_ins": _rows(
            CheckIn.objects.filter(treatment__patient=patient),
            "treatment", "answered_at", "rule", "feels_normal", "trend", "wants_call",
        ),
        "warning_signs": list(_reports(patient)),
        "messages": _rows(
            Reminder.objects.filter(treatment__patient=patient),
            "treatment", "id", "rule", "channel", "state", "due_at", "state_at", "skip_reason",
        ),
        "calls": _rows(
            Attempt.objects.filter(reminder__treatment__patient=patient),
            "called_at", "to_address", "subject", "body", "outcome", "error_code",
            message=F("reminder"),
        ),
        "receipts": _rows(
            Receipt.objects.filter(attempt__reminder__treatment__patient=patient),
            "received_at", "status", "error_code", "provider_id", message=F("attempt__reminder"),
        ),
        "texts": _rows(_texts(patient), "received_at", "from_address", "body", "meaning"),
        "concerns": _rows(
            Concern.objects.filter(patient=patient),
            "opened_at", "kind", "detail", "closed_at", "closed_reason",
        ),
        "notes": _rows(Note.objects.filter(patient=patient), "written_at", "call", "text"),
        "tasks": _rows(Task.objects.filter(patient=patient), "made_at", "text", "done_at"),
    }  # fmt: skip


def readable(data: dict[str, list[Row]], patient: Patient) -> list[Part]:
    """The same as words, on the patient's clock; what is empty is left out."""
    return [
        Part(TITLES[key], tuple(_item(row, patient) for row in rows))
        for key, rows in data.items()
        if rows
    ]


def _item(row: Row, patient: Patient) -> tuple[tuple[str, str], ...]:
    return tuple(
        (LABELS.get(key, key.replace("_", " ").capitalize()), _said(value, patient))
        for key, value in row.items()
        if value not in ("", None)
    )


def _said(value: object, patient: Patient) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(patient.tz):%b %-d, %Y, %-I:%M %p}"
    return VALUES.get(str(value), str(value))


def _rows(found: QuerySet[Any], *fields: str, **more: Any) -> list[Row]:
    return list(found.order_by("pk").values(*fields, **more))


def _person(patient: Patient) -> Row:
    return {
        "record": patient.pk,
        "first_name": patient.first_name,
        "last_name": patient.last_name,
        "mobile": patient.address("sms"),
        "email": patient.email,
        "messages_by": patient.get_channel_display(),
        "language": patient.language,
        "time_zone": patient.tz.key,
        "detailed_wording": patient.wants_details,
        "since": patient.created_at,
        "clinic": patient.clinic.name,
    }


def _treatments(patient: Patient) -> Iterator[Row]:
    rows: Iterable[Treatment] = patient.treatments.select_related("version").order_by("pk")
    for row in rows:
        yield {
            "treatment": row.pk,
            "ended": row.treated_at,
            "what": row.version.protocol.words("en").name,
            "session": row.get_session_display(),
            "plan": f"version {row.version.number}",
            "treated_by": row.practitioner,
            "logged": row.logged_at,
            "voided": row.voided_at,
            "why_voided": row.void_reason,
            "link_open_until": row.link_expires_at,
        }


def _reports(patient: Patient) -> Iterator[Row]:
    rows = Report.objects.filter(treatment__patient=patient).select_related("treatment__version")
    for row in rows.order_by("pk"):
        protocol = row.treatment.version.protocol
        yield {
            "treatment": row.treatment_id,
            "ticked": row.opened_at,
            "how_urgent": row.get_tier_display(),
            "signs": "; ".join(signs_said(protocol, row.signs, "en", patient.clinic.words)),
            "closed": row.closed_at,
        }


def _texts(patient: Patient) -> QuerySet[InboundText]:
    """Those put on this record, and those from a number that is this person's alone."""
    addresses = addresses_of(patient)
    alone = Q(clinic=patient.clinic, from_address__in=addresses - shared(patient, addresses))
    return InboundText.objects.filter(Q(concerns__patient=patient) | alone).distinct()
