"""Every state of the patient's pages, judged in a real browser: two languages, two themes, two
widths, each pair of them together once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from patients import links
from patients.models import Patient
from tests.browser.make_screens import LIST, NOW, SCREENS, file_of, pictured, print_of
from tests.browser.patient import fits, judge, settled
from tests.browser.states import State, states
from tests.builders import log, make_clinic, make_patient
from tests.patients.on_page import rows

A4 = 718  # pixels within its margins
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_WEEK = {day: ["00:00", "23:59"] for day in WEEK}


@pytest.fixture
def patient(live_server: LiveServer, language: str) -> Patient:
    clinic = make_clinic(opening_hours=ALL_WEEK)
    return make_patient(clinic=clinic, email="maria@example.org", language=language)


@pytest.mark.browser
@pytest.mark.services
@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 320), ("es", "dark", 320), ("en", "dark", 1280), ("es", "light", 1280)],
)
def test_no_state_has_anything_wrong(
    live_server: LiveServer,
    browser: Browser,
    settings: Any,
    patient: Patient,
    scheme: str,
    width: int,
) -> None:
    settings.ROOT_URLCONF = "tests.browser.urls"
    context = browser.new_context(
        viewport={"width": width, "height": 740},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=patient.language,
        reduced_motion="reduce",
    )
    page = context.new_page()
    wrong: dict[str, list[str]] = {}
    for state in states(patient):
        on_paper = state.media == "print"
        page.emulate_media(media="print" if on_paper else "screen")
        page.set_viewport_size({"width": A4 if on_paper else width, "height": 740})
        page.goto(live_server.url + state.path)
        state.do(page)
        settled(page)
        found = judge(page)
        if not speaks(page, state, patient.language):
            found.append("speaks another language")
        if width == 320 and not on_paper:
            # 400 % zoom of a window 1280 by 1024: nothing is lost to the side.
            page.set_viewport_size({"width": 320, "height": 256})
            found += [] if fits(page) else ["scrolls sideways at 400 % zoom"]
            page.set_viewport_size({"width": 320, "height": 740})
        if found:
            wrong[state.name] = found
    context.close()
    assert wrong == {}


def speaks(page: Page, state: State, language: str) -> bool:
    if state.both:
        return {"en", "es"} == {
            str(one.get_attribute("lang")) for one in page.locator("[lang]:not(a)").all()
        }
    return page.locator("html").get_attribute("lang") == language


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_state_has_its_picture_and_none_is_older_than_its_page(
    settings: Any, language: str
) -> None:
    settings.ROOT_URLCONF = "tests.browser.urls"
    listed = LIST.read_text()
    with time_machine.travel(NOW):
        shown = {file_of(one.name, language): print_of(one) for one in pictured(language)}
    missing = [file for file in shown if not (SCREENS / file).exists()]
    old = [file for file, taken_of in shown.items() if f"({file}) `{taken_of}`" not in listed]
    assert (missing, old) == ([], []), "make screens"


@pytest.mark.browser
@pytest.mark.services
def test_a_scanner_that_follows_every_link_and_runs_every_script_changes_nothing(
    live_server: LiveServer, browser: Browser
) -> None:
    patient = make_patient(clinic=make_clinic(), email="maria@example.org")
    ended_at = timezone.now() - timedelta(days=9)
    home = f"{live_server.url}/r/{links.token_of(log(patient=patient, treated_at=ended_at))}"
    before = rows()
    context = browser.new_context()
    page = context.new_page()
    seen, ahead = set[str](), [home]
    while ahead:
        url = ahead.pop()
        seen.add(url)
        context.request.head(url)
        if "text/html" not in context.request.get(url).headers["content-type"]:
            continue
        page.goto(url, wait_until="networkidle")
        found = page.evaluate("[...document.links, ...document.forms].map(o => o.href || o.action)")
        near = {one.split("#")[0] for one in found if one.startswith(live_server.url)}
        ahead += near - seen - set(ahead)
    assert context.cookies() == []
    context.close()
    acts = {url.removeprefix(home).split("?")[0] for url in seen}
    assert acts >= {"", "/wrong", "/check-in", "/choices", "/not-you", "/read", "/calendar.ics"}
    assert rows() == before
