"""The patient's page over HTTP: what it says in each phase, what it never does."""

from __future__ import annotations

import gzip
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients import links
from patients.models import CheckIn, Treatment
from patients.models.protocol_version import publish
from patients.page import Told, page_of
from patients.page_frame import frame_of
from tests.builders import log, make_clinic, make_patient, shipped
from tests.patients.reading import Reading, read

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

CHICAGO = ZoneInfo("America/Chicago")
T = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)  # a Monday
WEEKDAYS = {day: ["09:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
H = timedelta(hours=1)
PHASES = ["Right after", "The first day", "Days 2 to 7", "After one week"]


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic(opening_hours=WEEKDAYS)), treated_at=T)


def answer(token: str, at: datetime, *, method: str = "GET") -> Response:
    with time_machine.travel(at, tick=False):
        return Client(enforce_csrf_checks=True).generic(method, f"/r/{token}")


def page_at(treatment: Treatment, at: datetime, query: str = "") -> Reading:
    return read(answer(links.token_of(treatment) + query, at).content.decode())


# --- What it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "heading", "states"),
    [
        (0 * H, "Day 1 · 0 minutes after treatment", "Now Next Later Later"),
        (3 * H, "Day 1 · 3 hours after treatment", "Now Next Later Later"),
        (10 * H, "Day 2 · 10 hours after treatment", "Done Now Next Later"),
        (30 * H, "Day 2 · 30 hours after treatment", "Done Done Now Next"),
        (193 * H, "Day 9 · 8 days after treatment", "Done Done Done Now"),
    ],
)
def test_each_phase_says_where_the_patient_is(
    treatment: Treatment, after: timedelta, heading: str, states: str
) -> None:
    page = page_at(treatment, T + after)
    assert page.root.every("h1")[0].text == heading
    assert list(page.phases) == PHASES
    assert [said.split()[0] for said in page.phases.values()] == states.split()


def test_now_holds_three_things_at_most_and_the_rest_stands_below(treatment: Treatment) -> None:
    page = page_at(treatment, T + 3 * H)
    now = page.root.part("now")
    also = page.root.part("also")
    assert now is not None
    assert also is not None
    assert [one.text for one in now.every("h3")] == [
        "Do not touch your skin",
        "Cool air helps",
        "Use your Rescue cream",
    ]
    assert [one.text for one in also.every("h3")] == [
        "Sunblock and shade",
        "Drink plenty of water",
        "No active products",
    ]


def test_next_says_its_clock_time_and_how_far_it_is(treatment: Treatment) -> None:
    said = page_at(treatment, T + 3 * H).part("next")
    assert said.startswith("Next 8:20 pm tonight in 3 hours Wash gently")


@pytest.mark.parametrize(
    ("query", "following", "step"),
    [
        ("", "Next Sat, Jan 23 in 52 days Your best results", "Next from Sat, Jan 23"),
        ("?lang=es", "Después el sáb 23 ene en 52 días", "Después desde el sáb 23 ene"),
    ],
)
def test_what_comes_in_months_has_a_day_and_no_hour(
    treatment: Treatment, query: str, following: str, step: str
) -> None:
    page = page_at(treatment, T + 9 * 24 * H, query)
    assert page.part("next").startswith(following)
    assert step in page.text


def test_the_page_is_in_the_order_in_which_it_is_needed(treatment: Treatment) -> None:
    page = page_at(treatment, T + 3 * H)
    parts = [
        one.attrs["id"] for one in page.root.all() if one.tag in {"section"} and "id" in one.attrs
    ]
    assert parts == ["now", "also", "next", "normal", "plan", "signs", "call", "keep"]
    assert page.text.index("Not listed? Ask the on-call nurse") < page.text.index(
        "Normal right now"
    )


def test_the_warning_signs_stand_in_full_emergency_first(treatment: Treatment) -> None:
    page = page_at(treatment, T + 3 * H)
    signs = page.root.part("signs")
    assert signs is not None
    assert [one.text for one in signs.every("h3")] == [
        "Call 911 now if",
        "Page our on-call nurse now if",
        "Call the clinic today or the next business day if",
        "Have it looked at before your next session if",
    ]
    assert len(signs.every("li")) == 19


def test_the_series_and_the_zone_are_said(treatment: Treatment) -> None:
    text = page_at(treatment, T + 3 * H).text
    assert "Next session: about Wed, Dec 23" in text
    assert "Times are local to Chicago." in text


def test_a_patient_elsewhere_reads_every_time_on_her_own_clock(db: None) -> None:
    clinic = make_clinic(opening_hours=WEEKDAYS)
    patient = make_patient(clinic=clinic, zone="America/Los_Angeles")
    page = page_at(log(patient=patient, treated_at=T), T + 1 * H)
    assert "Your treatment ended at 12:20 pm today." in page.text
    assert "Open now until 3:00 pm" in page.part("call")
    assert "Times are local to Los Angeles." in page.text


def test_a_language_the_plan_lacks_falls_back_as_a_whole(db: None) -> None:
    clinic = make_clinic()
    source = shipped(clinic).source
    english = re.sub(r'es = "waiting.*?\n|\n\[es\]\n.*', "", source, flags=re.S)
    version = publish(clinic=clinic, source=english.replace('["en", "es"]', '["en"]'))
    patient = make_patient(clinic=clinic, language="es")
    page = page_at(log(patient=patient, treated_at=T, version=version), T)
    assert page.root.every("html")[0].attrs["lang"] == "en"
    assert "Normal right now" in page.text


def test_the_page_is_in_the_patients_language_and_one_tap_switches(db: None) -> None:
    treatment = log(patient=make_patient(clinic=make_clinic(), language="es"), treated_at=T)
    page = page_at(treatment, T + 7 * H)
    assert page.root.every("html")[0].attrs["lang"] == "es"
    assert "Día 1 · 7 horas después del tratamiento" in page.text
    assert "Su tratamiento terminó hoy a las 2:20 p. m." in page.text
    assert ".." not in page.text
    (switch,) = [one for one in page.root.every("a") if "hreflang" in one.attrs]
    assert (switch.text, switch.attrs["lang"]) == ("English", "en")
    with time_machine.travel(T + 7 * H, tick=False):
        link = f"/r/{links.token_of(treatment)}"
        english = read(Client().get(link + switch.attrs["href"]).content.decode())
        other = read(Client().get(link + "?lang=tlh").content.decode())
    assert english.root.every("html")[0].attrs["lang"] == "en"
    assert "Wash gently" in english.doing
    assert other.text == page.text
    treatment.patient.refresh_from_db()
    assert treatment.patient.language == "es"  # looking changes nothing


def test_active_products_open_when_the_skin_feels_normal(treatment: Treatment) -> None:
    normal = CheckIn(rule="week-1", feels_normal=True, answered_at=T + 199 * H)
    frame = frame_of(treatment, token="x", now=T + 200 * H)
    page = page_of(frame, Told(check_ins=(normal,)))
    assert page.waiting == ()
    assert "Active products, slowly" in [row.title for row in (*page.now, *page.also)]
    assert "No active products" not in [row.title for row in (*page.now, *page.also)]


# --- Whom the bar calls ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "hours", "button"),
    [
        ("2026-11-23 16:59:59", "Open now until 5:00 pm", "Call the clinic"),
        ("2026-11-23 17:00:00", "Closed now. Opens 9:00 am tomorrow", "Call the on-call nurse"),
        ("2026-11-24 08:59:59", "Closed now. Opens 9:00 am today", "Call the on-call nurse"),
        ("2026-11-24 09:00:00", "Open now until 5:00 pm", "Call the clinic"),
        (
            "2026-11-27 18:00:00",
            "Closed now. Opens 9:00 am on Mon, Nov 30",
            "Call the on-call nurse",
        ),
    ],
)
def test_the_bar_calls_whoever_answers_now(
    treatment: Treatment, at: str, hours: str, button: str
) -> None:
    page = page_at(treatment, datetime.fromisoformat(at).replace(tzinfo=CHICAGO))
    bar = page.root.every("nav")[0]
    assert hours in page.part("call")
    assert [one.text for one in bar.every("a")] == ["Something wrong?", button]
    assert bar.every("a")[0].attrs["href"] == f"/r/{links.token_of(treatment)}/wrong"
    assert bar.every("a")[1].attrs["href"] == "tel:+18553837546"


def test_a_clinic_without_hours_claims_neither_open_nor_closed(db: None) -> None:
    page = page_at(log(patient=make_patient(clinic=make_clinic()), treated_at=T), T + 9 * H)
    assert "Open now" not in page.text
    assert "Closed" not in page.text
    assert page.root.every("nav")[0].every("a")[1].text == "Call the clinic"


# --- What it never does ---------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "asked"), [(3 * H, 2), (4 * 24 * H, 3)])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_it_changes_nothing_and_asks_the_database_three_times_at_most(
    treatment: Treatment, method: str, after: timedelta, asked: int
) -> None:
    token = links.token_of(treatment)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = answer(token, T + after, method=method)
    assert response.status_code == 200
    # the newest treatment of the link, open reports; check-ins, once there can be one
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"] * asked
    assert not response.cookies


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_other_method_is_refused(treatment: Treatment, method: str) -> None:
    response = answer(links.token_of(treatment), T, method=method)
    allowed = "GET, HEAD" if method == "POST" else "GET, HEAD, POST"  # refused at the gate
    assert (response.status_code, response["Allow"]) == (405, allowed)


def test_nobody_keeps_finds_or_learns_of_it(treatment: Treatment) -> None:
    response = answer(links.token_of(treatment), T)
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "same-origin"
    html = response.content.decode()
    for private in ("Maria", "Gomez", "0146", "Microneedling"):
        assert private not in html
    assert '<meta property="og:title" content="Your recovery page">' in html
    assert "<title>Your recovery page</title>" in html


def test_it_needs_no_inline_style_or_script_and_nobody_else(treatment: Treatment) -> None:
    html = answer(links.token_of(treatment), T).content.decode()
    assert not re.findall(r"<script(?! src=\"/static/)|<style|\sstyle=|\son\w+=|javascript:", html)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)


@pytest.mark.parametrize("after", [0 * H, 3 * H, 10 * H, 30 * H, 80 * H, 193 * H])
def test_it_is_light(treatment: Treatment, after: timedelta) -> None:
    html = answer(links.token_of(treatment), T + after).content
    assert len(gzip.compress(html)) < 7_000
    css = Path(settings.BASE_DIR, "static", "css")
    sheets = [
        (css / name).read_bytes() for name in ("tokens.css", "base.css", "patient.css", "plan.css")
    ]
    assert sum(len(gzip.compress(sheet)) for sheet in sheets) < 8_000


def test_it_is_compressed_for_a_phone_that_can(treatment: Treatment) -> None:
    with time_machine.travel(T, tick=False):
        path = f"/r/{links.token_of(treatment)}"
        response = Client().get(path, headers={"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < 7_000
    assert b"Your recovery page" in gzip.decompress(response.content)
