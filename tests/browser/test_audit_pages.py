"""The audit trail, one person's data and its end, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from patients.models import AuditRow, Erasure, StaffUser, Treatment
from patients.models.clinic import Role
from tests.browser.staff import WIDTHS, OpenPage, assert_good, assert_walks, complaints

pytestmark = [pytest.mark.browser, pytest.mark.services]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_trail_and_a_persons_data_have_no_violation_and_do_what_they_say(
    live_server: LiveServer,
    open_staff_page: OpenPage,
    staff: StaffUser,
    full: list[Treatment],
    width: int,
    scheme: str,
) -> None:
    StaffUser.objects.filter(pk=staff.pk).update(role=Role.LEAD)
    treatment = full[0]
    patient = treatment.patient
    page = open_staff_page(f"/treatments/{treatment.pk}/", width=width, scheme=scheme)
    said = complaints(page)
    page.get_by_role("link", name="Who opened this record").click()
    expect(page.locator(".audit-rows")).to_contain_text("Opened the record")
    assert_good(page)
    assert_walks(page)
    page.get_by_label("What").select_option(label="Failed to sign in")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nothing of this kind has happened.")).to_be_visible()
    assert_good(page)
    page.goto(f"{live_server.url}/audit/")
    assert_good(page)
    page.goto(f"{live_server.url}/treatments/{treatment.pk}/")
    page.get_by_role("link", name="All that is kept of this person").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(patient.full_name)
    assert_good(page)
    page.get_by_role("link", name="Erase or keep").click()
    expect(page.get_by_role("heading", name="Keep it whole")).to_be_visible()
    assert_good(page)
    assert_walks(page)
    page.get_by_role("button", name="Erase this record for good").click()
    expect(page.get_by_text("Type the patient’s last name.")).to_be_visible()
    assert_good(page)
    page.get_by_label("A complaint or claim is open").check()
    page.get_by_role("button", name="Put it on hold").click()
    expect(page.get_by_text("nothing of it is erased")).to_be_visible()
    assert_good(page)
    page.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_role("button", name="Put it on hold")).to_be_visible()
    page.get_by_label("The patient asked for it").check()
    page.get_by_label("Type the last name to confirm").fill(patient.last_name)
    page.get_by_role("button", name="Erase this record for good").click()
    expect(page.get_by_text("The record is erased.")).to_be_visible()
    assert_good(page)
    assert Erasure.objects.get().patient_id == patient.pk
    assert AuditRow.objects.filter(act="erased").count() == 1
    page.goto(f"{live_server.url}/treatments/{treatment.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Erased no. {patient.pk}")
    assert_good(page)
    assert said == []
