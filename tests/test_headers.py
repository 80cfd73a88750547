"""What every answer tells the browser; which hosts, redirects and forms are taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from aftercare import settings as own
from patients import links
from patients.models import Clinic, Treatment
from patients.models.clinic import Role
from patients.seal import seal_of
from tests.builders import PASSWORD, log, make_clinic, make_patient, make_staff
from tests.patients.test_access import ADDRESSES, CLOSED, TABLE, open_it
from tests.sign_in import give_app, is_in, sign_in, type_password
from tests.test_settings import in_production

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[1]
NO_CSRF = {
    # Signed by who calls, or by the token in its address: RFC 8058 posts without any cookie.
    *("twilio-status", "twilio-inbound", "email-webhook", "unsubscribe"),
    # The patient's page knows no cookie: its forms are sealed to the link; see `patients.seal`.
    *("recovery-page", "recovery-read", "recovery-wrong", "recovery-sent", "recovery-check-in"),
    *("recovery-choices", "recovery-not-you", "calendar", "paper", "kept", "kept-wrong"),
    *("kept-unsent", "manifest"),
}
OF_LINKS = sorted(n for n, one in ADDRESSES.items() if str(one.pattern).startswith(("r/", "u/")))
NEW = "three-words-and-a-river"
SEALED = ("read", "wrong", "check-in", "choices", "not-you")


@pytest.fixture
def clinic(db: None) -> Clinic:
    cache.clear()
    return make_clinic()


@pytest.fixture
def treatment(clinic: Clinic) -> Treatment:
    return log(patient=make_patient(clinic=clinic))


@pytest.fixture
def admin(client: Client, clinic: Clinic) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.ADMIN))
    return client


def answers(admin: Client, treatment: Treatment) -> dict[str, HttpResponseBase]:
    """One of every kind: a patient's page, a dead link, the sign-in, staff's, a file, errors."""
    page = links.address_of(treatment).removeprefix(site_settings.PUBLIC_BASE_URL)
    visitor = Client(raise_request_exception=False)
    return {
        "patient": visitor.get(page),
        "signs": visitor.get(f"{page}/wrong"),
        "paper": visitor.get(f"{page}/print"),
        "calendar": visitor.get(f"{page}/calendar.ics"),
        "dead link": visitor.get("/r/" + "x" * 22),
        "worker": visitor.get(reverse("worker")),
        "unsubscribe": visitor.get("/u/x"),
        "sign-in": visitor.get(reverse("account_login")),
        "visitor": visitor.get(reverse("board")),
        "board": admin.get(reverse("board")),
        "file": admin.get(reverse("export")),
        "story": admin.get(reverse("story", args=[treatment.pk])),
        "not found": visitor.get("/nowhere"),
        "refused": visitor.post(reverse("twilio-inbound")),
        "not allowed": admin.post(reverse("board")),
        "health": visitor.get(reverse("healthz")),
    }


def test_every_answer_carries_the_rules(admin: Client, treatment: Treatment) -> None:
    for name, answer in answers(admin, treatment).items():
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert headers["Referrer-Policy"] == "same-origin", name
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", name
        assert headers["X-Frame-Options"] == "DENY", name
        assert headers["X-Robots-Tag"] == "noindex, nofollow", name
        assert "camera=()" in headers["Permissions-Policy"], name
        assert "publickey-credentials-get=(self)" in headers["Permissions-Policy"], name


def test_what_holds_a_person_or_a_session_is_kept_by_nobody(
    admin: Client, treatment: Treatment
) -> None:
    for name, answer in answers(admin, treatment).items():
        if name not in ("worker", "manifest"):
            assert "no-store" in answer["Cache-Control"], name


@pytest.mark.parametrize("name", OF_LINKS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_page_of_a_link_is_kept_listed_or_framed(
    treatment: Treatment, name: str, method: str
) -> None:
    token = links.token_of(treatment)
    typed = {"seal": seal_of(token), "sign": "pus", "normal": "yes", "channel": "sms"}
    answer = getattr(Client(), method)(reverse(name, args=[token]), typed)
    assert "no-store" in answer["Cache-Control"]
    assert "public" not in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("name", CLOSED)
def test_no_staff_address_is_kept_by_the_browser(
    admin: Client, treatment: Treatment, name: str
) -> None:
    kept: list[str] = []
    get = admin.generic

    def generic(*args: object, **more: object) -> HttpResponse:
        answer = get(*args, **more)  # type: ignore[arg-type]
        kept.append(answer["Cache-Control"])
        return answer  # type: ignore[return-value]

    admin.generic = generic  # type: ignore[method-assign, assignment]
    open_it(admin, name, treatment)
    assert "no-store" in kept[0]


def test_the_content_policy_has_no_unsafe_word_and_no_other_site(
    admin: Client, treatment: Treatment
) -> None:
    for name, answer in answers(admin, treatment).items():
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy, name
        assert "http" not in policy, name
        assert "*" not in policy, name
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'",
                     "base-uri 'none'", "form-action 'self'"):  # fmt: skip
            assert part in policy, name


INLINE = re.compile(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\bsrc=)")


def test_no_template_has_a_style_or_script_of_its_own() -> None:
    found = [
        (path.name, line.strip())
        for path in (ROOT / "templates").rglob("*.html")
        if "email" not in path.parts  # a mail program knows no stylesheet
        for line in path.read_text().splitlines()
        if INLINE.search(line)
    ]
    assert found == []


def test_no_page_loads_anything_from_elsewhere() -> None:
    """Nor does a script or a stylesheet of ours."""
    from_elsewhere = re.compile(r"""(src|href|action)=["']https?:|url\(["']?https?:|@import""")
    found = [
        path.name
        for folder in ("templates", "static")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".html", ".css", ".js"} and "email" not in path.parts
        if from_elsewhere.search(path.read_text())
    ]
    assert found == []
    assert finders.find("mfa/js/webauthn-json.js")  # the library's, from its own package


def test_signing_out_clears_what_the_browser_cached_and_no_patients_page(admin: Client) -> None:
    assert "Clear-Site-Data" not in admin.get(reverse("account_logout"))
    answer = admin.post(reverse("account_logout"))
    assert answer["Clear-Site-Data"] == '"cache"'  # not "storage": see tests.browser.test_door


# --- Hosts and redirects -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "", "127.0.0.1",
             "localhost:80:80", "LOCALHOST.", "[::1]"],
)  # fmt: skip
def test_a_foreign_host_is_refused(clinic: Clinic, host: str, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["care.example.com"]
    client = Client(raise_request_exception=False)
    for path in ("/", "/accounts/login/", "/r/" + "x" * 22, "/healthz", "/nowhere"):
        answer = client.get(path, headers={"Host": host})
        assert (path, answer.status_code) == (path, 400)
        assert b"evil.example" not in answer.content


def test_a_forwarded_host_is_not_believed(treatment: Treatment) -> None:
    page = links.address_of(treatment).removeprefix(site_settings.PUBLIC_BASE_URL)
    answer = Client().get(page, headers={"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 200
    assert b"evil.example" not in answer.content


ELSEWHERE = [
    "https://evil.example/",
    "http://evil.example",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "https:evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://localhost@evil.example/",
    "http://localhost:8000.evil.example/",
    "\thttps://evil.example",
    "https://evil.example\\@localhost/",
]


def leads_away(answer: HttpResponseBase) -> bool:
    there = answer.get("Location", "/")
    return not there.startswith("/") or there.startswith(("//", "/\\")) or "\t" in there


@pytest.mark.parametrize("next_", ELSEWHERE)
def test_no_sign_in_leads_away(clinic: Clinic, next_: str) -> None:
    nurse = make_staff(clinic=clinic)
    client = Client()
    page = client.get(reverse("account_login"), {"next": next_})
    assert page.status_code == 200
    answer = type_password(client, nurse.email, next=next_)
    assert answer.status_code == 302
    assert not leads_away(answer)
    # Signed in, and on the ways that ask or open again.
    assert not leads_away(client.get(reverse("account_login"), {"next": next_}))
    for name in ("account_reauthenticate", "account_change_password"):
        typed = {"password": PASSWORD, "oldpassword": PASSWORD, "next": next_}
        typed |= {"password1": NEW, "password2": NEW}
        assert not leads_away(client.post(reverse(name), typed)), name
    client.post(reverse("lock"))
    again = {"password": NEW, "next": next_}
    assert not leads_away(client.post(reverse("locked"), again))
    assert is_in(client)
    assert not leads_away(client.post(reverse("account_logout"), {"next": next_}))
    # With a second step in between.
    give_app(nurse)
    type_password(client, nurse.email, NEW, next=next_)
    sign_in(client, nurse)
    assert not leads_away(client.get(reverse("account_login"), {"next": next_}))


# --- Forms -------------------------------------------------------------------------------------


def test_only_signed_calls_and_sealed_pages_do_without_the_csrf_token() -> None:
    exempt = {
        name for name, one in ADDRESSES.items() if getattr(one.callback, "csrf_exempt", False)
    }
    assert exempt == NO_CSRF


def test_no_form_of_the_staff_is_taken_without_its_token(treatment: Treatment) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff(clinic=treatment.patient.clinic, role=Role.ADMIN))
    refused = {
        name: open_it(client, name, treatment, "post")
        for name, (_, methods) in TABLE.items()
        if "post" in methods and name not in NO_CSRF
    }
    assert refused == dict.fromkeys(refused, 403)
    assert len(refused) > 30
    page = client.post(reverse("note", args=[treatment.pk]), {"text": "x"}).content.decode()
    assert "This page was open too long" in page
    assert "<style" not in page


def test_no_form_of_the_patients_page_is_taken_without_its_seal(treatment: Treatment) -> None:
    page = links.address_of(treatment).removeprefix(site_settings.PUBLIC_BASE_URL)
    for act in SEALED:
        assert Client().post(f"{page}/{act}", {"yes": "1"}).status_code == 403, act


def test_every_form_in_a_template_has_its_token_or_seal() -> None:
    forms = re.compile(r"<form\b[^>]*method=\"post\".*?</form>", re.DOTALL | re.IGNORECASE)
    bare = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        for form in forms.findall(path.read_text())
        if "csrf_token" not in form and "seal" not in form
    ]
    assert bare == ["unsubscribe.html"]  # the token is in its address, as in the mail's header


# --- Cookies -----------------------------------------------------------------------------------


def test_every_cookie_is_bound_to_this_host_and_unread_by_scripts(
    clinic: Clinic, settings: Settings
) -> None:
    """With what an https address makes of every setting that says something of a cookie."""
    every = [name for name in dir(site_settings) if re.match("(SESSION|CSRF)_COOKIE_", name)]
    for name, value in in_production(*(one for one in every if hasattr(own, one))).items():
        setattr(settings, name, value)
    nurse = make_staff(clinic=clinic, role=Role.NURSE)
    client = Client()
    client.get(reverse("account_login"), secure=True)
    client.post(reverse("account_login"), {"login": nurse.email, "password": PASSWORD}, secure=True)
    client.get(reverse("board"), secure=True)
    # What a page is to say next, perhaps of a patient, waits in the session and not in a cookie.
    treatment = log(patient=make_patient(clinic=clinic), logged_at=timezone.now())
    client.post(reverse("undo", args=[treatment.pk]), secure=True)
    assert "Void it with a reason instead" in client.session["_messages"]
    assert set(client.cookies) == {"__Host-session", "__Host-csrf"}
    for cookie in client.cookies.values():
        assert (cookie["secure"], cookie["httponly"]) == (True, True)
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert cookie["samesite"] == "Lax"


def test_a_patients_page_sets_no_cookie(treatment: Treatment) -> None:
    client = Client()
    page = links.address_of(treatment).removeprefix(site_settings.PUBLIC_BASE_URL)
    for path in (page, f"{page}/wrong", f"{page}/choices", "/r/" + "x" * 22):
        client.get(path)
    assert not client.cookies
