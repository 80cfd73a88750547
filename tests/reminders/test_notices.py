"""Whoever's sign-in changes is mailed so, whoever changed it; the trail has a row of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import NoReturn

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from patients.models import AuditRow, Clinic, StaffUser
from patients.models.clinic import Role
from reminders.channels import Message, email
from reminders.models import Notice
from reminders.notices import note, send_waiting
from reminders.tasks import settle
from tests.builders import PASSWORD, make_staff
from tests.phone.client import Phone
from tests.sign_in import code_now, give_app, is_in, sign_in, type_password

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

NEW = "three-words-and-a-river"


@pytest.fixture
def nurse(clinic: Clinic) -> StaffUser:
    cache.clear()
    return make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks")


def change_password(client: Client) -> None:
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post(reverse("account_change_password"), typed).status_code == 302


def set_up_app(client: Client) -> None:
    client.get(reverse("mfa_activate_totp"))
    secret = client.session["mfa.totp.secret"]
    assert client.post(reverse("mfa_activate_totp"), {"code": code_now(secret)}).status_code == 302


def remove_app(client: Client) -> None:
    give_app(StaffUser.objects.get())
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302


def remove_passkey(client: Client) -> None:
    key = Authenticator.objects.create(
        user=StaffUser.objects.get(), type="webauthn", data={"name": "My phone"}
    )
    assert client.post(reverse("mfa_remove_webauthn", args=[key.pk])).status_code == 302


def make_codes(client: Client) -> None:
    give_app(StaffUser.objects.get())
    assert client.post(reverse("mfa_generate_recovery_codes")).status_code == 302


def use_code(client: Client) -> None:
    user = StaffUser.objects.get()
    give_app(user)
    codes = Authenticator.objects.get(user=user, type="recovery_codes").wrap()
    client.post(reverse("account_logout"))
    type_password(client, user.email)
    client.post(reverse("mfa_authenticate"), {"code": codes.get_unused_codes()[0]})
    assert is_in(client)


# A passkey needs a browser to be set up: `tests.browser.test_door`.
@pytest.mark.parametrize(
    ("change", "act", "words"),
    [
        (change_password, "password", "Your password was changed."),
        (set_up_app, "factor added", "An app with codes was added to your sign-in."),
        (remove_app, "factor removed", "The app with codes was removed from your sign-in."),
        (remove_passkey, "factor removed", "A passkey was removed from your sign-in."),
        (make_codes, "factor added", "New recovery codes were made; the old ones no longer work."),
        (use_code, "code used", "A recovery code was used in the place of your second step."),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_each_change_is_mailed_to_whom_it_is_about_and_stands_in_the_trail(
    provider: Phone,
    nurse: StaffUser,
    client: Client,
    change: Callable[[Client], None],
    act: str,
    words: str,
) -> None:
    sign_in(client, nurse)
    change(client)
    settle()  # as beat rings it
    settle()
    (mail,) = provider.messages()
    assert mail["to"] == nurse.email
    assert mail["text"].startswith(words)
    assert "If not, tell your admin at once" in mail["text"]
    assert "Imani" not in mail["text"]
    assert "http" not in mail["text"]
    row = AuditRow.objects.filter(act=act).latest("pk")
    assert (row.user_id, row.clinic_id) == (nurse.pk, nurse.clinic_id)


def test_the_mail_says_when_by_the_clinics_clock(
    provider: Phone, nurse: StaffUser, noon: object, client: Client
) -> None:
    sign_in(client, nurse)
    change_password(client)
    send_waiting(now=timezone.now())
    (mail,) = provider.messages(nurse.email)
    assert "That was at 12:00 pm on Mon, Nov 23." in mail["text"]
    assert mail["subject"] == "Aftercare at Lakeside Skin Clinic: your sign-in"


def test_an_everyday_sign_in_is_no_news(provider: Phone, nurse: StaffUser, client: Client) -> None:
    give_app(nurse)
    sign_in(client, nurse)
    client.post(reverse("account_logout"))
    sign_in(client, nurse)
    assert not Notice.objects.exists()


def test_what_an_admin_or_the_terminal_does_to_a_sign_in_is_told_to_whose_it_is(
    provider: Phone, nurse: StaffUser, client: Client
) -> None:
    sign_in(client, make_staff(clinic=nurse.clinic, role=Role.ADMIN))
    page = client.post(reverse("clinic-reset", args=[nurse.pk]))
    lent = page.context["added"]["password"]
    call_command("reset_staff", nurse.email, stdout=(out := StringIO()))
    settle()
    mails = provider.messages(nurse.email)
    assert len(mails) == len(provider.messages()) == 2
    for mail in mails:
        assert mail["text"].startswith("Your sign-in was started anew")
        assert lent not in mail["text"]
        assert re.search(r"with (\w+)", out.getvalue())[1] not in mail["text"]  # type: ignore[index]


def test_a_mail_server_that_is_away_holds_up_nobody_and_the_mail_goes_later(
    provider: Phone, nurse: StaffUser, client: Client, settings: Settings
) -> None:
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    sign_in(client, nurse)
    change_password(client)
    assert is_in(client)
    settle()
    assert Notice.objects.get().mailed_at is None
    settings.EMAIL_PORT = port
    settle()
    settle()
    assert len(provider.messages(nurse.email)) == 1
    assert Notice.objects.get().mailed_at is not None


def test_a_mailbox_that_is_busy_holds_back_nobody_elses_notice(
    provider: Phone, nurse: StaffUser
) -> None:
    busy = make_staff(clinic=nurse.clinic, role=Role.DESK, email="later@lakeside.example")
    for person in (busy, nurse):  # the first is told "later" for ever
        note(person, Notice.Kind.PASSWORD, now=timezone.now())
    settle()
    assert len(provider.messages(nurse.email)) == 1
    assert Notice.objects.get(person=busy).mailed_at is None


@pytest.mark.parametrize(("called", "mails"), [(False, 1), (True, 2)])
def test_a_notice_whose_worker_was_killed_at_its_call_goes_again_after_a_minute(
    provider: Phone, nurse: StaffUser, monkeypatch: pytest.MonkeyPatch, called: bool, mails: int
) -> None:
    """Nobody knows whether it has gone: twice is better than never."""

    class Killed(BaseException):
        """Nothing after it runs."""

    call = email.send

    def die(message: Message) -> NoReturn:
        if called:
            call(message)
        raise Killed

    note(nurse, Notice.Kind.PASSWORD, now=timezone.now())
    with monkeypatch.context() as dying:
        dying.setattr(email, "send", die)
        with pytest.raises(Killed):
            settle()
    settle()  # another worker, while the dead one might still be at it
    assert len(provider.messages(nurse.email)) == mails - 1
    for seconds in (61, 122):
        with time_machine.travel(timezone.now() + timedelta(seconds=seconds)):
            settle()
    assert len(provider.messages(nurse.email)) == mails
