"""A wrong number is put right in a real browser: by keyboard alone, and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from patients.models import Clinic, Consent, Patient, Treatment
from reminders.models import Reminder, State
from tests.browser.staff import WIDTHS, OpenPage, arrived, assert_good, assert_walks, complaints
from tests.builders import log, make_attempt, make_patient, reminder_of, set_state

pytestmark = [pytest.mark.browser, pytest.mark.services]


@pytest.fixture
def treatment(clinic: Clinic) -> Treatment:
    """Its handover failed: the number is not in use."""
    treatment = log(patient=make_patient(clinic=clinic))
    failed = set_state(reminder_of(treatment, "handover"), State.FAILED)
    make_attempt(failed, provider_id="SM1", error_code="30005")
    return treatment


def tab_to(page: Page, name: str, *, role: str = "button") -> None:
    wanted = page.get_by_role(role, name=name)  # type: ignore[arg-type]
    for _ in range(40):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name}.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_wrong_number_is_corrected_by_keyboard_alone(
    open_staff_page: OpenPage, clinic: Clinic, treatment: Treatment, width: int, scheme: str
) -> None:
    make_patient(clinic=clinic, first_name="Devon", last_name="King", phone="+12025550199")
    page = open_staff_page(f"/treatments/{treatment.pk}/", width=width, scheme=scheme)
    said = complaints(page)
    handover = page.get_by_role("region", name="Handover")
    handover.get_by_role("link", name="Correct number or email").focus()
    page.keyboard.press("Enter")
    arrived(page, "Correct number or email")
    assert_good(page)
    assert_walks(page)
    page.get_by_label("Mobile", exact=True).focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("202 555 0199")
    page.keyboard.press("Tab")
    expect(page.locator("#checked")).to_contain_text("Read it back: (202) 555-0199")
    expect(page.locator("#checked")).to_contain_text("Devon King")
    tab_to(page, "Read it back")
    page.keyboard.press("Enter")
    back = page.get_by_role("status", name="Read it back")
    expect(back).to_be_focused()
    expect(back).to_contain_text("(202) 555-0199")
    expect(page.get_by_role("checkbox", name="close the old link")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Send the page to (202) 555-0199")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Recovery messages")).not_to_be_checked()
    assert_good(page)
    assert_walks(page)
    back.focus()
    tab_to(page, "Recovery messages", role="checkbox")
    page.keyboard.press("Space")
    tab_to(page, "Save it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Corrected, and the page goes once more")).to_be_visible()
    expect(page.get_by_text("•••• 0146 is now •••• 0199")).to_be_visible()
    assert_good(page)
    assert Reminder.objects.filter(treatment=treatment, rule="handover").count() == 2
    assert said == []


def test_it_works_without_script_and_an_error_stands_beside_its_field(
    open_staff_page: OpenPage, treatment: Treatment
) -> None:
    page = open_staff_page(f"/treatments/{treatment.pk}/contact/", script=False)
    page.get_by_label("Mobile", exact=True).fill("202 555")
    page.get_by_role("button", name="Read it back").click()
    expect(page.get_by_role("alert")).to_contain_text("too short for a US number")
    page.get_by_label("Mobile", exact=True).fill("202 555 0199")
    page.get_by_role("button", name="Read it back").click()
    page.get_by_role("checkbox", name="Recovery messages").check()
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_text("Corrected, and the page goes once more")).to_be_visible()
    assert Patient.objects.get().phone == "+12025550199"
    assert Consent.objects.filter(channel="sms", scope="recovery").latest("pk").given
