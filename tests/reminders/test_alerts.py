"""What staff must be told reaches them by text and by email, whatever else is held back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from patients.models import Clinic
from patients.models.clinic import Role
from reminders import circuits
from reminders.alerts import send_waiting
from reminders.channels import Message, sms
from reminders.concerns import alert_staff
from reminders.models import Alert, Circuit
from reminders.telling import AT_ONCE, TAKEN_FOR
from tests.builders import make_clinic, make_staff
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

PHONE, MAIL = "+12025550177", "lead@lakeside.example"
WORDS = "The sms provider refuses our account (code 20003)."


@pytest.fixture
def clinic(db: None) -> Clinic:
    return reachable(make_clinic())


def reachable(clinic: Clinic, *, phone: str = PHONE, mail: str = MAIL) -> Clinic:
    clinic.alert_phone, clinic.alert_email = phone, mail
    clinic.save(update_fields=["alert_phone", "alert_email"])
    return clinic


def tell(clinic: Clinic, words: str = WORDS) -> Alert:
    alert_staff(clinic, words, now=timezone.now())
    return Alert.objects.latest("id")


def send(times: int = 1) -> None:
    for _ in range(times):
        send_waiting(now=timezone.now())


def test_an_alert_goes_by_text_and_by_mail_and_only_once(clinic: Clinic, provider: Phone) -> None:
    tell(clinic)
    send(times=3)
    (text,), (mail,) = provider.messages(PHONE), provider.messages(MAIL)
    assert WORDS in text["body"]
    assert WORDS in mail["text"]


def test_the_mail_can_be_read_in_a_program_that_shows_html(clinic: Clinic, provider: Phone) -> None:
    tell(clinic)
    send()
    (mail,) = provider.messages(MAIL)
    content_type = dict(mail["headers"])["Content-Type"]
    assert WORDS in mail["html"] or content_type.startswith("text/plain")


def test_an_alert_passes_quiet_hours_and_open_circuits(clinic: Clinic, provider: Phone) -> None:
    night = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)  # 02:00 in Chicago
    with time_machine.travel(night):
        for channel in ("sms", "email"):
            circuits.trip((channel, "account", ""), code="x", clinics=[], now=timezone.now())
        tell(clinic)
        send()
    assert Circuit.objects.count() == 2
    assert (len(provider.messages(PHONE)), len(provider.messages(MAIL))) == (1, 1)


def test_what_fails_on_one_way_goes_on_the_other_and_is_tried_until_it_is_gone(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(auth_fails=True)
    alert = tell(clinic)
    send(times=3)
    alert.refresh_from_db()
    assert (alert.by_sms_at, len(provider.messages(MAIL))) == (None, 1)
    provider.control(auth_fails=False)
    send(times=3)
    assert (len(provider.messages(PHONE)), len(provider.messages(MAIL))) == (1, 1)


def test_with_the_mail_server_away_the_text_goes_and_the_mail_later(
    clinic: Clinic, provider: Phone, settings: Settings
) -> None:
    settings.EMAIL_PORT = 9  # nobody listens there
    tell(clinic)
    send(times=2)
    assert len(provider.messages(PHONE)) == 1
    settings.EMAIL_PORT = provider.smtp_port
    send(times=2)
    assert (len(provider.messages(PHONE)), len(provider.messages(MAIL))) == (1, 1)


@pytest.mark.parametrize("fault", ["500_after", "reset", "garbage"])
def test_an_alert_whose_text_may_have_gone_is_not_texted_with_every_tick(
    clinic: Clinic, provider: Phone, fault: str
) -> None:
    provider.control(rates={fault: 1})
    tell(clinic)
    send(times=5)
    assert len(provider.messages(PHONE)) == 1


def test_alerts_that_cannot_go_one_way_do_not_hold_back_newer_ones(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(rates={"20003": 1})
    for number in range(25):
        tell(clinic, f"Alert {number}.")
    send(times=3)
    assert len(provider.messages(MAIL)) == 25


def test_a_mailbox_that_is_busy_does_not_hold_back_the_other_clinics(
    clinic: Clinic, provider: Phone
) -> None:
    other = make_clinic(slug="harbour", name="Harbour Skin", sms_sender="+12025550110")
    tell(reachable(other, mail="later@harbour.example"))  # always 451
    tell(clinic)
    send(times=3)
    assert len(provider.messages(MAIL)) == 1


def test_a_mailbox_that_is_busy_for_long_gives_the_others_their_turn_and_gets_its_own_again(
    clinic: Clinic, provider: Phone
) -> None:
    other = make_clinic(slug="harbour", name="Harbour Skin", sms_sender="+12025550110")
    reachable(other, mail="later@harbour.example")  # always 451
    for number in range(AT_ONCE + 1):
        tell(other, f"Alert {number}.")
    tell(clinic)
    send(times=2)
    assert len(provider.messages(MAIL)) == 1
    reachable(other, mail="now@harbour.example")
    with time_machine.travel(timezone.now() + TAKEN_FOR + timedelta(seconds=1)):
        send(times=2)
    assert len(provider.messages("now@harbour.example")) == AT_ONCE + 1


def test_a_number_that_cannot_be_texted_is_not_tried_with_every_tick(
    clinic: Clinic, provider: Phone
) -> None:
    tell(reachable(clinic, phone="+12025550190"))  # always 21211
    send(times=5)
    assert provider.stats(brief=True)["calls"] == 1
    assert len(provider.messages(MAIL)) == 1


def test_without_an_address_for_alerts_the_first_admin_is_mailed(
    clinic: Clinic, provider: Phone
) -> None:
    admin = make_staff(clinic=clinic, role=Role.ADMIN)
    alert = tell(reachable(clinic, phone="", mail=""))
    send()
    assert len(provider.messages(admin.email)) == 1
    alert.refresh_from_db()
    assert alert.by_sms_at is not None


def test_each_clinic_is_told_at_its_own_address(clinic: Clinic, provider: Phone) -> None:
    other = make_clinic(slug="harbour", name="Harbour Skin", sms_sender="+12025550110")
    tell(reachable(other, phone="+12025550178", mail="lead@harbour.example"))
    send()
    assert (provider.messages(PHONE), provider.messages(MAIL)) == ([], [])
    (text,) = provider.messages("+12025550178")
    assert text["sender"] == "+12025550110"
    assert len(provider.messages("lead@harbour.example")) == 1


@pytest.mark.parametrize(("called", "texts"), [(False, 1), (True, 2)])
def test_an_alert_whose_worker_was_killed_at_its_call_goes_again_after_a_minute(
    clinic: Clinic, provider: Phone, monkeypatch: pytest.MonkeyPatch, called: bool, texts: int
) -> None:
    """Nobody is left who knows whether it has gone."""

    class Killed(BaseException):
        """Nothing after it runs."""

    call = sms.send

    def die(message: Message) -> NoReturn:
        if called:
            call(message)
        raise Killed

    tell(clinic)
    with monkeypatch.context() as dying:
        dying.setattr(sms, "send", die)
        with pytest.raises(Killed):
            send()
    send()  # another worker, while the dead one might still be at it
    assert len(provider.messages(PHONE)) == texts - 1
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        send(times=2)
    with time_machine.travel(timezone.now() + timedelta(seconds=122)):
        send()
    assert (len(provider.messages(PHONE)), len(provider.messages(MAIL))) == (texts, 1)


def test_an_alert_waits_for_the_next_tick_and_is_not_lost_with_the_worker(
    clinic: Clinic, provider: Phone
) -> None:
    tell(clinic)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        send()
    assert len(provider.messages(PHONE)) == 1
