"""Signing in, setting up and the lock in a real browser, with a passkey; zero axe violations."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator

import pytest
from allauth.mfa.models import Authenticator as Factor
from django.core.cache import cache
from django.core.signals import request_started
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from patients import links
from patients.models import Clinic, StaffUser, Treatment
from patients.models.clinic import Role
from patients.starting_anew import start_anew
from reminders.models import Notice
from tests.browser.passkey import authenticator
from tests.browser.staff import WIDTHS, arrived, assert_good, complaints, whole
from tests.builders import PASSWORD, log, make_patient, make_staff
from tests.sign_in import code_now, give_app

pytestmark = [pytest.mark.browser, pytest.mark.services]

NEW = "three-words-and-a-river"
Open = Callable[..., Page]


@pytest.fixture(autouse=True)
def forced(settings: Settings) -> Iterator[None]:
    settings.SECOND_FACTOR_REQUIRED = True
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def treatment(clinic: Clinic) -> Treatment:
    return log(patient=make_patient(clinic=clinic))


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[Open]:
    """A browser nobody is signed in at."""
    contexts = []

    def open_one(path: str = "/", *, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()


def type_password(page: Page, person: StaffUser, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def set_up_passkey(page: Page) -> None:
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_new_colleague_walks_in_with_a_passkey_and_every_page_on_the_way_is_good(
    open_page: Open, staff: StaffUser, width: int, scheme: str
) -> None:
    lent = start_anew(staff)
    page = open_page(width=width, scheme=scheme)
    said = complaints(page)
    device = authenticator(page)
    assert_good(page)
    type_password(page, staff, lent)
    expect(page.get_by_role("heading", name="Choose a password of your own")).to_be_visible()
    assert_good(page)
    page.get_by_label("Current Password").fill(lent)
    page.get_by_label("New Password", exact=True).fill("short")
    page.get_by_label("New Password (again)").fill("short")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This password is too short")).to_be_visible()
    assert_good(page)
    page.get_by_label("Current Password").fill(lent)
    page.get_by_label("New Password", exact=True).fill(NEW)
    page.get_by_label("New Password (again)").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Add a second step")).to_be_visible()
    assert_good(page)
    page.get_by_role("link", name="Set up a passkey").click()
    arrived(page, "Set up a passkey")
    assert_good(page)
    device.refuse()
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("alert")).to_contain_text("It was cancelled")
    assert_good(page)
    device.refuse(refused=False)
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("They are shown only now.")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
    assert_good(page)
    page.get_by_role("link", name="I have them: go on").click()
    expect(page.get_by_role("heading", name="Log a treatment")).to_be_visible()
    page.get_by_role("link", name=staff.name).click()
    expect(page.get_by_role("heading", name="My phone")).to_be_visible()
    assert_good(page)
    page.get_by_role("link", name="Rename My phone").click()
    arrived(page, "Rename a passkey")
    assert_good(page)
    page.go_back()
    page.get_by_role("link", name="Remove My phone").click()
    arrived(page, "Remove this passkey?")
    assert_good(page)
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name=re.compile("^Make new ones")).click()
    arrived(page, "New recovery codes?")
    assert_good(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Log a treatment")).to_be_visible()
    assert device.credentials() == 1
    assert said == []
    told = Notice.objects.filter(person=staff).order_by("pk").values_list("kind", flat=True)
    assert list(told) == [Notice.Kind.PASSWORD, Notice.Kind.PASSKEY_ADDED]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_an_app_is_set_up_and_used_and_every_page_on_the_way_is_good(
    open_page: Open, staff: StaffUser, width: int, scheme: str
) -> None:
    page = open_page("/board/", width=width, scheme=scheme)
    said = complaints(page)
    type_password(page, staff)
    page.get_by_role("link", name="Use an app with codes").click()
    arrived(page, "An app with codes")
    assert page.locator(".code svg").bounding_box()["width"] > 200  # type: ignore[index]
    page.get_by_text("The app is on this device").click()
    assert_good(page)
    page.get_by_label("Authenticator code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That did not match.")).to_be_visible()
    assert_good(page)
    secret = page.locator("[data-secret]").text_content() or ""
    page.get_by_label("Authenticator code").fill(code_now(secret))
    page.keyboard.press("Enter")
    expect(page.locator(".codes li")).to_have_text([re.compile(r"^\d{8}$")] * 10)
    codes = page.locator(".codes li").all_text_contents()
    page.reload()
    expect(page.get_by_text("cannot be shown again")).to_be_visible()
    assert_good(page)
    page.get_by_role("button", name="Sign out").click()
    type_password(page, staff)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    assert_good(page)
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That did not match.")).to_be_visible()
    assert_good(page)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Log a treatment")).to_be_visible()
    page.get_by_role("link", name=staff.name).click()
    arrived(page, "Your sign-in")
    assert_good(page)
    page.get_by_role("link", name="Remove the app").click()
    arrived(page, "Remove the app?")
    assert_good(page)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("heading", name="Add a second step")).to_be_visible()
    assert said == []


def test_after_the_password_a_passkey_is_the_second_step_and_asked_for_again_later(
    open_page: Open, staff: StaffUser, settings: Settings
) -> None:
    page = open_page()
    said = complaints(page)
    authenticator(page)
    type_password(page, staff)
    set_up_passkey(page)
    page.get_by_role("button", name="Sign out").click()
    type_password(page, staff)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    assert_good(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Log a treatment")).to_be_visible()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    page.get_by_role("link", name=staff.name).click()
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    assert_good(page)
    page.get_by_role("link", name="Use a code").click()
    expect(page.get_by_label("Code")).to_be_visible()
    assert_good(page)
    page.get_by_role("link", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    assert_good(page)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="An app with codes")).to_be_visible()
    assert said == []


@pytest.mark.parametrize("way", ["password", "passkey"])
@pytest.mark.parametrize("width", WIDTHS)
def test_an_admin_shows_who_they_are_before_a_colleagues_sign_in_is_started_anew(
    open_page: Open, staff: StaffUser, settings: Settings, width: int, way: str
) -> None:
    StaffUser.objects.filter(pk=staff.pk).update(role=Role.ADMIN)
    nurse = make_staff(clinic=staff.clinic, role=Role.NURSE, name="Imani Brooks")
    page = open_page("/clinic/", width=width)
    said = complaints(page)
    authenticator(page)
    type_password(page, staff)
    set_up_passkey(page)
    page.get_by_role("link", name="I have them: go on").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Clinic").click()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    page.get_by_text("Lost phone or password of Imani Brooks").click()
    page.get_by_role("button", name="Start their sign-in anew").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    assert_good(page)
    nurse.refresh_from_db()
    assert nurse.lent_until is None
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    if way == "password":
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
    else:
        page.get_by_role("link", name="Use a passkey").click()
        page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("It is shown only this once")).to_be_visible()
    assert_good(page)
    nurse.refresh_from_db()
    lent = page.locator(".note.good code").inner_text()
    assert nurse.check_password(lent)
    assert said == []


KEPT = """async () => [
  await Promise.all((await caches.keys()).sort().map(
    async name => [name, (await (await caches.open(name)).keys()).length])),
  (await navigator.serviceWorker.getRegistrations()).map(one => one.scope).sort(),
  Object.keys(localStorage).sort(),
]"""


def test_signing_out_leaves_the_page_that_a_patient_keeps_on_the_same_machine(
    open_page: Open, staff: StaffUser, treatment: Treatment, live_server: LiveServer
) -> None:
    give_app(staff)
    page = open_page(f"/r/{links.token_of(treatment)}")
    expect(page.locator("button[data-act=forget]")).to_be_visible()
    before = page.evaluate(KEPT)
    assert before[0]
    assert before[1]
    page.goto(live_server.url)
    type_password(page, staff)
    page.get_by_label("Code").fill(code_now())
    page.keyboard.press("Enter")
    with page.expect_response("**/accounts/logout/") as left:
        page.get_by_role("button", name="Sign out").click()
    assert left.value.header_value("Clear-Site-Data") == '"cache"'
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate(KEPT) == before


# --- The lock ----------------------------------------------------------------------------------


@contextlib.contextmanager
def arriving_late(path: str) -> Iterator[None]:
    """What is sent to that path reaches the site when this ends."""
    arrives = threading.Event()

    def hold(environ: dict[str, str], **_: object) -> None:
        if environ["PATH_INFO"] == path:
            arrives.wait(30)

    request_started.connect(hold)
    try:
        yield
    finally:
        arrives.set()
        request_started.disconnect(hold)


def names_in(page: Page) -> bool:
    whole(page)
    return bool(page.evaluate("document.documentElement.outerHTML.includes('Gomez')"))


@pytest.fixture
def nurse(staff: StaffUser, treatment: Treatment) -> StaffUser:
    StaffUser.objects.filter(pk=staff.pk).update(role=Role.NURSE, name="Imani Brooks")
    staff.refresh_from_db()
    return staff


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_without_a_hand_locks_to_the_counters_and_opens_with_a_passkey(
    open_page: Open, nurse: StaffUser, treatment: Treatment, width: int, scheme: str
) -> None:
    page = open_page(width=width, scheme=scheme)
    authenticator(page)
    type_password(page, nurse)
    set_up_passkey(page)
    page.clock.install()
    page.get_by_role("link", name="I have them: go on").click()
    page.get_by_role("link", name="Maria Gomez").click()
    arrived(page, "Maria Gomez")
    said = complaints(page)
    page.clock.run_for(4 * 60_000)
    page.mouse.move(200, 200)
    page.mouse.move(210, 210)
    page.clock.run_for(4 * 60_000)
    assert names_in(page)
    page.clock.run_for(61_000)
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert not names_in(page)
    expect(page.get_by_text("Imani Brooks is signed in")).to_be_visible()
    expect(page.get_by_label("The board")).to_contain_text("due in 2 hours")
    assert_good(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert not names_in(page)
    page.get_by_role("button", name="Open with a passkey").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/(board|treatments)/"))
    assert names_in(page)
    assert said == []


def test_the_lock_button_locks_every_tab_and_the_password_opens_it_by_keyboard_alone(
    open_page: Open, nurse: StaffUser, live_server: LiveServer, treatment: Treatment
) -> None:
    give_app(nurse)
    page = open_page()
    type_password(page, nurse)
    page.get_by_label("Code").fill(code_now())
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Maria Gomez")).to_be_visible()
    whole(page)
    other = page.context.new_page()
    other.goto(f"{live_server.url}/treatments/{treatment.pk}/")
    with arriving_late("/lock/"):
        page.get_by_role("button", name="Lock").focus()
        page.keyboard.press("Enter")
        # The server has yet to hear of it: until then no tab may ask it for its page again.
        for tab in (page, other):
            expect(tab).to_have_title("Locked · Aftercare")
            assert not names_in(tab)
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    expect(other.get_by_role("heading", name="Locked")).to_be_visible()
    assert not names_in(other)
    page.get_by_label("Password").focus()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That is not your password.")).to_be_visible()
    assert_good(page)
    page.get_by_label("Password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Maria Gomez")).to_be_visible()


@pytest.mark.parametrize("way", ["idle", "button"])
def test_what_was_being_typed_is_back_when_the_lock_opens_and_nowhere_else_meanwhile(
    open_page: Open, nurse: StaffUser, treatment: Treatment, live_server: LiveServer, way: str
) -> None:
    give_app(nurse)
    page = open_page()
    type_password(page, nurse)
    page.get_by_label("Code").fill(code_now())
    page.clock.install()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Maria Gomez")).to_be_visible()
    page.goto(f"{live_server.url}/treatments/{treatment.pk}/note/")
    said = complaints(page)
    page.locator("main textarea").fill("Called: “no redness” <b>& calm</b>")
    if way == "button":
        page.get_by_role("button", name="Lock").click()
    else:
        page.clock.run_for(5 * 60_000 + 1_000)
    arrived(page, "Locked")
    assert "redness" not in page.content()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("main textarea")).to_have_value("Called: “no redness” <b>& calm</b>")
    expect(page.get_by_text("What you had typed is back.")).to_be_visible()
    assert_good(page)
    page.reload()
    expect(page.locator("main textarea")).to_have_value("")
    assert said == []


def test_a_machine_that_slept_locks_before_the_first_hand_counts_even_without_a_network(
    open_page: Open, nurse: StaffUser
) -> None:
    give_app(nurse)
    page = open_page()
    type_password(page, nurse)
    page.get_by_label("Code").fill(code_now())
    page.clock.install()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Maria Gomez")).to_be_visible()
    whole(page)
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)  # it may not lie behind already
    page.context.set_offline(True)
    page.clock.fast_forward("10:00")
    page.mouse.move(5, 5)
    page.mouse.move(50, 50)
    expect(page.get_by_text("Gomez")).to_have_count(0)


def test_an_open_page_tells_the_server_of_a_hand_and_of_nothing_else(
    open_page: Open, nurse: StaffUser
) -> None:
    give_app(nurse)
    page = open_page()
    type_password(page, nurse)
    page.get_by_label("Code").fill(code_now())
    page.clock.install()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Maria Gomez")).to_be_visible()
    whole(page)
    told: list[str] = []
    page.on("request", lambda one: told.append(one.url) if "still-here" in one.url else None)
    page.clock.run_for(120_000)
    assert told == []
    with page.expect_request("**/still-here/") as asked:
        page.mouse.move(200, 200)
        page.clock.run_for(1_000)
    assert asked.value.method == "POST"
    assert len(told) == 1


def test_a_removed_passkey_no_longer_opens(open_page: Open, staff: StaffUser) -> None:
    page = open_page()
    authenticator(page)
    type_password(page, staff)
    set_up_passkey(page)
    Factor.objects.all().delete()
    page.context.clear_cookies()
    page.reload()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("That did not match. Try once more.")).to_be_visible()
    assert_good(page)
