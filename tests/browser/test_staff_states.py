"""States of the staff's pages that no other test draws: zero axe violations from 320 to 1920 px."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Clinic, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from reminders.inbox import receive_text
from reminders.models import Task
from reminders.optouts import stop
from tests.browser.staff import OpenPage, assert_walks, complaints, fits, violations
from tests.builders import log, make_patient, void

pytestmark = [pytest.mark.browser, pytest.mark.services]

# What a stylesheet decides by width lies between these: one load, looked at as the window grows.
WIDTHS = (320, 744, 1280, 1920)


def assert_good_at_every_width(page: Page, state: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert (state, width, violations(page), fits(page)) == (state, width, [], True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_where_nothing_is_to_be_seen_no_page_has_a_violation(
    live_server: LiveServer, open_staff_page: OpenPage, clinic: Clinic, scheme: str
) -> None:
    log(patient=make_patient(clinic=clinic))
    page = open_staff_page("/board/?show=failed", scheme=scheme)
    said = complaints(page)
    expect(page.get_by_text("Nothing has failed in the last 14 days.")).to_be_visible()
    assert_good_at_every_width(page, "a filter that leaves nobody")
    for path, words in (
        ("/board/missed/day-2/", "Everybody who should have had it by now got it."),
        ("/tasks/", "Nothing is to be done."),
        ("/tasks/?show=late", "Nothing is late."),
        ("/concerns/", "Nothing is open."),
        ("/board/day/", "Treated today"),
    ):
        page.goto(live_server.url + path)
        expect(page.get_by_text(words)).to_be_visible()
        assert_good_at_every_width(page, path)
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_correction_would_move_and_a_voided_story_have_no_violation(
    live_server: LiveServer,
    open_staff_page: OpenPage,
    staff: StaffUser,
    full: list[Treatment],
    scheme: str,
) -> None:
    page = open_staff_page(f"/treatments/{full[0].pk}/correct/", scheme=scheme)
    said = complaints(page)
    at = timezone.now().astimezone(full[0].patient.tz) - timedelta(hours=1)
    page.get_by_label("It ended at").fill(f"{at:%Y-%m-%dT%H:%M}")
    page.get_by_label("Why was it wrong?").fill("The other room")
    page.get_by_role("button", name="Show what moves").click()
    expect(page.locator(".moves")).to_be_visible()
    assert_good_at_every_width(page, "what a correction moves")
    assert_walks(page)
    void(full[0], by=staff)
    page.goto(f"{live_server.url}/treatments/{full[0].pk}/")
    expect(page.get_by_role("link", name="Log it again")).to_be_visible()
    assert_good_at_every_width(page, "a voided story")
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_note_after_a_new_password_has_no_violation(
    open_staff_page: OpenPage, staff: StaffUser, scheme: str
) -> None:
    StaffUser.objects.filter(pk=staff.pk).update(role=Role.ADMIN)
    page = open_staff_page("/clinic/", scheme=scheme)
    page.get_by_text("Add somebody").click()
    page.locator("#id_new-name").fill("Ann-Kathrin Lee")
    page.locator("#id_new-email").fill("ann-kathrin.lee@lakeside-skin.example")
    page.locator("#id_new-role").select_option("nurse")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("signs in with")).to_be_visible()
    assert_good_at_every_width(page, "a new password")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tasks_and_a_number_shown_have_no_violation_and_are_reached_by_keyboard(
    live_server: LiveServer,
    open_staff_page: OpenPage,
    staff: StaffUser,
    full: list[Treatment],
    scheme: str,
) -> None:
    now, clinic = timezone.now(), staff.clinic
    for one, hours in ((full[4], -1), (full[0], 3)):
        Task.objects.create(
            clinic=clinic, patient=one.patient, owner=staff, made_by=staff, made_at=now,
            due_at=now + timedelta(hours=hours), text="Ask for a photo, 202 555 0188",
        )  # fmt: skip
    page = open_staff_page("/tasks/", scheme=scheme)
    said = complaints(page)
    expect(page.get_by_text("Late", exact=True)).to_be_visible()
    assert_good_at_every_width(page, "tasks")
    assert_walks(page)
    page.get_by_role("button", name="Done").first.click()
    expect(page.get_by_role("button", name="Done")).to_have_count(1)

    receive_text(
        provider_id="SM" + "7" * 32, sender="+12025550199",
        recipient=clinic.sms_sender.as_e164, body="It burns",
    )  # fmt: skip
    page.goto(f"{live_server.url}/concerns/")
    page.get_by_role("button", name="Show the number").focus()
    page.keyboard.press("Enter")
    number = page.get_by_role("link", name="+1 202-555-0199")
    expect(number).to_have_attribute("href", "tel:+12025550199")
    assert_good_at_every_width(page, "a number shown")

    for address, channel in (("+12025550110", Channel.SMS), ("ana@example.org", Channel.EMAIL)):
        stop(clinic, address, channel=channel)
    page.goto(f"{live_server.url}/treatments/{full[0].pk}/answer/")
    expect(page.get_by_text("The patient has stopped messages: call instead.")).to_be_visible()
    page.get_by_role("button", name="Show the number").click()
    expect(page.get_by_role("link", name="+1 202-555-0110")).to_be_visible()
    assert_good_at_every_width(page, "no answer may go")
    assert said == []
