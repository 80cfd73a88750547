"""Every page and state of the desk in a real browser: zero axe violations, 320 to 1920 px."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from patients.models import Clinic, ImportFile, Patient, StaffUser
from reminders import circuits, heartbeat, imports
from reminders.channels.codes import Means
from reminders.import_progress import SILENT_FOR
from tests.browser.staff import OpenPage, assert_good, complaints
from tests.builders import log, make_patient
from tests.reminders.test_imports import line, sheet

pytestmark = [pytest.mark.browser, pytest.mark.services]


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (768, "dark"), (1920, "light"), (320, "dark")]
)
def test_the_desk_is_good_in_every_state(
    open_staff_page: OpenPage, clinic: Clinic, staff: StaffUser, width: int, scheme: str
) -> None:
    page = open_staff_page("/desk/", width=width, scheme=scheme)
    said = complaints(page)
    expect(page.get_by_label("First name")).to_be_focused()
    assert_good(page)  # nobody here yet
    maria = make_patient(clinic=clinic)
    treatment = log(patient=maria, by=staff)
    circuits.trip(
        circuits.scope_of(Means.ACCOUNT, "sms", "", ""),
        code="20003",
        clinics=[],
        now=timezone.now(),
    )
    page.goto(page.url)
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("mraia")
    expect(page.locator("#find")).to_have_value("mraia")
    expect(page.locator("#found")).to_contain_text("Do you mean:")
    assert_good(page)
    page.get_by_label("First name").fill("Maria")
    page.get_by_label("Last name").fill("Gomes")
    page.keyboard.press("Tab")
    expect(page.locator("#checked")).to_contain_text("The same person?")
    assert_good(page)
    english, spanish = (page.locator(f".consents q[lang={one}]:visible") for one in ("en", "es"))
    expect(english.first).to_be_visible()
    expect(spanish).to_have_count(0)
    page.get_by_text("More: who treated").click()
    page.get_by_label("Language").select_option("es")
    expect(spanish.first).to_be_visible()
    expect(english).to_have_count(0)
    assert_good(page)
    page.goto(f"{page.url.split('/desk/')[0]}/treatments/{treatment.pk}/")
    page.get_by_text("Send it by email").click()
    page.get_by_role("button", name="Send the page by email").click()
    expect(page.get_by_text("Write the address.").first).to_be_visible()
    assert_good(page)
    _take_in_a_list(page, width, scheme)
    assert said == []


def _take_in_a_list(page: Page, width: int, scheme: str) -> None:
    """Chosen, its columns named, looked at, accepted, done: by keyboard but for the file."""
    page.goto(f"{page.url.split('/treatments/')[0]}/desk/lists/")
    assert_good(page)
    rows = [line(1, **{"Last name": f"{scheme}{width}"}), line(2, Mobile="12")]
    for row in rows:
        row |= {"Treated on": "", "Time": ""}
    file: Any = {"name": "a.csv", "mimeType": "text/csv", "buffer": sheet(rows).getvalue()}
    page.locator("input[type=file]").set_input_files(file)
    _press(page, "Look at it")
    expect(page.get_by_role("heading", name="What is in which column?")).to_be_visible()
    assert_good(page)
    _press(page, "Check every row")
    expect(page.get_by_text("1 row can be taken in")).to_be_visible()
    assert_good(page)
    _press(page, "Take in 1 row")
    expect(page.get_by_text("It begins in a moment")).to_be_visible()
    assert_good(page)
    heartbeat.beat(now=timezone.now() - timedelta(minutes=1))  # nobody has ticked since
    expect(page.get_by_text("is not running")).to_be_visible()
    expect(page.get_by_role("button", name="Do not take it in for now")).to_be_visible()
    assert_good(page)
    if width == 320:
        _try_again_after_a_kill(page)
    imports.take_in_accepted()
    expect(page.get_by_text("Taken in:")).to_be_visible()
    assert_good(page)
    assert Patient.objects.filter(last_name=f"{scheme}{width}").count() == 1


def _try_again_after_a_kill(page: Page) -> None:
    """Whoever stands on the button stays on it, though the page looks every second."""
    ImportFile.objects.update(claimed_at=timezone.now() - SILENT_FOR * 2)
    cache.clear()
    again = page.get_by_role("button", name="Try again now")
    again.focus()
    for _ in range(2):  # with the second the first one's answer stands on the page
        with page.expect_request("**/progress/"):
            pass
    expect(again).to_be_focused()
    assert_good(page)
    again.press("Enter")
    expect(page.get_by_text("It begins in a moment")).to_be_visible()
    expect(again).not_to_be_visible()


def _press(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=name)
    button.focus()
    page.keyboard.press("Enter")
