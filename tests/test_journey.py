"""The whole story on `make run`'s own processes, in a real browser: desk, phone, patient, nurse.

One test, because it is one story: each step stands on what the one before has done.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.phone.client import Phone
from tests.services.launcher import Up
from tests.services.runtime import free_port, runtime_folder

pytestmark = [pytest.mark.browser, pytest.mark.services]

NUMBER = "+12025550123"
DUE_SOON = "+12025550147"  # the demo's patient whose first hour ends a minute after the start
FIVE_SECONDS = 5_000.0


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
                up.seconds_until_gone()
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


def read_the_text(context: BrowserContext, demo: Up) -> Page:
    """The first text on the phone's page, and what its link opens."""
    phone = context.new_page()
    phone.goto(printed(demo, "Phone")[0])
    phone.locator("#people").get_by_text("0123").first.click()
    link = phone.locator("#thread a").first
    expect(link).to_be_visible(timeout=FIVE_SECONDS)
    address = link.get_attribute("href")
    assert address
    assert address.startswith(f"http://localhost:{demo.port}/r/")
    phone.goto(address)
    return phone


def test_the_whole_story(demo: Up, context: BrowserContext) -> None:
    phone = Phone(printed(demo, "Phone")[0])

    # The desk logs a treatment and sees the link and every planned reminder with its hour.
    desk = context.new_page()
    sign_in(desk, demo, "desk")
    treatment = log_a_treatment(desk)
    body = desk.locator("main")
    expect(body).to_contain_text(f"http://localhost:{demo.port}/r/")
    for reminder in ("Handover", "1 hour", "Gentle wash", "Day 2", "Week 1 check-in"):
        expect(body).to_contain_text(reminder)
    assert len(re.findall(r"\d{1,2}:\d\d [ap]m", body.inner_text())) >= 7

    # The first text is there within five seconds; the desk's tick turns green by itself.
    phone.wait_for(lambda texts: len(texts) == 1, timeout=5, to=NUMBER)
    expect(body).to_contain_text("Delivered", timeout=FIVE_SECONDS * 2)

    # Its link opens the recovery page.
    patient = read_the_text(context, demo)
    page = patient.locator("main")
    expect(patient.locator("h1")).to_contain_text("Day 1")
    expect(page).to_contain_text("Do not touch your skin")
    expect(page).to_contain_text(re.compile(r"Next\s+\d{1,2}:\d\d [ap]m"))
    for phase in ("Right after", "The first day", "Days 2 to 7", "After one week"):
        expect(page).to_contain_text(phase)
    assert patient.locator("a[href='tel:+18553837546']").count() > 0

    # The correction moves what is unsent and leaves what was sent.
    desk.goto(treatment + "correct/")
    earlier_hour_of_wash = _hour_of(desk, treatment, "Gentle wash")
    desk.goto(treatment + "correct/")
    _correct_by_minutes(desk, -20)
    assert _hour_of(desk, treatment, "Gentle wash") != earlier_hour_of_wash
    assert len(phone.messages(NUMBER)) == 1

    # The nurse sees who got which, and why one was not sent.
    nurse = context.browser.new_context().new_page() if context.browser else context.new_page()
    sign_in(nurse, demo, "nurse")
    row = nurse.locator("tr", has_text="Nora Lindqvist")
    expect(row).to_contain_text("Delivered")
    expect(nurse.locator("tr", has_text="Sam Okafor")).to_contain_text("no consent")
    expect(nurse.locator("tr", has_text="Devon King")).to_contain_text("Failed")

    # Another reminder leaves by itself when it falls due.
    phone.wait_for(lambda texts: len(texts) == 1, timeout=120, to=DUE_SOON)
    nurse.reload()
    expect(nurse.locator("tr", has_text="Ana Petrov")).to_contain_text("Delivered")


def _hour_of(page: Page, treatment: str, reminder: str) -> str:
    page.goto(treatment)
    text = page.locator("main").inner_text()
    found = re.search(rf"{reminder}\s+Planned\s+(\d{{1,2}}:\d\d [ap]m|told[^\n]*)", text)
    assert found, text
    return found[1]


def _correct_by_minutes(page: Page, minutes: int) -> None:
    """Type the time anew, with a reason; look at what will move; save."""
    field = page.locator("input[type='datetime-local']")
    page.evaluate(
        """([field, minutes]) => {
            const at = new Date(field.value + "Z");
            at.setMinutes(at.getMinutes() + minutes);
            field.value = at.toISOString().slice(0, 16);
        }""",
        [field.element_handle(), minutes],
    )
    page.get_by_label("Why").fill("It ended earlier")
    page.get_by_role("button", name=re.compile("will (change|move)|Show", re.IGNORECASE)).click()
    page.get_by_role("button", name="Save the new time").click()
    page.wait_for_url(re.compile(r"/treatments/\d+/$"))
