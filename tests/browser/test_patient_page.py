"""The patient's page in a real browser: for every eye, on every width, without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients import links
from patients.models import Patient, Treatment
from tests.builders import log, make_clinic, make_patient
from tests.services.runtime import wait_for

# One moment in each phase; the browser's clock is the machine's, so treatments are moved instead.
PHASES = {
    "right after": timedelta(hours=3),
    "the first day": timedelta(hours=10),
    "days 2 to 7": timedelta(hours=80),
    "after one week": timedelta(days=8, hours=1),
}
OpenPage = Callable[..., Page]


@pytest.fixture
def patient(live_server: LiveServer) -> Patient:
    return make_patient(clinic=make_clinic(opening_hours={"mon": ["09:00", "17:00"]}))


def link_of(live_server: LiveServer, treatment: Treatment) -> str:
    return f"{live_server.url}/r/{links.token_of(treatment)}"


def treated(patient: Patient, ago: timedelta) -> Treatment:
    """The patient's only treatment, that long ago."""
    return log(patient=patient, treated_at=timezone.now() - ago)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address: `open_page(url, width=320, scheme="dark", script=False)`."""
    contexts = []

    def open_one(
        url: str, *, width: int = 360, scheme: str = "light", script: bool = True, height: int = 640
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.mark.browser
@pytest.mark.services
def test_it_asks_nobody_but_this_site_and_breaks_no_rule_of_the_browser(
    live_server: LiveServer, patient: Patient, open_page: OpenPage
) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(
        link_of(live_server, treated(patient, PHASES["right after"])), wait_until="networkidle"
    )
    assert all(url.startswith(live_server.url) for url in asked)
    assert len(asked) <= 7  # the page, four sheets, its script, the browser's icon
    assert said == []


@pytest.mark.browser
@pytest.mark.services
def test_without_javascript_every_step_can_be_opened_and_read(
    live_server: LiveServer, patient: Patient, open_page: OpenPage
) -> None:
    page = open_page(link_of(live_server, treated(patient, PHASES["right after"])), script=False)
    expect(page.locator("#plan h4:visible")).to_have_count(10)  # this phase and the next
    for summary in page.locator("#plan details:not([open]) > summary").all()[::-1]:
        summary.click()
    expect(page.locator("#plan h4:visible")).to_have_count(20)
    page.get_by_role("link", name="Something wrong?").click()
    expect(page).to_have_url(re.compile("/wrong$"))
    expect(page.get_by_role("heading", name="Call 911 now if")).to_be_visible()


@pytest.mark.browser
@pytest.mark.services
@pytest.mark.parametrize("width", [320, 1280])
def test_the_bar_never_moves_and_can_be_hit(
    live_server: LiveServer, patient: Patient, open_page: OpenPage, width: int
) -> None:
    page = open_page(link_of(live_server, treated(patient, PHASES["right after"])), width=width)
    bar = page.locator(".bar")
    before = bar.bounding_box()
    page.mouse.wheel(0, 2000)
    wait_for(lambda: page.evaluate("scrollY > 0"), seconds=15, what="the page is scrolled")
    assert bar.bounding_box() == before
    targets = page.locator(".bar a, .button:visible, summary, .ask a")
    for target in targets.all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 48, target.inner_text()
        assert box["width"] >= 48, target.inner_text()


@pytest.mark.browser
@pytest.mark.services
def test_what_has_focus_is_never_behind_the_bar(
    live_server: LiveServer, patient: Patient, open_page: OpenPage
) -> None:
    page = open_page(link_of(live_server, treated(patient, PHASES["days 2 to 7"])), height=480)
    for _ in range(page.locator("main a, main summary").count()):
        page.keyboard.press("Tab")
        hidden = page.evaluate(
            "document.activeElement.getBoundingClientRect().bottom >"
            " document.querySelector('.bar').getBoundingClientRect().top"
        )
        assert not hidden, page.evaluate("document.activeElement.outerHTML")


@pytest.mark.browser
@pytest.mark.services
def test_paper_shows_every_step_and_no_bar(
    live_server: LiveServer, patient: Patient, open_page: OpenPage
) -> None:
    page = open_page(link_of(live_server, treated(patient, PHASES["right after"])))
    page.emulate_media(media="print")
    expect(page.locator("#plan li h4")).to_have_count(20)
    assert all(
        box is not None and box["height"] > 0
        for box in (step.bounding_box() for step in page.locator("#plan li h4, #also p").all())
    )
    expect(page.locator(".bar")).to_be_hidden()
