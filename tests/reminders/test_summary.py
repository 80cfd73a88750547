"""The day's summary: at the clinic's hour, to whoever wants it, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from patients.models import AuditRow, Clinic, StaffUser
from patients.models.clinic import Role
from reminders.models import Concern, State
from reminders.summary import send_due, summary
from reminders.tasks import sum_up
from tests.builders import log, make_attempt, make_patient, make_staff, reminder_of, set_state
from tests.reminders.conftest import NOON

SIX = NOON + timedelta(hours=6)


@pytest.fixture
def wanting(noon: time_machine.Traveller, clinic: Clinic) -> StaffUser:
    make_staff(clinic=clinic, role=Role.NURSE)
    lead = make_staff(clinic=clinic, role=Role.LEAD)
    lead.wants_summary = True
    lead.save()
    return lead


def test_each_member_of_staff_has_it_sent_to_themselves_and_stops_it_again(
    noon: time_machine.Traveller, clinic: Clinic, client: Client, settings: Settings
) -> None:
    settings.DEMO = True  # the page shows itself without a second factor
    nurse = make_staff(clinic=clinic, role=Role.NURSE)
    colleague = make_staff(clinic=clinic, role=Role.LEAD)
    client.force_login(nurse)
    page = client.get(reverse("mfa_index")).content.decode()
    assert "Send it to me" in page
    assert "by email at 6:00 pm" in page
    page = client.post(reverse("own-summary"), {"wants": "1"}, follow=True).content.decode()
    assert f"It comes to {nurse.email}" in page
    assert list(StaffUser.objects.filter(wants_summary=True)) == [nurse]
    row = AuditRow.objects.latest("pk")
    assert (row.act, row.about) == ("staff changed", f"user {nurse.pk}, summary wanted")
    assert "Send it to me" in client.post(reverse("own-summary"), follow=True).content.decode()
    colleague.refresh_from_db()
    assert not StaffUser.objects.filter(wants_summary=True).exists()
    assert client.get(reverse("own-summary")).status_code == 405


def test_it_counts_treatments_texts_their_cost_failures_and_concerns(
    wanting: StaffUser, clinic: Clinic
) -> None:
    treatment = log(patient=make_patient(clinic=clinic), treated_at=NOON)
    handover = set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    make_attempt(handover, body="x" * 100 + "•" * 22)
    failed = set_state(reminder_of(treatment, "first-hour"), State.FAILED)
    make_attempt(failed, body="x" * 200)
    Concern.objects.create(clinic=clinic, kind=Concern.Kind.TEXT, opened_at=NOON)
    text = summary(clinic, now=SIX)
    assert "Treatments logged: 1" in text
    assert "Texts sent: 2, about 0.02 at 0.0083 a part (3 parts)" in text
    assert "Failed: 1" in text
    assert "Concerns: 1 new, 1 open" in text
    assert "Maria" not in text
    assert "555" not in text


def test_it_goes_once_a_day_at_the_clinics_hour_to_whoever_wants_it(
    wanting: StaffUser, noon: time_machine.Traveller, mailoutbox: list[EmailMessage]
) -> None:
    send_due(now=SIX - timedelta(minutes=1))
    assert mailoutbox == []
    noon.move_to(SIX)
    for _ in range(3):
        sum_up()
        noon.shift(3600)
    assert [mail.to for mail in mailoutbox] == [["lead@lakeside.example"]]
    noon.move_to(SIX + timedelta(days=1))
    sum_up()
    assert len(mailoutbox) == 2


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_make_one_mail(
    wanting: StaffUser, mailoutbox: list[EmailMessage]
) -> None:
    def look(_: int) -> None:
        send_due(now=SIX)
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(4)))
    assert len(mailoutbox) == 1


def test_a_mail_server_that_is_away_is_tried_again(
    wanting: StaffUser, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "reminders.channels.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    send_due(now=SIX)
    settings.EMAIL_BACKEND = working
    send_due(now=SIX + timedelta(minutes=5))
    assert len(mailoutbox) == 1
