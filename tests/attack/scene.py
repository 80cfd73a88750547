"""Two clinics, each with one of everything, and every address of the site with their numbers in it.

The attacks know the site as an insider would: its whole URLconf, and which rows are whose.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patients import links
from patients.acts import report_signs
from patients.models import Clinic, ImportFile, ImportRow, StaffUser, Treatment
from patients.models.clinic import Role
from patients.protocol import TierAction
from reminders.heartbeat import beat
from reminders.models import Concern, Note, Reminder, State, Task
from tests.builders import (
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)
from tests.patients.test_access import ADDRESSES, OF_PATIENTS

__all__ = ["ADDRESSES"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
USED = ("GET", "HEAD", "POST")


@dataclass(frozen=True)
class Scene:
    """One clinic with a row of every kind that an address or a form can name."""

    clinic: Clinic
    staff: dict[Role, StaffUser]
    treatment: Treatment
    reminder: Reminder
    concern: Concern
    task: Task
    file: ImportFile

    @property
    def token(self) -> str:
        return links.token_of(self.treatment)

    def number_for(self, name: str) -> int:
        """The row of this clinic that the address called `name` is about."""
        if name.startswith("concern-"):
            return self.concern.pk
        if name.startswith("import-"):
            return self.file.pk
        rows: dict[str, Any] = {
            **dict.fromkeys(OF_PATIENTS, self.treatment.patient),
            **dict.fromkeys(("clinic-person", "clinic-reset"), self.staff[Role.DESK]),
            "task-done": self.task,
            "again": self.reminder,
        }
        return int(rows.get(name, self.treatment).pk)


def make_scene(*, slug: str, number: int, words: str = "") -> Scene:
    """`number`: one digit, so that no two clinics share a phone; `words` stand in every text."""
    clinic = make_clinic(name=f"The {slug} clinic", slug=slug, sms_sender=f"+1202555010{number}")
    staff = {role: make_staff(clinic=clinic, role=role, name=f"{role} {slug}") for role in Role}
    patient = make_patient(
        clinic=clinic,
        first_name=words[:60] or "Maria",
        last_name=words[:60] or f"Of{slug}",
        phone=f"+1202555014{number}",
        email=f"maria@{slug}.example",
    )
    treatment = log(patient=patient, by=staff[Role.DESK])
    now = treatment.logged_at
    beat(now=now)  # the site is well
    reminder = set_state(reminder_of(treatment, "handover"), State.FAILED)
    make_attempt(reminder, provider_id=f"SM{slug}", error_code="30005", body=words or "A text.")
    report_signs(treatment=treatment, tier=TierAction.CALL_CLINIC, signs=["pus"], now=now)
    concern = Concern.objects.create(
        clinic=clinic,
        patient=patient,
        reminder=reminder_of(treatment, "cleanse"),
        kind=Concern.Kind.MOVED,
        detail=words[:200],
        opened_at=now,
    )
    task = Task.objects.create(
        clinic=clinic,
        patient=patient,
        text=words[:200] or "Call",
        owner=staff[Role.NURSE],
        due_at=now + timedelta(hours=1),
        made_by=staff[Role.NURSE],
        made_at=now,
    )
    Note.objects.create(
        patient=patient, text=words or "Was well.", by=staff[Role.NURSE], written_at=now
    )
    file = ImportFile.objects.create(
        clinic=clinic,
        name=words[:120] or "list.csv",
        state=ImportFile.State.CHECKED,
        digest=uuid.uuid4().hex,
        header=[words or "First name", "Last name", "Mobile"],
        total=1,
        bad=1,
        uploaded_at=now,
        uploaded_by=staff[Role.DESK],
    )
    cells = [words or "Ana", "Lopez", "12"]
    ImportRow.objects.create(file=file, number=2, cells=cells, problem=words[:300] or "No number.")
    return Scene(clinic, staff, treatment, reminder, concern, task, file)


# --- Addresses ----------------------------------------------------------------------------------


def keys_of(name: str) -> set[str]:
    """What stands in the address besides fixed words: `pk`, `token` …"""
    return set(ADDRESSES[name].pattern.converters)


def address(name: str, scene: Scene) -> str:
    """The address called `name` with this clinic's numbers and link in it."""
    known: dict[str, object] = {
        "token": uuid.uuid4() if name == "twilio-status" else scene.token,
        "provider": "postmark",
        "rule": "handover",  # of which one has failed
        "pk": scene.number_for(name),
    }
    return reverse(name, kwargs={key: known.get(key, "1") for key in keys_of(name)})


# --- Attackers ----------------------------------------------------------------------------------


def signed_in(user: StaffUser | None, **more: Any) -> Client:
    """A browser of theirs; an error of the server is an answer with 500 and no exception."""
    client = Client(raise_request_exception=False, **more)
    if user is not None:
        client.force_login(user)
    return client


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is done within is undone, so that the next attack meets the same rows."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


@contextmanager
def writes() -> Iterator[list[str]]:
    """The writing statements that were run within."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield found
    sent = [query["sql"] for query in queries]
    found += [
        sql for sql in sent if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
    ]
