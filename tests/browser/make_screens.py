"""`make screens`: every state of the patient's pages as a small picture in `docs/screens/`.

No test: pytest only lends its server, database and browser. The clock stands at one moment, so
that a picture changes only when the page does. The list beside the pictures keeps a print of what
each was taken of: `test_patient_states` takes it again and says which pictures are old.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from patients.models import Patient
from patients.seal import seal_of
from tests.browser.patient import settled
from tests.browser.states import State, states
from tests.builders import make_clinic, make_patient

SCREENS = Path(settings.BASE_DIR, "docs", "screens")
LIST = SCREENS / "README.md"
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=ZoneInfo("America/Chicago"))  # a Monday, open
OPEN = {day: ["09:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
# Shown whole as well, and those that are shown in the other language and theme as well.
WHOLE = {"right after"}
ALSO_SPANISH = {
    "right after", "something wrong, pus", "open report, emergency", "check-in", "kept copy",
    "clinic closed", "a link that opens nothing",
}  # fmt: skip
DRAWN_WITH = ("css/patient.css", "css/plan.css", "css/act.css", "css/paper.css", "js/patient.js")
# What differs from run to run and is not seen: the link, its seal, its code, the phone's key, the
# millisecond.
BY_CHANCE = re.compile(
    r"/r/\w{22}|(?<=value=\")[0-9a-f]{32}|(?<=data-key=\")[0-9a-f]{32}|\b\d{13}\b"
    r"|<div class=\"code\".*?</svg>",
    re.DOTALL,
)


def slug(name: str) -> str:
    return re.sub(r"[^\w-]", "", name.replace(" ", "-"))


def file_of(name: str, language: str) -> str:
    return f"{slug(name)}{'' if language == 'en' else '-es-dark'}.png"


def pictured(language: str) -> Iterator[State]:
    """The states that have a picture in this language; the clock stands at `NOW`."""
    clinic = make_clinic(opening_hours=OPEN)
    patient: Patient = make_patient(clinic=clinic, email="maria@example.org", language=language)
    return (one for one in states(patient) if language == "en" or one.name in ALSO_SPANISH)


def print_of(state: State) -> str:
    """Twelve letters that change with what the state's page says or how it is drawn."""
    client, speaks = Client(raise_request_exception=False), {"accept-language": "es"}
    if state.sent is None:
        response = client.get(state.path, headers=speaks)
    else:
        token = state.path.split("/")[2]
        sent: dict[str, Any] = {"seal": seal_of(token), **state.sent}
        response = client.post(state.path, sent, headers=speaks)
    html = re.sub(r"\s*([<>])\s*", r"\1", BY_CHANCE.sub("", response.content.decode()))
    html = " ".join(html.split())
    drawn = b"".join(Path(settings.BASE_DIR, "static", one).read_bytes() for one in DRAWN_WITH)
    return hashlib.sha256(html.encode() + drawn).hexdigest()[:12]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("es", "dark")])
def test_make_screens(
    live_server: LiveServer, browser: Browser, settings: Any, language: str, scheme: str
) -> None:
    settings.ROOT_URLCONF = "tests.browser.urls"
    SCREENS.mkdir(exist_ok=True)
    with time_machine.travel(NOW):
        context = browser.new_context(
            viewport={"width": 360, "height": 640},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=language,
            reduced_motion="reduce",
        )
        page = context.new_page()
        lines = [draw(page, live_server.url, state, language) for state in pictured(language)]
        context.close()
    if language == "en":
        write_list(lines)
    else:
        LIST.write_text(LIST.read_text() + "\n".join([*lines, ""]))


def draw(page: Page, base: str, state: State, language: str) -> str:
    """The state's line in the list; its print is taken before anything is pressed."""
    taken_of, file = print_of(state), file_of(state.name, language)
    page.emulate_media(media="print" if state.media == "print" else "screen")
    page.goto(base + state.path)
    state.do(page)
    settled(page)
    if state.name in WHOLE and language == "en":
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = false")
        page.screenshot(path=SCREENS / f"{slug(state.name)}-whole.png", full_page=True)
    if state.show != "html":
        page.locator(state.show).first.evaluate("one => one.scrollIntoView({block: 'center'})")
    elif "wrong," not in state.name and "something wrong" not in state.name:
        page.evaluate("scrollTo(0, 0)")  # there the tick that was just made is in view
    page.screenshot(path=SCREENS / file)
    return f"- [{state.name}]({file}) `{taken_of}`"


def write_list(lines: list[str]) -> None:
    text = [
        "# The patient's pages, state by state",
        "",
        "Made by `make screens`, 360 px wide; some in Spanish and dark as well: `-es-dark`. The",
        "letters behind each are a print of the page it was taken of: a test takes it again, and",
        "fails while a picture is older than its page.",
        "",
        *lines,
        "",
    ]
    LIST.write_text("\n".join(text))
