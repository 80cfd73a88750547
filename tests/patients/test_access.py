"""Who may open what: every address of the site × every role, and the wall between two clinics."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from importlib import import_module

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse
from pytest_django import Settings

from patients.models import Clinic, ImportFile, StaffUser, Treatment
from patients.models.clinic import Role
from reminders.models import Concern, Task
from tests.builders import PASSWORD, log, make_clinic, make_patient, make_staff

pytestmark = pytest.mark.thorough


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one)
        else:
            yield one


ADDRESSES = {str(one.name): one for one in patterns(get_resolver())}

OPEN = "open to everybody"
STAFF = "all staff"
LEADS = "whoever answers for the clinic"
ADMIN = "the clinic's admin"
ROLES = {STAFF: set(Role), LEADS: {Role.LEAD, Role.ADMIN}, ADMIN: {Role.ADMIN}}
READ, WRITE = frozenset({"get", "head"}), frozenset({"post"})
READ_WRITE = READ | WRITE
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
# Every address by its name, who may open it, and how. One that is missing here fails the test
# below: decide who may.
TABLE = {
    "recovery-page": (OPEN, READ),  # the token in its address, as in all that follow
    "recovery-read": (OPEN, READ_WRITE),
    "recovery-wrong": (OPEN, READ_WRITE),
    "recovery-sent": (OPEN, READ),
    "recovery-check-in": (OPEN, READ_WRITE),
    "recovery-choices": (OPEN, READ_WRITE),
    "recovery-not-you": (OPEN, READ_WRITE),
    "calendar": (OPEN, READ),
    "paper": (OPEN, READ),
    "kept": (OPEN, READ),
    "kept-wrong": (OPEN, READ),
    "kept-unsent": (OPEN, READ),
    "manifest": (OPEN, READ),
    "worker": (OPEN, READ),  # a script, the same for everybody
    "home": (STAFF, READ),
    "desk": (STAFF, READ_WRITE),
    "desk-search": (STAFF, WRITE),
    "desk-check": (STAFF, WRITE),
    "desk-returning": (STAFF, READ_WRITE),
    "imports": (STAFF, READ_WRITE),
    "import-file": (STAFF, READ),
    "import-columns": (STAFF, READ_WRITE),
    "import-accept": (STAFF, WRITE),
    "import-again": (STAFF, WRITE),
    "import-back": (STAFF, WRITE),
    "import-progress": (STAFF, READ),
    "import-bad": (STAFF, READ),
    "import-forget": (STAFF, WRITE),
    "board": (STAFF, READ),
    "missed": (STAFF, READ),
    "missed-again": (STAFF, WRITE),
    "export": (STAFF, READ),
    "day-sheet": (STAFF, READ),
    "audit": (LEADS, READ),
    "audit-csv": (LEADS, READ),
    "person-data": (LEADS, READ),
    "person-json": (LEADS, READ),
    "erase": (LEADS, READ_WRITE),
    "hold": (LEADS, WRITE),
    "clinic": (ADMIN, READ_WRITE),
    "clinic-add": (ADMIN, READ_WRITE),  # looked at, it and the next two only lead back
    "clinic-person": (ADMIN, READ_WRITE),
    "clinic-reset": (ADMIN, READ_WRITE),
    "clinic-test": (ADMIN, WRITE),
    "figures": (STAFF, READ),
    "board-changes": (STAFF, READ),
    "own-summary": (STAFF, WRITE),
    "locked": (STAFF, READ_WRITE),
    "locked-counters": (STAFF, READ),
    "lock": (STAFF, WRITE),
    "still-here": (STAFF, WRITE),
    "concerns": (STAFF, READ),
    "concern-take": (STAFF, WRITE),
    "concern-close": (STAFF, READ_WRITE),
    "concern-correct": (STAFF, WRITE),
    "concern-number": (STAFF, WRITE),
    "story": (STAFF, READ),
    "story-handover": (STAFF, READ),
    "undo": (STAFF, WRITE),
    "story-email": (STAFF, WRITE),
    "correct": (STAFF, READ_WRITE),
    "contact": (STAFF, READ_WRITE),
    "answer": (STAFF, READ_WRITE),
    "note": (STAFF, READ_WRITE),
    "task": (STAFF, READ_WRITE),
    "number": (STAFF, WRITE),
    "tasks": (STAFF, READ),
    "task-done": (STAFF, WRITE),
    "again": (STAFF, WRITE),
    "void": (STAFF, READ_WRITE),
    "unsubscribe": (OPEN, READ_WRITE),  # the token in its address
    "healthz": (OPEN, READ),
    "readyz": (OPEN, READ),
    "readyz-web": (OPEN, READ),
    "metrics": (OPEN, READ),  # the token in its header
    "email-webhook": (OPEN, WRITE),  # signed
    "twilio-status": (OPEN, WRITE),  # signed
    "twilio-inbound": (OPEN, WRITE),  # signed
    "account_login": (OPEN, READ_WRITE),
    "account_logout": (OPEN, READ_WRITE),
    "account_signup": (OPEN, READ_WRITE),  # says that nobody signs up
    "account_inactive": (OPEN, READ),
    "mfa_authenticate": (OPEN, READ_WRITE),  # only after the password
    "mfa_login_webauthn": (OPEN, READ_WRITE),
    "account_change_password": (STAFF, READ_WRITE),
    "account_reauthenticate": (STAFF, READ_WRITE),
    "mfa_reauthenticate": (STAFF, READ_WRITE),
    "mfa_reauthenticate_webauthn": (STAFF, READ_WRITE),
    "mfa_index": (STAFF, READ),
    "mfa_activate_totp": (STAFF, READ_WRITE),
    "mfa_deactivate_totp": (STAFF, READ_WRITE),
    "mfa_add_webauthn": (STAFF, READ_WRITE),
    "mfa_edit_webauthn": (STAFF, READ_WRITE),
    "mfa_remove_webauthn": (STAFF, READ_WRITE),
    "mfa_view_recovery_codes": (STAFF, READ),
    "mfa_generate_recovery_codes": (STAFF, READ_WRITE),
}
OF_PATIENTS = {"desk-returning", "person-data", "person-json", "erase", "hold"}
WHO_MAY = {name: who for name, (who, _) in TABLE.items()}
CLOSED = [name for name, who in WHO_MAY.items() if who != OPEN]
# What those who may meet at the first of its methods, where that is not a page.
MEET = {
    "home": 302,
    "missed-again": 302,
    "clinic-add": 302,
    "clinic-person": 302,
    "clinic-reset": 302,
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
    "locked": 302,  # it is not
    "lock": 302,
    "own-summary": 302,
    "still-here": 204,
    # First it is asked who sits there: the tests come without a password.
    "mfa_activate_totp": 302,
    "mfa_add_webauthn": 302,
    "mfa_edit_webauthn": 302,
    "mfa_remove_webauthn": 302,
    "mfa_view_recovery_codes": 302,
    "mfa_generate_recovery_codes": 302,
    "mfa_deactivate_totp": 302,
    "mfa_reauthenticate": 302,
    "mfa_reauthenticate_webauthn": 302,
}
# Of the clinic, or of its staff: what has a number.
OBJECTS = [name for name in CLOSED if "pk" in ADDRESSES[name].pattern.converters]


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic()))


def open_concern(treatment: Treatment) -> Concern:
    return Concern.objects.first() or Concern.objects.create(
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


def somebody(clinic: Clinic) -> StaffUser:
    found = clinic.staff.filter(email="one@lakeside.example").first()
    return found or make_staff(clinic=clinic, email="one@lakeside.example")


def passkey_of(user: StaffUser) -> Authenticator:
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": "Mine"})


def checked_list(treatment: Treatment) -> ImportFile:
    return ImportFile.objects.create(
        clinic=treatment.patient.clinic,
        state=ImportFile.State.CHECKED,
        digest=uuid.uuid4().hex,
        uploaded_at=treatment.logged_at,
    )


def first_of(name: str) -> str:
    return "get" if "get" in TABLE[name][1] else "post"


def open_it(client: Client, name: str, treatment: Treatment, method: str = "") -> int:
    keys = ADDRESSES[name].pattern.converters
    known: dict[str, object] = {"token": uuid.uuid4(), "provider": "any", "rule": "day-2"}
    known["pk"] = treatment.patient_id if name in OF_PATIENTS else treatment.pk
    if name.startswith("concern-"):
        known["pk"] = open_concern(treatment).pk
    if name == "task-done":
        known["pk"] = open_task(treatment).pk
    if name == "again":
        known["pk"] = treatment.reminders.get(rule="handover").pk
    if name in ("clinic-person", "clinic-reset"):
        known["pk"] = somebody(treatment.patient.clinic).pk
    if name.startswith("mfa_"):
        known["pk"] = passkey_of(somebody(treatment.patient.clinic)).pk
    if name.startswith("import-"):
        known["pk"] = checked_list(treatment).pk
    address = reverse(name, kwargs={key: known[key] for key in keys})
    return client.generic((method or first_of(name)).upper(), address).status_code


def test_every_address_of_the_site_is_in_the_table() -> None:
    """And each name is one address: a second of that name would be asked by nobody here."""
    assert sorted(str(one.name) for one in patterns(get_resolver())) == sorted(TABLE)


def says_nothing(request: HttpRequest) -> HttpResponse:
    """A view whose author has thought of nobody who may not see it."""
    return HttpResponse("seen")


def test_a_view_that_says_nothing_of_who_may_open_it_is_closed(
    client: Client, db: None, settings: Settings
) -> None:
    settings.ROOT_URLCONF = type("Site", (), {
        "urlpatterns": [*import_module("aftercare.urls").urlpatterns, path("new/", says_nothing)]
    })  # fmt: skip
    for method in METHODS:
        answer = client.generic(method.upper(), "/new/")
        assert b"seen" not in answer.content, method
        assert answer.status_code in (302, 405), method
    client.force_login(make_staff(clinic=make_clinic()))
    assert client.get("/new/").content == b"seen"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", CLOSED)
def test_every_role_opens_what_it_may(
    client: Client, treatment: Treatment, name: str, role: Role
) -> None:
    user = make_staff(clinic=treatment.patient.clinic, role=role)
    if name in ("mfa_view_recovery_codes", "mfa_deactivate_totp"):
        for kind in ("totp", "recovery_codes"):
            Authenticator.objects.create(user=user, type=kind, data={})
    client.force_login(user)
    assert open_it(client, name, treatment) == (MEET.get(name, 200) if may(name, role) else 403)


def may(name: str, role: Role) -> bool:
    return role in ROLES[WHO_MAY[name]]


@pytest.mark.parametrize("name", CLOSED)
def test_by_every_method_each_role_meets_what_the_table_says(
    treatment: Treatment, name: str
) -> None:
    """Nobody is let in by a strange method, and no method breaks anything."""
    met = {}
    for role in Role:
        client = Client()
        client.force_login(make_staff(clinic=treatment.patient.clinic, role=role))
        for method in METHODS:
            met[role, method] = open_it(client, name, treatment, method)
    assert [
        (one, status)
        for one, status in met.items()
        if not is_right(status, name=name, role=one[0], method=one[1])
    ] == []


def is_right(status: int, *, name: str, role: Role, method: str) -> bool:
    if method not in TABLE[name][1]:
        return status == 405
    return status in {200, 204, 302, 404} if may(name, role) else status == 403


@pytest.mark.parametrize("name", CLOSED)
def test_a_visitor_is_led_to_the_sign_in_by_every_method(
    client: Client, treatment: Treatment, name: str
) -> None:
    before = count_rows()
    address = reverse(name, kwargs=dict.fromkeys(ADDRESSES[name].pattern.converters, treatment.pk))
    for method in METHODS:
        response = client.generic(method.upper(), address)
        if response.status_code == 405 and method not in TABLE[name][1]:
            continue
        assert (method, response.status_code) == (method, 302)
        assert response["Location"].startswith(reverse("account_login"))
    assert count_rows() == before


def count_rows() -> dict[str, int]:
    """Of every table but the sessions'."""
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model is not Session
    }


@pytest.mark.parametrize("name", [name for name in TABLE if name not in CLOSED])
def test_what_is_open_asks_no_visitor_to_sign_in_and_breaks_by_no_method(
    client: Client, treatment: Treatment, name: str
) -> None:
    for method in METHODS:
        status = open_it(client, name, treatment, method)
        if method in TABLE[name][1]:
            # 503: nothing ticks in the tests; 403: not signed.
            assert status in {200, 302, 403, 404, 405, 503}, method
            assert status != 302 or name in LEADS_ON
        else:
            assert status in {404, 405}, method


# To the sign-in: without a session there is nothing to leave, and no second step to take.
LEADS_ON = {"account_logout", "mfa_authenticate", "mfa_login_webauthn"}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", OBJECTS)
def test_another_clinics_object_answers_404_by_every_method(
    client: Client, treatment: Treatment, name: str, role: Role
) -> None:
    """To a role that never opens such a page the answer is 403, for their own clinic's too."""
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    client.force_login(make_staff(clinic=other, role=role))
    sign_in_freshly(client)
    for method in TABLE[name][1]:
        wanted = 404 if may(name, role) else 403
        assert (method, open_it(client, name, treatment, method)) == (method, wanted)


def sign_in_freshly(client: Client) -> None:
    """As by a password just now, so that nothing asks for it again."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()


@pytest.mark.parametrize("view", ["correct", "void", "contact"])
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
