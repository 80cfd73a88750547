"""The whole story on `make run`'s own processes, in a real browser: desk, phone, patient, nurse.

One test, because it is one story: each step stands on what the one before has done.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.phone.client import Messages, Phone
from tests.services.launcher import Up
from tests.services.runtime import free_port, runtime_folder, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.services]

NUMBER = "+12025550123"
# The demo's patients whose first hour ends within a minute of the start.
DUE_SOON = [
    ("Ana Petrov", "+12025550147", "Delivered", "by text"),
    ("Iris Novak", "iris@example.org", "Sent", "by email"),
]
REMINDERS = ["Handover", "1 hour", "Gentle wash", "Day 2", "Day 3 check-in", "Week 1 check-in",
             "Next session", "Results", "Maintenance"]  # fmt: skip
PHASES = ["Right after", "The first day", "Days 2 to 7", "After one week"]


@pytest.fixture
def demo() -> Iterator[Up]:
    """`make run` on an empty data folder."""
    port = free_port(neighbours=2)
    with runtime_folder("journey") as folder:
        command = ["make", "--no-print-directory", "run", f"PORT={port}"]
        up = Up(folder / "var", command=command, port=port, more={})
        try:
            up.wait_until_ready()
            yield up
        finally:
            up.interrupt()
            with contextlib.suppress(TimeoutError):
                up.wait_until_gone()
            for pid in up.family():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def printed(demo: Up, beginning: str) -> list[str]:
    found = re.search(rf"^{beginning} +(.+)$", demo.text(), re.MULTILINE)
    assert found, demo.text()
    return found[1].split()


def sign_in(page: Page, demo: Up, role: str) -> None:
    address, email, password = printed(demo, f"Staff {role}")
    page.goto(address)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/(desk|board)/"))


def log_a_treatment(page: Page) -> str:
    """The desk logs a new patient; returns the treatment's address."""
    page.get_by_label("First name").fill("Nora")
    page.get_by_label("Last name").fill("Lindqvist")
    page.get_by_label("Mobile", exact=True).fill("(202) 555-0123")
    page.get_by_text("Recovery messages", exact=True).click()
    page.get_by_role("button", name="Log it and send the page").click()
    page.wait_for_url(re.compile(r"/treatments/\d+/"))
    return page.url


def tap_the_text(context: BrowserContext, demo: Up) -> tuple[Page, Page]:
    """The phone's page with the first text, and the page that a tap on its link opens."""
    phone = context.new_page()
    phone.goto(printed(demo, "Phone")[0])
    phone.locator("#people").get_by_text("0123").click()
    with context.expect_page() as opened:
        phone.locator("#thread a").click()
    expect(opened.value).to_have_url(re.compile(rf"^http://localhost:{demo.port}/r/"))
    return phone, opened.value


def test_the_whole_story(demo: Up, context: BrowserContext, browser: Browser) -> None:
    phone = Phone(printed(demo, "Phone")[0])

    # The desk logs a treatment and sees the link and every planned reminder with its hour.
    desk = context.new_page()
    sign_in(desk, demo, "desk")
    treatment = log_a_treatment(desk)
    expect(desk.locator("main")).to_contain_text(f"http://localhost:{demo.port}/r/")
    lines = desk.locator(".line")
    expect(lines.locator("h3")).to_have_text(REMINDERS)
    hours = [re.compile(r"\d{1,2}:\d\d [ap]m")] * len(REMINDERS)
    expect(lines).to_have_text(hours, use_inner_text=True)

    # The first text comes; the desk's tick turns green by itself.
    phone.wait_for(lambda texts: len(texts) == 1, timeout=30, to=NUMBER)
    expect(desk.locator(".handover")).to_contain_text("has the page")

    # Its link opens the recovery page.
    her_phone, page = tap_the_text(context, demo)
    expect(page.locator("h1")).to_contain_text("Day 1")
    expect(page.locator("[aria-current=step]")).to_contain_text("Right after")
    expect(page.locator("#now")).to_contain_text("Do not touch your skin")
    expect(page.locator("#next")).to_contain_text(re.compile(r"\d{1,2}:\d\d [ap]m"))
    expect(page.locator("#plan summary h3")).to_have_text(PHASES)
    expect(page.locator("a[href='tel:+18553837546']").first).to_be_visible()

    # The correction moves what is unsent and leaves what was sent.
    sent, planned = line_of(desk, treatment, "Handover"), line_of(desk, treatment, "Gentle wash")
    correct_by_minutes(desk, treatment, -20)
    assert line_of(desk, treatment, "Handover").startswith(sent.partition(" What")[0])
    assert line_of(desk, treatment, "Gentle wash") != planned
    assert len(phone.messages(NUMBER)) == 1

    # What she answers from her phone stands before the nurse.
    her_phone.get_by_label("Your text").fill("It itches behind my ear")
    her_phone.keyboard.press("Enter")
    expect(her_phone.locator("#thread")).to_contain_text("Cannot wait? Call")
    nurse = browser.new_context().new_page()
    sign_in(nurse, demo, "nurse")
    nurse.get_by_role("link", name="Concerns", exact=True).click()
    expect(nurse.get_by_role("article", name="Nora Lindqvist")).to_contain_text(
        "It itches behind my ear"
    )

    # The nurse sees who got which, when and how, and why one was not sent.
    nurse.get_by_role("link", name="Board", exact=True).click()
    handover = row_of(nurse, "Nora Lindqvist").locator("td").first
    for part in ("Delivered", re.compile(r"\d{1,2}:\d\d [ap]m"), "by text"):
        expect(handover).to_contain_text(part)
    expect(row_of(nurse, "Sam Okafor")).to_contain_text("no consent")
    expect(row_of(nurse, "Devon King")).to_contain_text("Failed")

    # The other two roles' demo sign-ins open the door, too.
    for role in ("clinical lead", "admin"):
        nurse.context.clear_cookies()
        sign_in(nurse, demo, role)

    # More leave by themselves when they fall due, by text and by email as each patient chose.
    for person, address, *said in DUE_SOON:
        phone.wait_for(has_arrived, timeout=120, to=address)
        shown = partial(said_on_the_board, nurse, person, said)
        wait_for(shown, seconds=30, what=f"{person}: {said}")
    nurse.context.close()
    her_phone.locator("#people").get_by_text("iris@example.org").click()
    expect(her_phone.locator("#thread")).to_contain_text("The first hour is behind you")


def has_arrived(messages: Messages) -> bool:
    """One message, and if it is a text, the carrier has delivered it (a mail has no status)."""
    return [one.get("status", "delivered") for one in messages] == ["delivered"]


def said_on_the_board(board: Page, person: str, words: list[str]) -> bool:
    """What left a moment ago may not be written yet: look again, as the nurse would."""
    board.reload()
    cell = row_of(board, person).locator("td").nth(1).text_content() or ""
    return all(one in cell for one in words)


def row_of(board: Page, person: str) -> Locator:
    return board.locator("tr", has_text=person)


def line_of(page: Page, treatment: str, reminder: str) -> str:
    """What the treatment's page says of one reminder, as one line."""
    page.goto(treatment)
    line = page.locator(".line", has=page.get_by_role("heading", name=reminder, exact=True))
    return " ".join(line.inner_text().split())


def correct_by_minutes(page: Page, treatment: str, minutes: int) -> None:
    """Type the time anew, with a reason; look at what will move; save."""
    page.goto(treatment)
    page.get_by_role("link", name="Correct the time").click()
    field = page.get_by_label("It ended at")
    ended_at = datetime.fromisoformat(field.input_value()) + timedelta(minutes=minutes)
    field.fill(ended_at.isoformat(timespec="minutes"))
    page.get_by_label("Why was it wrong?").fill("It ended earlier")
    page.get_by_role("button", name="Show what moves").click()
    page.get_by_role("button", name="Save the new time").click()
    page.wait_for_url(re.compile(r"/treatments/\d+/$"))
