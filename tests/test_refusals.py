"""What is refused or fails is as well guarded as what is shown: the same headers, kept by nobody,
nothing of our insides, and for a person a page in plain words.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings as site_settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from patients import links
from patients.models import AuditRow, Treatment
from patients.models.clinic import Role
from patients.views import page
from reminders.views import board
from tests.builders import PASSWORD, log, make_clinic, make_patient, make_staff
from tests.patients.reading import read

pytestmark = pytest.mark.thorough

SAME = [
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-Robots-Tag",
]
SECRET = "of-the-insides"


class Stage:
    """A visitor who sends our own forms' tokens, a nurse at work, and one patient's link."""

    def __init__(self, patch: pytest.MonkeyPatch, settings: Settings) -> None:
        self.patch, self.settings = patch, settings
        self.treatment: Treatment = log(patient=make_patient(clinic=make_clinic()))
        self.path = links.address_of(self.treatment).removeprefix(site_settings.PUBLIC_BASE_URL)
        self.visitor = Client(raise_request_exception=False)
        self.nurse = Client(raise_request_exception=False)
        staff = make_staff(clinic=self.treatment.patient.clinic, role=Role.NURSE)
        self.email = staff.email
        self.nurse.force_login(staff)

    def breaks(self, where: object, name: str) -> None:
        def broken(*args: object, **kwargs: object) -> None:
            raise DatabaseError(f"{SECRET} {self.path}")

        self.patch.setattr(where, name, broken)

    def story(self) -> str:
        return reverse("story", args=[self.treatment.pk])


def of_a_foreign_host(on: Stage) -> HttpResponseBase:
    return on.visitor.get(on.path, headers={"Host": "evil.example"})


def with_a_nul(on: Stage) -> HttpResponseBase:
    return on.visitor.get(f"{on.path}?a=%00")


def too_large(on: Stage) -> HttpResponseBase:
    most = site_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return on.visitor.post(reverse("account_login"), {"login": "x" * (most + 1)})


def too_many_fields(on: Stage) -> HttpResponseBase:
    most = site_settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return on.visitor.post(f"{on.path}/wrong", {str(number): "" for number in range(most + 1)})


def without_a_seal(on: Stage) -> HttpResponseBase:
    return on.visitor.post(f"{on.path}/read")


def of_another_role(on: Stage) -> HttpResponseBase:
    return on.nurse.get(reverse("audit"))


def without_its_token(on: Stage) -> HttpResponseBase:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = on.nurse.cookies
    return strict.post(reverse("note", args=[on.treatment.pk]), {"text": "x"})


def unsigned(on: Stage) -> HttpResponseBase:
    return on.visitor.post(reverse("twilio-inbound"), {"Body": "STOP"})


def of_a_dead_link(on: Stage) -> HttpResponseBase:
    return on.visitor.get("/r/" + "x" * links.TOKEN_LENGTH)


def of_no_address(on: Stage) -> HttpResponseBase:
    return on.visitor.get("/nowhere")


def by_a_method_nobody_uses(on: Stage) -> HttpResponseBase:
    return on.visitor.put(on.path)


def a_form_that_is_opened(on: Stage) -> HttpResponseBase:
    """As by whoever was signed out on its button, and in again."""
    return on.nurse.get(reverse("desk-search"))


def a_page_that_is_posted_to(on: Stage) -> HttpResponseBase:
    return on.nurse.post(reverse("board"))


def after_too_many_links(on: Stage) -> HttpResponseBase:
    on.settings.LINK_OPENINGS_A_MINUTE = 0
    return on.visitor.get(on.path)


def after_too_many_guesses(on: Stage) -> HttpResponseBase:
    on.settings.LINK_MISSES_A_MINUTE = 0
    return of_a_dead_link(on)


def after_too_many_sign_ins(on: Stage) -> HttpResponseBase:
    on.settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    for _ in range(2):
        answer = on.visitor.post(
            reverse("account_login"), {"login": on.email, "password": PASSWORD + "x"}
        )
    return answer


def a_patients_page_that_breaks(on: Stage) -> HttpResponseBase:
    on.breaks(page, "page_of")
    return on.visitor.get(on.path)


def a_board_that_breaks(on: Stage) -> HttpResponseBase:
    on.breaks(board, "render")
    return on.nurse.get(reverse("board"))


def a_look_that_cannot_be_recorded(on: Stage) -> HttpResponseBase:
    on.breaks(AuditRow, "save")
    return on.nurse.get(on.story())


def a_sign_in_that_cannot_be_counted(on: Stage) -> HttpResponseBase:
    backend = "django.core.cache.backends.redis.RedisCache"
    away = {"BACKEND": backend, "LOCATION": f"unix:///nowhere/{SECRET}.sock"}
    on.settings.CACHES = {"default": away}
    return on.visitor.post(reverse("account_login"), {"login": on.email, "password": PASSWORD})


def a_site_that_is_not_ready(on: Stage) -> HttpResponseBase:
    return on.visitor.get(reverse("readyz"))  # nothing ticks in the tests


PEOPLE: dict[Callable[[Stage], HttpResponseBase], int] = {
    of_a_foreign_host: 400,
    with_a_nul: 400,
    too_large: 400,
    too_many_fields: 400,
    without_a_seal: 403,
    of_another_role: 403,
    without_its_token: 403,
    of_a_dead_link: 404,
    of_no_address: 404,
    by_a_method_nobody_uses: 405,
    a_form_that_is_opened: 405,
    a_page_that_is_posted_to: 405,
    after_too_many_links: 429,
    after_too_many_guesses: 429,
    after_too_many_sign_ins: 429,
    a_patients_page_that_breaks: 500,
    a_board_that_breaks: 500,
    a_look_that_cannot_be_recorded: 503,
    a_sign_in_that_cannot_be_counted: 503,
}
MACHINES: dict[Callable[[Stage], HttpResponseBase], int] = {
    unsigned: 403,
    a_site_that_is_not_ready: 503,
}
INSIDES = ("Traceback", "Exception", "Error", SECRET, "evil.example", "django", "python", "Gomez")


@pytest.fixture
def stage(db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Stage:
    cache.clear()
    return Stage(monkeypatch, settings)


def named(how: Callable[[Stage], HttpResponseBase]) -> str:
    return how.__name__.replace("_", " ")


@pytest.mark.parametrize("how", [*PEOPLE, *MACHINES], ids=named)
def test_it_has_the_headers_of_a_page_and_is_kept_by_nobody(
    stage: Stage, how: Callable[[Stage], HttpResponseBase]
) -> None:
    shown = stage.visitor.get(reverse("account_login"))
    answer = how(stage)
    assert answer.status_code == (PEOPLE | MACHINES)[how]
    assert {one: answer.get(one) for one in SAME} == {one: shown[one] for one in SAME}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("how", [*PEOPLE, *MACHINES], ids=named)
def test_it_says_nothing_of_our_insides_or_of_anybody(
    stage: Stage, how: Callable[[Stage], HttpResponseBase]
) -> None:
    answer = how(stage)
    page = answer.content.decode()  # type: ignore[attr-defined]
    said = f"{answer.headers} {re.sub('<link [^>]*>|<script [^>]*>', '', page)}"
    assert [word for word in INSIDES if word in said] == []


@pytest.mark.parametrize("how", list(PEOPLE), ids=named)
def test_a_person_meets_a_page_in_plain_words(
    stage: Stage, how: Callable[[Stage], HttpResponseBase]
) -> None:
    answer = how(stage)
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    page = answer.content  # type: ignore[attr-defined]
    assert int(answer.get("Content-Length", str(len(page)))) == len(page)  # a server sends no more
    shown = read(page.decode())
    assert len(shown.root.every("h1")) == 1
    # What to do next: once more, somebody to call, or a way that leads on.
    assert re.search(r"[Cc]all|again|once more|Sign in", shown.text)
