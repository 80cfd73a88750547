"""Who may open what: every address of the site × every role, and the wall between two clinics."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from patients.models import Clinic, ImportFile, StaffUser, Treatment
from patients.models.clinic import Role
from reminders.models import Concern, Task
from tests.builders import PASSWORD, log, make_clinic, make_patient, make_staff

OPEN = "open to everybody"
STAFF = "all staff"
ADMIN = "the clinic's admin"
# Every address by its name. One that is missing here fails the test below: decide who may open it.
WHO_MAY = {
    "recovery-page": OPEN,
    "calendar": OPEN,  # the token in its address
    "paper": OPEN,  # the same
    "kept": OPEN,  # the same
    "kept-wrong": OPEN,  # the same
    "kept-unsent": OPEN,  # the same
    "manifest": OPEN,  # the same
    "worker": OPEN,  # a script, the same for everybody
    "recovery-read": OPEN,
    "recovery-wrong": OPEN,
    "recovery-sent": OPEN,
    "recovery-check-in": OPEN,
    "recovery-choices": OPEN,
    "recovery-not-you": OPEN,
    "twilio-status": OPEN,  # signed
    "twilio-inbound": OPEN,  # signed
    "email-webhook": OPEN,  # signed
    "unsubscribe": OPEN,  # the token in its address
    "healthz": OPEN,
    "readyz": OPEN,
    "readyz-web": OPEN,
    "metrics": OPEN,  # the token in its header
    "account_login": OPEN,
    "account_logout": OPEN,
    "account_signup": OPEN,  # says that nobody signs up
    "account_inactive": OPEN,
    "home": STAFF,
    "desk": STAFF,
    "desk-search": STAFF,
    "desk-check": STAFF,
    "desk-returning": STAFF,
    "board": STAFF,
    "board-changes": STAFF,
    "missed": STAFF,
    "export": STAFF,
    "day-sheet": STAFF,
    "figures": STAFF,
    "clinic": ADMIN,
    "clinic-add": ADMIN,
    "clinic-person": ADMIN,
    "clinic-test": ADMIN,
    "missed-again": STAFF,
    "concerns": STAFF,
    "concern-close": STAFF,
    "concern-take": STAFF,
    "concern-correct": STAFF,
    "story": STAFF,
    "story-handover": STAFF,
    "imports": STAFF,
    "import-file": STAFF,
    "import-columns": STAFF,
    "import-accept": STAFF,
    "import-again": STAFF,
    "import-back": STAFF,
    "import-progress": STAFF,
    "import-bad": STAFF,
    "import-forget": STAFF,
    "undo": STAFF,
    "story-email": STAFF,
    "correct": STAFF,
    "void": STAFF,
    "answer": STAFF,
    "note": STAFF,
    "task": STAFF,
    "task-done": STAFF,
    "again": STAFF,
    "number": STAFF,
}
MEET = {
    "desk-search": 200,
    "desk-check": 200,
    "home": 302,
    "missed-again": 302,
    "clinic-person": 302,
    "clinic-test": 302,
    "board-changes": 204,
    "undo": 302,
    "concern-take": 302,
    "import-accept": 302,
    "import-again": 302,
    "import-back": 302,
    "import-forget": 302,
    "concern-correct": 302,
    "task-done": 302,
    "again": 302,
}
POSTED = {
    *("desk-search", "desk-check", "concern-take", "concern-correct"),
    *("task-done", "again", "number", "missed-again", "undo", "story-email"),
    *(
        "import-accept",
        "import-again",
        "import-back",
        "import-forget",
        "clinic-add",
        "clinic-person",
        "clinic-test",
    ),
}
OBJECTS = (
    "desk-returning story story-handover story-email undo correct void "
    "concern-close concern-take concern-correct answer note task task-done again number "
    "import-file import-columns import-accept import-again import-back import-progress "
    "import-bad import-forget"
).split()


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one)
        else:
            yield one


ADDRESSES = {str(one.name): one for one in patterns(get_resolver())}


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic()))


def open_concern(treatment: Treatment) -> Concern:
    return Concern.objects.create(
        clinic=treatment.patient.clinic,
        patient=treatment.patient,
        reminder=treatment.reminders.get(rule="cleanse"),
        kind=Concern.Kind.MOVED,
        opened_at=treatment.logged_at,
    )


def open_task(treatment: Treatment) -> Task:
    clinic, at = treatment.patient.clinic, treatment.logged_at
    owner = clinic.staff.first() or make_staff(clinic=clinic, email="owner@lakeside.example")
    return Task.objects.create(
        clinic=clinic, patient=treatment.patient, text="Call", owner=owner, due_at=at,
        made_by=owner, made_at=at,
    )  # fmt: skip


def checked_list(treatment: Treatment) -> ImportFile:
    return ImportFile.objects.create(
        clinic=treatment.patient.clinic,
        state=ImportFile.State.CHECKED,
        digest=uuid.uuid4().hex,
        uploaded_at=treatment.logged_at,
    )


def open_it(client: Client, name: str, treatment: Treatment) -> int:
    keys = ADDRESSES[name].pattern.converters
    known: dict[str, object] = {"token": uuid.uuid4(), "provider": "any", "rule": "day-2"}
    known["pk"] = treatment.patient_id if name == "desk-returning" else treatment.pk
    if name.startswith("concern-"):
        known["pk"] = open_concern(treatment).pk
    if name == "task-done":
        known["pk"] = open_task(treatment).pk
    if name == "again":
        known["pk"] = treatment.reminders.get(rule="handover").pk
    if name == "clinic-person":
        clinic = treatment.patient.clinic
        known["pk"] = make_staff(clinic=clinic, email="one@lakeside.example").pk
    if name.startswith("import-"):
        known["pk"] = checked_list(treatment).pk
    address = reverse(name, kwargs={key: known[key] for key in keys})
    return (client.post if name in POSTED else client.get)(address).status_code


def test_every_address_of_the_site_is_in_the_table() -> None:
    assert set(ADDRESSES) == set(WHO_MAY)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", [name for name, who in WHO_MAY.items() if who != OPEN])
def test_every_role_opens_what_it_may(
    client: Client, treatment: Treatment, name: str, role: Role
) -> None:
    client.force_login(make_staff(clinic=treatment.patient.clinic, role=role))
    may = WHO_MAY[name] == STAFF or role == Role.ADMIN
    assert open_it(client, name, treatment) == (MEET.get(name, 200) if may else 403)


@pytest.mark.parametrize("name", [name for name, who in WHO_MAY.items() if who != OPEN])
def test_a_visitor_is_led_to_the_sign_in(client: Client, treatment: Treatment, name: str) -> None:
    assert open_it(client, name, treatment) == 302
    keys = ADDRESSES[name].pattern.converters
    response = client.get(reverse(name, kwargs=dict.fromkeys(keys, treatment.pk)))
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", [name for name, who in WHO_MAY.items() if who == OPEN])
def test_what_is_open_asks_no_visitor_to_sign_in(
    client: Client, treatment: Treatment, name: str
) -> None:
    status = open_it(client, name, treatment)
    assert status in {200, 302, 404, 405, 503}
    assert status != 302 or name == "account_logout"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_another_clinics_object_answers_404(
    client: Client, treatment: Treatment, name: str, role: Role
) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    client.force_login(make_staff(clinic=other, role=role))
    assert open_it(client, name, treatment) == 404


@pytest.mark.parametrize("view", ["correct", "void"])
def test_another_clinics_treatment_cannot_be_changed(
    client: Client, treatment: Treatment, view: str
) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    client.force_login(make_staff(clinic=other, role=Role.ADMIN))
    response = client.post(reverse(view, args=[treatment.pk]), {"reason": "x"})
    assert response.status_code == 404
    assert Treatment.objects.get().voided_at is None


@pytest.mark.parametrize("role", ["", "janitor"])
def test_somebody_signed_in_without_a_role_is_refused(
    client: Client, treatment: Treatment, role: str
) -> None:
    user = make_staff(clinic=treatment.patient.clinic)
    StaffUser.objects.update(role=role)
    client.force_login(user)
    assert {open_it(client, name, treatment) for name in ("home", "board", "story")} == {403}


@pytest.mark.parametrize(
    ("role", "begins"),
    [(Role.DESK, "desk"), (Role.NURSE, "board"), (Role.LEAD, "board"), (Role.ADMIN, "board")],
)
def test_each_role_begins_where_its_work_is(
    client: Client, db: None, role: Role, begins: str
) -> None:
    client.force_login(make_staff(clinic=make_clinic(), role=role))
    assert client.get("/")["Location"] == reverse(begins)


# --- Signing in --------------------------------------------------------------------------------


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


def test_staff_sign_in_with_email_and_password_and_sign_out_by_post(
    client: Client, clinic: Clinic
) -> None:
    make_staff(clinic=clinic)
    typed = {"login": "desk@lakeside.example", "password": PASSWORD}
    assert client.post(reverse("account_login"), typed)["Location"] == "/"
    assert client.get(reverse("desk")).status_code == 200
    client.get(reverse("account_logout"))
    assert client.get(reverse("desk")).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(reverse("desk")).status_code == 302


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(
    client: Client, clinic: Clinic
) -> None:
    make_staff(clinic=clinic)
    answers = []
    for email in ("desk@lakeside.example", "nobody@lakeside.example"):
        page = client.post(reverse("account_login"), {"login": email, "password": "wrong"})
        answers.append(
            page.content.decode().split("<form")[1].split("<label")[0].split("value=")[0]
        )
        assert "are not correct" in page.content.decode()
    assert answers[0] == answers[1]


def test_a_disabled_user_is_out_on_the_next_request(client: Client, clinic: Clinic) -> None:
    user = make_staff(clinic=clinic)
    client.force_login(user)
    assert client.get(reverse("desk")).status_code == 200
    StaffUser.objects.update(is_active=False)
    assert client.get(reverse("desk")).status_code == 302


def test_nobody_signs_up(client: Client, clinic: Clinic) -> None:
    page = client.get(reverse("account_signup"))
    assert "Nobody signs up here" in page.content.decode()
    typed = {"email": "x@example.org", "password1": PASSWORD, "password2": PASSWORD}
    client.post(reverse("account_signup"), typed)
    assert not StaffUser.objects.exists()


def test_the_demo_says_loudly_that_it_is_one(client: Client, db: None, settings: object) -> None:
    login = reverse("account_login")
    assert "This is a demo." not in client.get(login).content.decode()
    settings.DEMO = True  # type: ignore[attr-defined]
    assert "This is a demo." in client.get(login).content.decode()
