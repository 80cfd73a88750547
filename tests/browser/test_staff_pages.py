"""The staff's pages in a real browser: by keyboard, for every eye, on every width, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Clinic, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from reminders.models import State
from tests.builders import (
    PASSWORD,
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)

pytestmark = [pytest.mark.browser, pytest.mark.services]

WIDTHS = [360, 1280]
OpenPage = Callable[..., Page]


@pytest.fixture
def clinic(live_server: LiveServer) -> Clinic:
    return make_clinic()


@pytest.fixture
def staff(clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic)


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer, staff: StaffUser) -> Iterator[OpenPage]:
    """Opens an address signed in: `open_page("/desk/", width=360, scheme="dark", script=False)`."""
    client = Client()
    client.force_login(staff)
    session = client.cookies["session"].value
    contexts = []

    def open_one(
        path: str, *, width: int = 1280, scheme: str = "light", script: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def full(clinic: Clinic, staff: StaffUser) -> list[Treatment]:
    """Patients in every state, among them an email, another zone, a failure and a skip."""
    now = timezone.now()
    treatments = []
    for number, state in enumerate(State):
        patient = make_patient(
            clinic=clinic,
            first_name=f"Ana{number}",
            phone=f"+1202555011{number}",
            email="ana@example.org",
            channel=Channel.EMAIL if number == 2 else Channel.SMS,
            zone="America/New_York" if number == 3 else "",
        )
        at = now - timedelta(hours=number * 5)
        treatment = log(patient=patient, treated_at=at, by=staff, recovery=state != State.SKIPPED)
        if state != State.SKIPPED:
            handover = set_state(reminder_of(treatment, "handover"), state)
            code = "30005" if state == State.FAILED else ""
            make_attempt(handover, provider_id=f"SM{number}", error_code=code)
        treatments.append(treatment)
    return treatments


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def assert_good(page: Page) -> None:
    assert violations(page) == []
    assert fits(page)


def complaints(page: Page) -> list[str]:
    """What the browser's console says from now on, such as a breach of the content policy."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_a_violation_or_scrolls_sideways(
    open_page: OpenPage, full: list[Treatment], width: int, scheme: str
) -> None:
    failed = next(one for one in full if reminder_of(one, "handover").state == State.FAILED)
    pk = failed.pk
    page = open_page("/board/", width=width, scheme=scheme)
    said = complaints(page)
    for path in (
        "/board/",
        "/desk/",
        f"/desk/patients/{failed.patient_id}/",
        *(f"/treatments/{treatment.pk}/" for treatment in full),
        f"/treatments/{pk}/correct/",
        f"/treatments/{pk}/void/",
        "/accounts/logout/",
    ):
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        for details in page.locator("details").all():
            details.evaluate("one => one.open = true")
        assert (path, violations(page), fits(page)) == (path, [], True)
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_empty_wrong_and_asking_pages_have_no_violation_either(
    open_page: OpenPage, clinic: Clinic, width: int, scheme: str
) -> None:
    page = open_page("/board/", width=width, scheme=scheme)
    assert_good(page)
    page.get_by_role("link", name="Log a treatment").first.click()
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


@pytest.mark.parametrize("width", WIDTHS)
def test_signing_in_has_no_violation_and_leads_to_the_desk(
    browser: Browser, live_server: LiveServer, staff: StaffUser, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
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


# --- By keyboard alone -------------------------------------------------------------------------


def test_a_returning_patient_takes_at_most_12_keys_and_no_click(
    open_page: OpenPage, clinic: Clinic
) -> None:
    patient = make_patient(clinic=clinic)
    log(patient=patient, treated_at=timezone.now() - timedelta(days=28))
    page = open_page("/desk/")
    said = complaints(page)
    keys = 0

    def press(*names: str) -> None:
        nonlocal keys
        for name in names:
            page.keyboard.press(name)
            keys += 1

    press("m", "a", "r")
    expect(page.locator("#found").get_by_role("link", name="Maria Gomez")).to_be_visible()
    press("Tab", "Tab", "Enter")
    expect(page.get_by_text("has been here before")).to_be_visible()
    press("Enter")
    expect(page.get_by_role("heading", name="On its way")).to_be_visible()
    assert keys <= 12
    assert Treatment.objects.filter(patient=patient).count() == 2
    assert said == []


def test_a_new_patient_takes_four_fields_and_the_keyboard(
    open_page: OpenPage, clinic: Clinic
) -> None:
    page = open_page("/desk/")
    page.get_by_label("First name").focus()
    page.keyboard.type("Ana")
    page.keyboard.press("Tab")
    page.keyboard.type("Petrov")
    page.keyboard.press("Tab")
    page.keyboard.type("2025550147")
    page.get_by_role("checkbox", name="Recovery messages").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ana Petrov")).to_be_visible()
    assert Treatment.objects.get().reminders.filter(state=State.PLANNED).exists()


@pytest.mark.parametrize("path", ["/desk/", "/board/"])
def test_focus_is_always_seen_and_reaches_everything(
    open_page: OpenPage, full: list[Treatment], path: str
) -> None:
    page = open_page(path)
    focusable = page.locator(
        "main :is(a[href], button, input:not([type=hidden]), select, summary):visible"
    ).count()
    page.locator("body").evaluate("document.activeElement.blur()")
    seen = set()
    for _ in range(focusable + 12):
        page.keyboard.press("Tab")
        name, outlined = page.evaluate(
            """() => { const one = document.activeElement; const beside = one.nextElementSibling;
            const style = getComputedStyle(one.matches('.pill input') ? beside : one);
            return [one.outerHTML.slice(0, 80), style.outlineStyle != 'none'] }"""
        )
        seen.add(name)
        assert outlined or name.startswith("<body"), name
    assert len(seen) >= 10


# --- Live --------------------------------------------------------------------------------------


def test_the_handover_turns_green_while_one_looks(
    open_page: OpenPage, clinic: Clinic, staff: StaffUser
) -> None:
    treatment = log(patient=make_patient(clinic=clinic), by=staff)
    page = open_page(f"/treatments/{treatment.pk}/")
    expect(page.get_by_role("heading", name="On its way")).to_be_visible()
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    expect(page.get_by_role("heading", name="Maria has the page")).to_be_visible(timeout=5000)
    assert page.locator("[hx-get*=handover]").count() == 0


def test_the_board_offers_changes_and_moves_no_row_by_itself(
    open_page: OpenPage, full: list[Treatment]
) -> None:
    page = open_page("/board/?show=due")
    rows = page.locator("tbody tr").count()
    set_state(reminder_of(full[-1], "handover"), State.DELIVERED, at=timezone.now())
    button = page.get_by_role("link", name="1 change: show")
    expect(button).to_be_visible(timeout=7000)
    assert page.locator("tbody tr").count() == rows
    button.click()
    expect(button).not_to_be_visible()
    assert page.url.endswith("?show=due")


def test_a_look_after_the_session_has_ended_leads_to_the_sign_in(
    open_page: OpenPage, clinic: Clinic
) -> None:
    log(patient=make_patient(clinic=clinic))
    page = open_page("/board/")
    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=7000)


def test_the_code_is_at_least_6_cm_wide(open_page: OpenPage, full: list[Treatment]) -> None:
    for width in WIDTHS:
        page = open_page(f"/treatments/{full[0].pk}/", width=width)
        box = page.locator(".code svg").bounding_box()
        assert box is not None
        assert box["width"] >= 6 * 96 / 2.54


def test_forty_patients_fit_a_tall_screen(open_page: OpenPage, clinic: Clinic) -> None:
    for number in range(42):
        log(patient=make_patient(clinic=clinic, last_name=f"Gomez{number}"))
    page = open_page("/board/")
    page.set_viewport_size({"width": 1440, "height": 1440})
    bottom = page.locator("tbody tr").nth(39).bounding_box()
    assert bottom is not None
    assert bottom["y"] + bottom["height"] <= 1440


# --- Without JavaScript ------------------------------------------------------------------------


def test_the_desk_works_without_script(open_page: OpenPage, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    page = open_page("/desk/", script=False)
    page.get_by_role("searchbox").fill("gom")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Maria Gomez").click()
    page.get_by_role("radio", name="−30 min").check()
    page.get_by_role("checkbox", name="Recovery messages").check()
    page.get_by_role("button", name="Log it and send the page").click()
    expect(page.get_by_role("heading", name="Maria Gomez")).to_be_visible()
    treatment = Treatment.objects.get(patient=patient)
    page.get_by_role("link", name="Correct the time").click()
    page.get_by_label("Why was it wrong?").fill("The other room")
    page.get_by_label("It ended at").fill(
        (timezone.now() - timedelta(hours=2)).astimezone(clinic.tz).strftime("%Y-%m-%dT%H:%M")
    )
    page.get_by_role("button", name="Show what moves").click()
    page.get_by_role("button", name="Save the new time").click()
    expect(page.get_by_text("The time is corrected")).to_be_visible()
    assert treatment.corrections.count() == 1


def test_every_role_can_read_the_board_without_script(
    open_page: OpenPage, staff: StaffUser, full: list[Treatment]
) -> None:
    StaffUser.objects.filter(pk=staff.pk).update(role=Role.NURSE)
    page = open_page("/board/", script=False)
    assert page.locator("tbody tr").count() == len(full)
    page.get_by_role("link", name="1 failed").click()
    assert page.locator("tbody tr").count() == 1
