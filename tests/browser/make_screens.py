"""`make screens`: every state of the patient's pages as a small picture in `docs/screens/`.

No test: pytest only lends its server, database and browser. The clock stands at one moment, so
that a picture changes only when the page does.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.patient import State, states
from tests.builders import make_clinic, make_patient

SCREENS = Path(settings.BASE_DIR, "docs", "screens")
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=ZoneInfo("America/Chicago"))  # a Monday, open
OPEN = {day: ["09:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
# Shown whole as well, and those that are shown in the other language and theme as well.
WHOLE = {"right after"}
ALSO_SPANISH = {"right after", "something wrong, pus", "open report, emergency", "check-in"}


def slug(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")


def picture(name: str, kind: str = "") -> Path:
    return SCREENS / f"{slug(name)}{kind}.png"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("es", "dark")])
def test_make_screens(
    live_server: LiveServer, browser: Browser, language: str, scheme: str
) -> None:
    SCREENS.mkdir(exist_ok=True)
    with time_machine.travel(NOW):
        clinic = make_clinic(opening_hours=OPEN)
        patient = make_patient(clinic=clinic, email="maria@example.org", language=language)
        context = browser.new_context(
            viewport={"width": 360, "height": 640},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        shown = []
        for state in states(patient):
            if language == "en" or state.name in ALSO_SPANISH:
                page.goto(live_server.url + state.path)
                state.do(page)
                shown.append(draw(page, state, language))
        context.close()
    if language == "en":
        write_index(shown)


def draw(page: Page, state: State, language: str) -> str:
    name = state.name
    if name in WHOLE and language == "en":
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = false")
        page.screenshot(path=picture(name, "-whole"), full_page=True)
    if state.show != "html":
        page.locator(state.show).first.evaluate("one => one.scrollIntoView({block: 'center'})")
    elif "wrong," not in name:  # there the tick that was just made is in view
        page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=picture(name, "" if language == "en" else "-es-dark"))
    return name


def write_index(names: list[str]) -> None:
    lines = [
        "# The patient's pages, state by state",
        "",
        "Made by `make screens`, 360 px wide; some in Spanish and dark as well: `-es-dark`.",
        "",
        *(f"- [{name}]({slug(name)}.png)" for name in names),
        "",
    ]
    (SCREENS / "README.md").write_text("\n".join(lines))
