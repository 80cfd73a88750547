"""A session ends on the server: idle, old, disabled, or its owner's password or factor changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings as site_settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from patients.models import Clinic, StaffUser, Treatment
from patients.models.clinic import Role
from patients.sessions import SLACK, WRITTEN_EVERY
from reminders.models import Note
from reminders.tasks import forget
from tests.builders import PASSWORD, log, make_clinic, make_patient, make_staff
from tests.sign_in import code_now, give_app, is_in, led_to, sign_in, type_password

MINUTE = 60
NEW = "three-words-and-a-river"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-23T17:00:00Z", tick=False) as clock:
        cache.clear()
        yield clock


@pytest.fixture
def clinic(clock: time_machine.Traveller, db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def nurse(clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks")


@pytest.fixture
def treatment(clinic: Clinic) -> Treatment:
    return log(patient=make_patient(clinic=clinic))


@pytest.fixture
def screen(client: Client, nurse: StaffUser) -> Client:
    sign_in(client, nurse)
    assert is_in(client)
    return client


def open_lock(client: Client, password: str = PASSWORD, back: str = "/board/") -> str:
    answer = client.post(reverse("locked"), {"password": password, "next": back})
    return answer.get("Location", "")


# --- Time --------------------------------------------------------------------------------------


def test_the_numbers_are_those_promised() -> None:
    assert (site_settings.SESSION_IDLE_MINUTES, site_settings.SESSION_HOURS) == (15, 12)
    assert site_settings.SCREEN_LOCK_MINUTES == 5


def test_after_15_minutes_without_a_hand_the_session_is_over(
    screen: Client, clock: time_machine.Traveller
) -> None:
    clock.shift(15 * MINUTE - 1)
    assert led_to(screen) == reverse("locked")
    clock.shift(1)
    page = screen.get(reverse("board"), follow=True)
    assert page.redirect_chain[0][0] == f"{reverse('account_login')}?next={reverse('board')}"
    assert "You were signed out" in page.content.decode()
    assert open_lock(screen).startswith(reverse("account_login"))


def test_every_request_by_hand_begins_the_15_minutes_anew_and_12_hours_end_them(
    screen: Client, clock: time_machine.Traveller
) -> None:
    for _ in range(12 * 15 - 1):
        clock.shift(4 * MINUTE)
        assert is_in(screen)
    clock.shift(4 * MINUTE - 1)
    assert is_in(screen)
    clock.shift(1)
    assert led_to(screen) == reverse("account_login")


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(
    screen: Client, clock: time_machine.Traveller, treatment: Treatment
) -> None:
    asked = [
        reverse("board-changes"),
        reverse("story-handover", args=[treatment.pk]),
        reverse("locked-counters"),
    ]
    for _ in range(15 * 4):
        clock.shift(15)
        for address in asked:
            screen.get(address, headers={"HX-Request": "true"})
    assert led_to(screen) == reverse("account_login")


def test_a_hand_on_an_open_page_keeps_it_open(
    screen: Client, clock: time_machine.Traveller
) -> None:
    for _ in range(30):
        clock.shift(MINUTE)
        assert screen.post(reverse("still-here")).status_code == 204
    assert is_in(screen)
    clock.shift(5 * MINUTE + SLACK)
    assert screen.post(reverse("still-here")).status_code == 302
    assert led_to(screen) == reverse("locked")


def test_a_hand_is_written_down_seldom(
    screen: Client,
    clock: time_machine.Traveller,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    clock.shift(WRITTEN_EVERY - 1)
    with django_assert_num_queries(2):  # session, user
        screen.post(reverse("still-here"))
    clock.shift(1)
    with django_assert_num_queries(5):  # and the session's update, in a savepoint
        screen.post(reverse("still-here"))


# --- The lock ----------------------------------------------------------------------------------


def test_after_five_minutes_without_a_hand_the_server_shows_no_name(
    screen: Client, clock: time_machine.Traveller, treatment: Treatment
) -> None:
    clock.shift(5 * MINUTE + SLACK - 1)
    screen.get(reverse("board-changes"))
    clock.shift(1)
    for name in ("board", "desk", "concerns", "day-sheet", "export", "figures", "mfa_index"):
        assert led_to(screen, name) == reverse("locked"), name
    story = reverse("story", args=[treatment.pk])
    answer = screen.get(story)
    assert answer["Location"] == f"{reverse('locked')}?next=%2Ftreatments%2F{treatment.pk}%2F"
    page = screen.get(answer["Location"]).content.decode()
    assert "Gomez" not in page
    assert "Imani Brooks" in page
    assert "concerns open" in page
    assert screen.post(reverse("note", args=[treatment.pk]), {"text": "x"}).status_code == 302
    assert not Note.objects.exists()
    assert open_lock(screen, "wrong") == ""
    assert (
        "That is not your password."
        in screen.post(reverse("locked"), {"password": "wrong"}).content.decode()
    )
    assert led_to(screen) == reverse("locked")
    assert open_lock(screen, back=story) == story
    assert screen.get(story).status_code == 200


def test_a_page_locks_the_session_for_every_tab_and_its_board_learns_nothing_more(
    screen: Client, treatment: Treatment
) -> None:
    board = screen.get(reverse("board"))
    screen.get(reverse("board-changes"))  # it is known by now who looks
    assert screen.get(reverse("board-changes")).status_code == 204
    answer = screen.post(reverse("lock"), {"next": "/figures/"})
    assert answer["Location"] == f"{reverse('locked')}?next=%2Ffigures%2F"
    assert led_to(screen, "board-changes") == reverse("locked")
    assert led_to(screen) == reverse("locked")
    assert "Gomez" in board.content.decode()
    counters = screen.get(reverse("locked-counters")).content.decode()
    assert "due in 2 hours" in counters
    assert "Gomez" not in counters


@pytest.mark.parametrize(
    ("typed", "back"),
    [
        ('[["", "text", "Called her", false]]', True),
        ("[" + "1," * 10_000 + "1]", False),
        ("{", False),
        ('"x"', False),
        ("", False),
    ],
)
def test_what_was_typed_waits_in_the_session_for_its_own_page(
    screen: Client, treatment: Treatment, typed: str, back: bool
) -> None:
    page = reverse("note", args=[treatment.pk])
    screen.post(reverse("lock"), {"next": page, "typed": typed})
    assert "Called her" not in screen.get(reverse("locked")).content.decode()
    open_lock(screen, back=page)
    assert "typed-before" not in screen.get(reverse("board")).content.decode()
    assert ("Called her" in screen.get(page).content.decode()) is back
    assert "typed-before" not in screen.get(page).content.decode()


@pytest.mark.parametrize(
    "asked", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"]
)
def test_the_lock_opens_to_our_own_pages_only(screen: Client, asked: str) -> None:
    screen.post(reverse("lock"), {"next": asked})
    assert asked not in screen.get(reverse("locked"), {"next": asked}).content.decode()
    assert open_lock(screen, back=asked) == reverse("home")


def test_at_a_lock_the_password_is_guessed_five_times(screen: Client) -> None:
    screen.post(reverse("lock"))
    for _ in range(5):
        assert open_lock(screen, "wrong") == ""
    assert open_lock(screen) == ""
    assert (
        "Too many tries" in screen.post(reverse("locked"), {"password": PASSWORD}).content.decode()
    )


def test_a_session_nobody_came_back_to_is_removed_with_what_was_typed_in_it(
    screen: Client, clock: time_machine.Traveller
) -> None:
    screen.post(reverse("lock"), {"next": "/board/", "typed": '["x"]'})
    clock.shift(11 * 60 * MINUTE)
    forget()
    assert Session.objects.exists()
    clock.shift(61 * MINUTE)
    forget()
    assert not Session.objects.exists()


# --- Ended by others ---------------------------------------------------------------------------


def test_a_disabled_user_is_out_on_the_next_request_and_begins_anew_when_let_in_again(
    screen: Client, nurse: StaffUser
) -> None:
    admin = Client()
    admin.force_login(make_staff(clinic=nurse.clinic, role=Role.ADMIN))
    screen.get(reverse("board-changes"))
    assert screen.get(reverse("board-changes")).status_code == 204  # known without a question
    admin.post(reverse("clinic-person", args=[nurse.pk]), {"role": "nurse"})
    for name in ("board-changes", "board", "desk"):
        assert led_to(screen, name) == reverse("account_login"), name
    admin.post(reverse("clinic-person", args=[nurse.pk]), {"role": "nurse", "is_active": "on"})
    assert not is_in(screen)


def test_other_sessions_end_when_the_password_changes(screen: Client, nurse: StaffUser) -> None:
    other = Client()
    sign_in(other, nurse)
    assert is_in(other)
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert screen.post(reverse("account_change_password"), typed).status_code == 302
    assert not is_in(other)
    assert is_in(screen)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change", ["an app is set up", "the app is removed", "new codes", "a passkey is removed"]
)
def test_other_sessions_end_when_a_factor_changes(
    screen: Client, nurse: StaffUser, change: str
) -> None:
    other = Client()
    if change == "an app is set up":
        sign_in(other, nurse)
        screen.get(reverse("mfa_activate_totp"))
        secret = screen.session["mfa.totp.secret"]
        screen.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
    elif change == "a passkey is removed":
        sign_in(other, nurse)
        key = Authenticator.objects.create(user=nurse, type="webauthn", data={"name": "Mine"})
        screen.post(reverse("mfa_remove_webauthn", args=[key.pk]))
    else:
        give_app(nurse)
        sign_in(other, nurse)
        way = (
            "mfa_deactivate_totp"
            if change == "the app is removed"
            else ("mfa_generate_recovery_codes")
        )
        screen.post(reverse(way))
    assert Authenticator.objects.exists() is ("removed" not in change)
    assert not is_in(other)
    assert is_in(screen)


# --- Forged and replayed -----------------------------------------------------------------------


def test_a_session_that_was_left_cannot_be_taken_up_again(screen: Client, nurse: StaffUser) -> None:
    kept = screen.cookies["session"].value
    screen.post(reverse("account_logout"))
    thief = Client()
    thief.cookies["session"] = kept
    assert not is_in(thief)
    assert not Session.objects.filter(session_key=kept).exists()


def test_a_session_chosen_by_somebody_else_is_not_the_one_signed_in(
    client: Client, nurse: StaffUser
) -> None:
    planted = "a" * 32
    client.cookies["session"] = planted
    sign_in(client, nurse)
    assert client.cookies["session"].value != planted
    thief = Client()
    thief.cookies["session"] = planted
    assert not is_in(thief)


@pytest.mark.parametrize("forged", ["", "x", "0" * 32, "../../etc/passwd", "é", "a" * 5000])
def test_a_forged_session_is_a_visitor(screen: Client, forged: str) -> None:
    thief = Client()
    thief.cookies["session"] = forged
    assert led_to(thief) == reverse("account_login")


def test_the_key_changes_when_somebody_signs_in_or_changes_their_factors(
    client: Client, nurse: StaffUser
) -> None:
    client.get(reverse("account_login"))
    type_password(client, nurse.email)
    before = client.cookies["session"].value
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    client.post(reverse("account_change_password"), typed)
    assert client.cookies["session"].value != before


def test_the_factor_shown_belongs_to_whoever_showed_it(
    client: Client, nurse: StaffUser, settings: Settings
) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    give_app(nurse)
    sign_in(client, nurse)
    assert is_in(client)
    client.post(reverse("account_logout"))
    type_password(client, make_staff(clinic=nurse.clinic).email)
    assert led_to(client) == reverse("mfa_index")
