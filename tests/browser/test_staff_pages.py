"""The staff's pages in a real browser: zero axe violations, both schemes, phone and desk."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from patients.acts import report_signs
from patients.models import Clinic, StaffUser, Treatment
from patients.models.clinic import Role
from patients.protocol import TierAction
from reminders.concerns import raise_concern
from reminders.inbox import receive_text
from reminders.models import Concern, State
from reminders.page_acts import take_up
from tests.browser.conftest import LONG_NAME
from tests.browser.patient import open_details
from tests.browser.staff import (
    WIDTHS,
    OpenPage,
    arrived,
    assert_good,
    complaints,
    fits,
    violations,
)
from tests.builders import PASSWORD, log, make_patient, reminder_of

pytestmark = [pytest.mark.browser, pytest.mark.services]

ENDS = [320, 1920]
# The words among these elements that stand on more than one line.
BROKEN = """all => all.flatMap(one => [...one.firstChild.data.matchAll(/\\S+/g)].filter(word => {
  const range = document.createRange();
  range.setStart(one.firstChild, word.index);
  range.setEnd(one.firstChild, word.index + word[0].length);
  return range.getClientRects().length > 1;
}).map(word => word[0]))"""

# Buttons whose words do not stand in their middle, give or take a pixel.
OFF_CENTRE = """all => all.flatMap(one => {
  const range = document.createRange();
  range.selectNodeContents([...one.childNodes].find(node => node.data?.trim()));
  const words = range.getBoundingClientRect(), box = one.getBoundingClientRect();
  const off = words.left - box.left - (box.right - words.right);
  return Math.abs(off) > 1 ? [`${one.innerText}: ${off}`] : [];
})"""

# The words that reach out of their cell to the right.
SPILLS = """all => all.filter(one => {
  const range = document.createRange();
  range.selectNodeContents(one);
  const cell = one.closest('th').getBoundingClientRect();
  return range.getBoundingClientRect().right > cell.right;
}).map(one => one.innerText)"""


@pytest.fixture
def concerns(full: list[Treatment]) -> list[Concern]:
    """One of every kind, reports that cannot wait, and a text from a number that nobody has."""
    reminder, clinic = reminder_of(full[0], "cleanse"), full[0].patient.clinic
    for one, tier in ((full[4], TierAction.EMERGENCY), (full[1], TierAction.PAGE_NURSE)):
        report_signs(treatment=one, tier=tier, signs=["pus"], now=timezone.now())
    take_up(now=timezone.now())
    for kind in Concern.Kind:
        raise_concern(kind, reminder=reminder, now=timezone.now(), detail="30005")
    receive_text(
        provider_id="SM" + "7" * 32,
        sender="+12025550199",
        recipient=clinic.sms_sender.as_e164,
        body="It burns,\nand it itches",
    )
    return list(Concern.objects.all())


@pytest.mark.usefixtures("concerns")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ENDS)
def test_no_page_has_a_violation_or_scrolls_sideways(
    live_server: LiveServer,
    open_staff_page: OpenPage,
    full: list[Treatment],
    width: int,
    scheme: str,
) -> None:
    failed = next(one for one in full if reminder_of(one, "handover").state == State.FAILED)
    pk = failed.pk
    page = open_staff_page("/board/", width=width, scheme=scheme)
    said = complaints(page)
    # Every story at both widths and in both schemes, but not in all four ways.
    stories = full[(width == ENDS[0]) ^ (scheme == "dark") :: 2]
    for path in (
        "/board/",
        "/desk/",
        f"/desk/patients/{failed.patient_id}/",
        *(f"/treatments/{treatment.pk}/" for treatment in stories),
        f"/treatments/{pk}/correct/",
        f"/treatments/{pk}/void/",
        f"/treatments/{pk}/answer/",
        f"/treatments/{pk}/note/",
        f"/treatments/{pk}/task/",
        "/board/?until=2020-01-01",
        "/board/missed/handover/",
        "/board/day/",
        "/figures/",
        "/accounts/logout/",
        "/concerns/",
    ):
        page.goto(live_server.url + path)
        open_details(page)
        assert (path, violations(page), fits(page)) == (path, [], True)
        for between in WIDTHS:
            page.set_viewport_size({"width": between, "height": 800})
            assert (path, between, fits(page)) == (path, between, True)
        page.set_viewport_size({"width": width, "height": 800})
    assert said == []


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("width", [ENDS[0], 1280])
def test_a_name_is_shown_whole_and_no_word_of_a_table_is_broken(
    live_server: LiveServer, open_staff_page: OpenPage, width: int
) -> None:
    page = open_staff_page("/board/", width=width)
    names = page.locator("tbody th a")
    expect(names.filter(has_text=LONG_NAME)).to_have_count(1)
    assert names.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    page.goto(f"{live_server.url}/figures/")
    assert page.locator("thead th").evaluate_all(BROKEN) == []


def test_what_stands_below_a_name_never_runs_under_the_next_cell(
    open_staff_page: OpenPage, clinic: Clinic
) -> None:
    """The longest there is: a day of last week, of recovery, a session and another zone."""
    away = make_patient(clinic=clinic, zone="Australia/Sydney")
    log(patient=away, treated_at=timezone.now() - timedelta(days=10))
    page = open_staff_page("/board/", width=1280)
    below = page.locator("tbody th span")
    expect(below.filter(has_text="AE").first).to_be_visible()
    for width in (1024, 1280, 1440, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert below.evaluate_all(SPILLS) == [], width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_empty_wrong_and_asking_pages_have_no_violation_either(
    open_staff_page: OpenPage, clinic: Clinic, width: int, scheme: str
) -> None:
    page = open_staff_page("/board/", width=width, scheme=scheme)
    assert_good(page)
    page.get_by_role("link", name="Log a treatment").first.click()
    arrived(page, "Log a treatment")
    assert_good(page)
    page.get_by_label("Mobile").first.fill("202 555-01")
    page.get_by_role("button", name="Log it and send the page").click()
    expect(page.get_by_role("alert")).to_contain_text("Write the first name.")
    assert_good(page)
    make_patient(clinic=clinic)
    page.get_by_label("First name").fill("Maria")
    page.get_by_label("Last name").fill("Gomez")
    page.get_by_label("Mobile").first.fill("202 555-0146")
    page.keyboard.press("Tab")
    expect(page.locator("#checked")).to_contain_text("(202) 555-0146")
    assert_good(page)
    page.get_by_role("button", name="Log it and send the page").click()
    expect(page.get_by_role("alert")).to_contain_text("Is this somebody else?")
    assert_good(page)


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light"), (1920, "dark")])
def test_concerns_and_the_clinics_page_have_no_violation_either(
    live_server: LiveServer,
    open_staff_page: OpenPage,
    staff: StaffUser,
    full: list[Treatment],
    width: int,
    scheme: str,
) -> None:
    StaffUser.objects.filter(pk=staff.pk).update(role=Role.ADMIN)
    Concern.objects.create(
        clinic=staff.clinic, patient=full[0].patient, kind=Concern.Kind.TEXT,
        opened_at=timezone.now(),
    )  # fmt: skip
    page = open_staff_page("/board/?show=concerns", width=width, scheme=scheme)
    said = complaints(page)
    assert_good(page)
    page.get_by_role("link", name="Ana0 Gomez").click()
    page.get_by_role("button", name="I am on it").click()
    expect(page.get_by_text("On it:")).to_be_visible()
    assert_good(page)
    page.get_by_role("link", name="Close it").click()
    page.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("Say why: it is kept with the concern.")).to_be_visible()
    assert_good(page)
    page.goto(f"{live_server.url}/concerns/")
    assert_good(page)
    page.goto(f"{live_server.url}/clinic/")
    page.get_by_text("Add somebody").click()
    assert_good(page)
    assert page.locator("main .button:visible").evaluate_all(OFF_CENTRE) == []
    assert said == []


@pytest.mark.parametrize("width", WIDTHS)
def test_signing_in_has_no_violation_and_leads_to_the_desk(
    browser: Browser, live_server: LiveServer, staff: StaffUser, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.goto(live_server.url)
    assert_good(page)
    page.get_by_label("Email").fill(staff.email)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_good(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Log a treatment")).to_be_visible()
    page.close()
