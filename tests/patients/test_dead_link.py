"""Unknown, expired, revoked and voided links answer alike, and nobody meets a dead end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patients import links
from patients.models import Act, Patient, Report, Treatment
from patients.seal import seal_of
from tests.builders import NURSE, OFFICE, log, make_clinic, make_patient
from tests.patients.reading import read
from tests.patients.test_access import TABLE
from tests.patients.test_link_secrecy import PAGES

T = datetime(2026, 11, 23, 20, 20, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
UNKNOWN = "0" * links.TOKEN_LENGTH
READ_WRITE = {name for name in PAGES if "post" in TABLE[name][1]}


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic()), treated_at=T)


def revoked(treatment: Treatment) -> str:
    token = links.token_of(treatment)
    links.revoke(treatment)
    return token


def expired(treatment: Treatment) -> str:
    Treatment.objects.update(link_expires_at=T)
    return links.token_of(treatment)


def unknown(treatment: Treatment) -> str:
    return UNKNOWN


def opened(token: str, query: str = "", speaks: str = "") -> tuple[int, bytes, int]:
    """Status, body and number of queries; `speaks`: the phone's language."""
    with (
        time_machine.travel(T + timedelta(hours=3), tick=False),
        CaptureQueriesContext(connection) as queries,
    ):
        headers = {"accept-language": speaks} if speaks else {}
        response = Client().get(f"/r/{token}{query}", headers=headers)
    assert not response.cookies
    assert response["Cache-Control"] == "private, no-store"
    return response.status_code, response.content, len(queries)


@pytest.mark.parametrize("kind", [unknown, expired, revoked])
@pytest.mark.parametrize(
    ("query", "speaks"), [("", ""), ("?lang=es", ""), ("?lang=tlh", ""), ("", "es-MX,en;q=0.5")]
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_link_that_opens_nothing_answers_with_the_same_bytes(
    treatment: Treatment, kind: object, query: str, speaks: str, language: str
) -> None:
    """Whatever the patient speaks whom it once led to."""
    assert callable(kind)
    Patient.objects.update(language=language)
    same = opened(UNKNOWN, query, speaks)
    assert opened(kind(treatment), query, speaks) == same
    assert (same[0], same[2]) == (404, 2)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_on_every_page_of_a_link_and_by_every_method_they_answer_alike_to_the_last_header(
    treatment: Treatment, name: str, method: str
) -> None:
    def asked(token: str) -> tuple[int, bytes, dict[str, str]]:
        typed = {"seal": seal_of(token), "sign": "pus", "stop": "1", "normal": "yes"}
        with time_machine.travel(T + timedelta(hours=3), tick=False):
            answer = getattr(Client(), method)(reverse(name, args=[token]), typed)
        headers = {**answer.headers}
        headers.pop("X-Request-ID")
        return answer.status_code, answer.content, headers

    never = asked(UNKNOWN)
    assert asked(expired(treatment)) == never
    assert asked(revoked(treatment)) == never
    assert never[0] == (404 if name in READ_WRITE or method != "post" else 405)
    assert not Act.objects.exists()
    assert not Report.objects.exists()


def test_a_voided_treatment_s_link_answers_with_the_same_bytes(treatment: Treatment) -> None:
    Treatment.objects.update(voided_at=T)
    assert opened(links.token_of(treatment))[:2] == opened(UNKNOWN)[:2]


def test_a_link_cut_short_answers_with_the_same_bytes(treatment: Treatment) -> None:
    assert opened(links.token_of(treatment)[:-1])[:2] == opened(UNKNOWN)[:2]


def test_the_only_clinic_of_a_site_gives_both_its_numbers(db: None) -> None:
    clinic = make_clinic()
    clinic.after_hours_phone = "+12025550155"
    clinic.emergency_number = "112"
    clinic.save()
    page = read(opened(UNKNOWN)[1].decode())
    assert page.calls() == ["tel:112", "tel:+18553837546", "tel:+12025550155"]
    assert "Call 112 now if It is hard to breathe or swallow" in page.text
    assert "For any question or worry, call Lakeside Skin Clinic." in page.text
    assert "Follow the prompts to page the on-call nurse." in page.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("breathe", "tongue", "faint", "hives", "spreading skin with a fever", "blisters")),
        ("es", ("respirar", "lengua", "desmaya", "ronchas", "se extiende, con fiebre", "ampollas")),
    ],
)
def test_it_says_every_sign_of_an_emergency_that_the_plan_has(
    db: None, language: str, words: tuple[str, ...]
) -> None:
    text = read(opened(UNKNOWN, f"?lang={language}")[1].decode()).text
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("query", "speaks", "language"),
    [
        ("", "", "en"),
        ("", "es-MX,es;q=0.9,en;q=0.5", "es"),
        ("", "de,en;q=0.7,es;q=0.3", "en"),
        ("", "de", "en"),
        ("?lang=es", "en-US", "es"),
        ("?lang=en", "es", "en"),
        ("?lang=tlh", "*;;q=nonsense", "en"),
    ],
)
@pytest.mark.parametrize("clinics", [0, 1, 2])
def test_it_speaks_as_the_phone_does_and_one_tap_switches(
    db: None, query: str, speaks: str, language: str, clinics: int
) -> None:
    for number in range(clinics):
        make_clinic(slug=f"clinic-{number}")
    root = read(opened(UNKNOWN, query, speaks)[1].decode()).root
    assert root.every("html")[0].attrs["lang"] == language
    (switch,) = [one for one in root.every("a") if "hreflang" in one.attrs]
    assert switch.attrs["href"] == {"en": "?lang=es", "es": "?lang=en"}[language]


@pytest.mark.parametrize(
    ("hour", "calls"),
    [(15, ["tel:911", f"tel:{OFFICE}", f"tel:{NURSE}"]), (2, ["tel:911", f"tel:{NURSE}"])],
)
def test_it_calls_whoever_answers_at_this_hour(db: None, hour: int, calls: list[str]) -> None:
    make_clinic(after_hours_phone=NURSE, opening_hours={"mon": ["09:00", "17:00"]})
    at = datetime(2026, 11, 23, hour, 0, tzinfo=CHICAGO)
    with time_machine.travel(at, tick=False):
        page = read(Client().get(f"/r/{UNKNOWN}").content.decode())
    assert page.calls() == calls
    assert "(855) 383-7546" in page.text


def test_a_site_of_several_clinics_gives_nobody_else_s_number(db: None) -> None:
    make_clinic()
    make_clinic(name="Harbor Skin", slug="harbor")
    page = read(opened(UNKNOWN)[1].decode())
    assert page.calls() == []
    assert "Call your emergency number now if It is hard to breathe or swallow" in page.text
    assert "call the clinic that treated you" in page.text


def test_it_says_nothing_of_a_treatment(db: None) -> None:
    clinic = make_clinic()
    clinic.default_language = "es"
    clinic.save()
    page = read(opened(UNKNOWN)[1].decode())
    assert page.root.every("html")[0].attrs["lang"] == "es"
    assert "Llame ahora al 911 si" in page.text
