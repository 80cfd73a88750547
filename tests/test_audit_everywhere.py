"""No view of the staff's can forget the audit trail: every address of the site, GET and POST."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from patients.models import (
    AuditAct,
    AuditMember,
    AuditRow,
    Clinic,
    ImportFile,
    ImportRow,
    StaffUser,
    Treatment,
)
from patients.models.clinic import Role
from reminders.inbox import receive_text
from reminders.models import Concern, State, Task
from tests.builders import (
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)
from tests.patients.test_access import sign_in_freshly
from tests.reminders.desk_form import filled

pytestmark = pytest.mark.thorough

COLUMNS = {"first_name": 0, "last_name": 1, "phone": 2, "days": "month"}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NAME, NUMBER, EMAIL = "Quillfeather", "+12025550188", "wren@quill.example"
MARKS = (NAME, "555-0188", "0188", EMAIL, "w•••@quill.example")
LOOKS = {
    act for act in AuditAct
    if list(AuditAct).index(act) <= list(AuditAct).index(AuditAct.OTHER)
}  # fmt: skip


def addresses(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one)
        else:
            yield one


def is_staffs(pattern: URLPattern) -> bool:
    module = getattr(pattern.callback, "__module__", "")
    return module.startswith(("reminders.", "patients.")) and getattr(
        pattern.callback, "login_required", True
    )


OF_THE_SESSION = {"lock", "locked", "still-here"}  # what is posted there moves a clock alone
STAFFS = {str(one.name): one for one in addresses(get_resolver()) if is_staffs(one)}


@dataclass
class World:
    """One clinic, one patient with everything that can be told of one, and whoever is signed in."""

    clinic: Clinic
    treatment: Treatment
    staff: StaffUser
    client: Client

    def path(self, name: str) -> str:
        keys = STAFFS[name].pattern.converters
        return reverse(name, kwargs={key: self.key(name, key) for key in keys})

    def key(self, name: str, key: str) -> object:
        if key != "pk":
            return {"rule": "handover"}[key]
        if name.startswith("concern-"):
            kind = Concern.Kind.MOVED if name == "concern-correct" else Concern.Kind.TEXT
            return self.concern(kind).pk
        if name.startswith("import-"):
            return self.a_list(name).pk
        return {
            "desk-returning": self.treatment.patient_id,
            "person-data": self.treatment.patient_id,
            "person-json": self.treatment.patient_id,
            "erase": self.treatment.patient_id,
            "hold": self.treatment.patient_id,
            "clinic-person": self.staff.pk,
            "clinic-reset": self.colleague().pk,
            "task-done": self.task().pk,
            "again": reminder_of(self.treatment, "handover").pk,
        }.get(name, self.treatment.pk)

    def colleague(self) -> StaffUser:
        email = "colleague@lakeside.example"
        found = StaffUser.objects.filter(email=email).first()
        return found or make_staff(clinic=self.clinic, email=email)

    def concern(self, kind: Concern.Kind) -> Concern:
        found = Concern.objects.filter(kind=kind, closed_at=None).first()
        return found or Concern.objects.create(
            clinic=self.clinic,
            patient=self.treatment.patient,
            reminder=reminder_of(self.treatment, "cleanse"),
            kind=kind,
            opened_at=timezone.now(),
        )

    def task(self) -> Task:
        return Task.objects.get_or_create(
            clinic=self.clinic,
            patient=self.treatment.patient,
            done_at=None,
            defaults={
                "text": "Call", "owner": self.staff, "made_by": self.staff,
                "due_at": timezone.now(), "made_at": timezone.now(),
            },
        )[0]  # fmt: skip

    def a_list(self, name: str) -> ImportFile:
        states = ImportFile.State
        state = states.ACCEPTED if name in {"import-again", "import-back"} else states.CHECKED
        file, is_new = ImportFile.objects.get_or_create(
            clinic=self.clinic,
            state=state,
            digest=f"digest of {state}",
            defaults={
                "header": ["First name", "Last name", "Mobile"],
                "columns": {"first_name": 0, "last_name": 1, "phone": 2},
                "uploaded_at": timezone.now(), "uploaded_by": self.staff, "total": 1, "bad": 1,
                "claimed_at": LONG_AGO if name == "import-again" else None,
            },
        )  # fmt: skip
        if is_new:
            cells = ["Wren", NAME, "0188"]
            ImportRow.objects.create(file=file, number=2, cells=cells, problem="Too short")
        return file

    def rows_of(self, ask: Any) -> tuple[HttpResponse, str, list[AuditRow]]:
        """The answer, its words, and the audit rows it has left."""
        last = AuditRow.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        answer = ask()
        body = b"".join(answer) if isinstance(answer, StreamingHttpResponse) else answer.content
        return answer, body.decode(), list(AuditRow.objects.filter(pk__gt=last).order_by("pk"))

    def is_about_her(self, row: AuditRow) -> bool:
        patient = self.treatment.patient_id
        groups = AuditMember.objects.filter(patient=patient).values_list("group", flat=True)
        return row.patient_id == patient or (row.group in set(groups))


@pytest.fixture
def world(db: None, client: Client) -> World:
    cache.clear()
    clinic = make_clinic()
    admin = make_staff(clinic=clinic, role=Role.ADMIN, name="Omar Haddad")
    patient = make_patient(
        clinic=clinic, first_name="Wren", last_name=NAME, phone=NUMBER, email=EMAIL
    )
    at = timezone.now() - timedelta(hours=2)
    treatment = log(patient=patient, treated_at=at, by=admin)
    failed = set_state(reminder_of(treatment, "handover"), State.FAILED, at=timezone.now())
    make_attempt(failed, error_code="30003", provider_id="SM1")
    receive_text(
        provider_id="SM2", sender=NUMBER, recipient=clinic.sms_sender.as_e164, body="It itches"
    )
    client.force_login(admin)
    return World(clinic, treatment, admin, client)


@pytest.mark.parametrize("name", sorted(STAFFS))
def test_whoever_is_shown_a_patient_leaves_a_row_that_names_the_record(
    world: World, name: str
) -> None:
    path = world.path(name)
    answer, said, rows = world.rows_of(lambda: world.client.get(path))
    if answer.status_code == 405:
        assert name in CHANGES or name in OF_THE_SESSION, (
            f"Say in CHANGES what is posted to {name}."
        )
        return
    assert answer.status_code in (200, 204, 302), name
    if not any(mark in said for mark in MARKS):
        return
    assert rows, f"{name} shows a patient and leaves no row."
    assert {row.act for row in rows} <= LOOKS
    if name in {"import-file", "import-columns", "import-bad"}:  # a line of a list is no record yet
        assert rows[-1].about.startswith("list ")
    else:
        assert any(world.is_about_her(row) for row in rows), f"{name} does not say whom."


def test_the_walk_meets_the_patient_where_she_is(world: World) -> None:
    """That the test above looks at pages that do show her, and not at empty ones."""
    shown = {
        name
        for name in STAFFS
        if any(
            mark in world.rows_of(lambda name=name: world.client.get(world.path(name)))[1]
            for mark in MARKS
        )
    }
    assert shown >= {
        "board", "story", "desk", "desk-returning", "missed", "export", "day-sheet", "concerns",
        "concern-close", "correct", "contact", "void", "answer", "note", "task", "import-bad",
        "import-file", "import-columns", "audit", "person-data", "person-json", "erase",
    }  # fmt: skip


SPREADSHEETS = ("csv", "excel", "spreadsheet", "tab-separated")


def test_what_a_spreadsheet_opens_is_known_by_what_it_is_and_not_by_its_name(world: World) -> None:
    """Those that are searched for live formulas are all there are."""
    met = {}
    for name in STAFFS:
        answer = world.client.get(world.path(name))
        said = answer["Content-Type"] + answer.get("Content-Disposition", "")
        met[name] = any(word in said for word in SPREADSHEETS)
    assert {name for name, is_one in met.items() if is_one} == {"export", "audit-csv", "import-bad"}


def _none(world: World) -> dict[str, Any]:
    return {}


def _signed_in_just_now(world: World) -> dict[str, Any]:
    sign_in_freshly(world.client)
    return {}


# What is posted to each address, and the last act it must leave; None: a look like any other.
CHANGES: dict[str, tuple[Any, AuditAct]] = {
    "desk": (lambda w: filled(first_name="Ada", last_name="Bell", phone="+12025550177"),
             AuditAct.CONSENT),
    "desk-returning": (lambda w: filled(first_name="Wren", last_name=NAME, phone=NUMBER),
                       AuditAct.CONSENT),
    "desk-search": (lambda w: {"find": NAME}, AuditAct.SEARCH),
    "desk-check": (lambda w: {"phone": NUMBER}, AuditAct.SEARCH),
    "imports": (lambda w: {"file": SimpleUploadedFile(
        "a.csv", b"First name,Last name,Mobile\nAda,Bell,2025550177\n")}, AuditAct.LIST_UPLOADED),
    "import-columns": (lambda w: COLUMNS, AuditAct.LIST_CHECKED),
    "import-accept": (_none, AuditAct.LIST_ACCEPTED),
    "import-again": (_none, AuditAct.LIST_AGAIN),
    "import-back": (_none, AuditAct.LIST_BACK),
    "import-forget": (_none, AuditAct.LIST_FORGOTTEN),
    "missed-again": (lambda w: {"reminder": reminder_of(w.treatment, "handover").pk,
                                "channel": "sms"}, AuditAct.SENT),
    "clinic-add": (lambda w: {"new-name": "Ann Lee", "new-email": "ann@lakeside.example",
                              "new-role": "desk"}, AuditAct.STAFF_ADDED),
    "clinic-reset": (_signed_in_just_now, AuditAct.STAFF_RESET),
    "clinic-person": (lambda w: {"role": "admin", "is_active": "on"}, AuditAct.STAFF_CHANGED),
    "clinic-test": (lambda w: {"to": "+12025550177"}, AuditAct.TEST_TEXT),
    "concern-take": (_none, AuditAct.TAKEN),
    "concern-close": (lambda w: {"why": "spoke"}, AuditAct.CLOSED),
    "concern-correct": (_none, AuditAct.CLOSED),
    "undo": (_none, AuditAct.LINK_REVOKED),
    "story-email": (lambda w: {"email": "new@quill.example", "agreed": "on"}, AuditAct.SENT),
    "void": (lambda w: {"reason": "Wrong patient"}, AuditAct.LINK_REVOKED),
    "answer": (lambda w: {"words": "Come by at five.", "channel": "sms"}, AuditAct.ANSWERED),
    "note": (lambda w: {"text": "Called."}, AuditAct.NOTE),
    "task": (lambda w: {"text": "Call", "owner": w.staff.pk, "due": "1h"}, AuditAct.TASK),
    "task-done": (_none, AuditAct.TASK_DONE),
    "again": (lambda w: {"channel": "sms"}, AuditAct.SENT),
    "own-summary": (lambda w: {"wants": "1"}, AuditAct.STAFF_CHANGED),
    "number": (_none, AuditAct.NUMBER),
    "concern-number": (_none, AuditAct.NUMBER),
    "erase": (lambda w: {"why": "asked", "last_name": NAME}, AuditAct.ERASED),
    "hold": (lambda w: {"hold": "complaint"}, AuditAct.HELD),
}  # fmt: skip


def clinic_form(world: World) -> dict[str, Any]:
    form = world.client.get(reverse("clinic")).context["form"]
    return {field.html_name: field.value() or "" for field in form if field.name != "meant"} | {
        "meant": "on"
    }


def corrected(world: World) -> dict[str, Any]:
    here: datetime = (world.treatment.treated_at - timedelta(minutes=30)).astimezone(
        world.clinic.tz
    )
    typed = {"treated_at": f"{here:%Y-%m-%dT%H:%M}", "reason": "Wrong hour"}
    page = world.client.post(world.path("correct"), typed)
    return typed | {"previewed": page.context["previewed"], "save": ""}


def corrected_contact(world: World) -> dict[str, Any]:
    path = world.path("contact")
    typed = {"first_name": "Wren", "last_name": NAME, "phone": "+12025550177", "channel": "sms"}
    context = world.client.post(path, typed).context
    return typed | {
        "record": context["record"], "previewed": context["form"].shown, "save": "",
    }  # fmt: skip


CHANGES["clinic"] = (clinic_form, AuditAct.CLINIC)
CHANGES["contact"] = (corrected_contact, AuditAct.DETAILS)
CHANGES["correct"] = (corrected, AuditAct.CORRECTED)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_whoever_changes_something_leaves_a_row(world: World, name: str) -> None:
    typed, act = CHANGES[name]
    path, data = world.path(name), typed(world)
    if name == "undo":
        Treatment.objects.update(logged_at=timezone.now())
    if name == "desk-returning":
        data |= {"confirmed": " ".join(world.client.post(path, data).context["asked"])}
    answer, _, rows = world.rows_of(lambda: world.client.post(path, data))
    acts = [row.act for row in rows]
    assert act in acts, (name, answer.status_code, acts)
    assert {row.user_id for row in rows} == {world.staff.pk}
    if act not in STAFF_OR_LISTS and name != "desk":
        assert any(world.is_about_her(row) for row in rows)


STAFF_OR_LISTS = {
    *(AuditAct.LIST_UPLOADED, AuditAct.LIST_CHECKED, AuditAct.LIST_ACCEPTED, AuditAct.LIST_AGAIN),
    *(AuditAct.LIST_FORGOTTEN, AuditAct.CLINIC, AuditAct.STAFF_ADDED, AuditAct.STAFF_CHANGED),
    *(AuditAct.TEST_TEXT, AuditAct.LIST_BACK, AuditAct.STAFF_RESET),
}


@pytest.mark.parametrize("name", sorted(set(STAFFS) - set(CHANGES) - OF_THE_SESSION))
def test_whatever_takes_a_post_says_what_it_must_leave(world: World, name: str) -> None:
    answer = world.client.post(world.path(name))
    assert answer.status_code == 405, f"Say in CHANGES what is posted to {name}."
