"""What patients do on their pages reaches the nurses: a concern, an alert, a second contact."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from patients import links
from patients.models import Act, Clinic, Report, Treatment
from patients.models.clinic import Role
from reminders import page_acts, tasks
from reminders.models import Alert, Concern, Escalation, State
from reminders.moments import Skip
from tests.builders import log, make_clinic, make_patient, make_staff, reminder_of
from tests.patients.on_page import OnPage
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

NURSE, SECOND = "+12025550171", "+12025550172"
NURSE_MAIL, SECOND_MAIL = "nurse@lakeside.example", "second@lakeside.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clinic(db: None) -> Clinic:
    clinic = make_clinic()
    clinic.nurse_phone, clinic.nurse_email = NURSE, NURSE_MAIL
    clinic.second_nurse_phone, clinic.second_nurse_email = SECOND, SECOND_MAIL
    clinic.save()
    return clinic


@pytest.fixture
def treatment(clinic: Clinic) -> Treatment:
    patient = make_patient(clinic=clinic, email="maria@example.org")
    return log(patient=patient, treated_at=timezone.now() - timedelta(hours=3))


def on_page(treatment: Treatment, at: datetime | None = None) -> OnPage:
    return OnPage(treatment, at or timezone.now())


def tick(times: int = 1) -> None:
    for _ in range(times):
        tasks.hear()


def told(phone: Phone) -> list[int]:
    """How many messages each contact has: nurse's text and mail, the second's text and mail."""
    return [len(phone.messages(to)) for to in (NURSE, NURSE_MAIL, SECOND, SECOND_MAIL)]


def test_a_report_alerts_the_nurse_by_text_and_by_mail_once(
    treatment: Treatment, provider: Phone
) -> None:
    on_page(treatment).post("wrong", sign=["pus"])
    tick(times=3)
    concern = Concern.objects.get()
    assert (concern.kind, concern.patient) == (Concern.Kind.REPORT, treatment.patient)
    assert told(provider) == [1, 1, 0, 0]


def test_an_alert_names_nobody_and_nothing_clinical(treatment: Treatment, provider: Phone) -> None:
    on_page(treatment).post("wrong", sign=["pus"])
    tick()
    (text,), (mail,) = provider.messages(NURSE), provider.messages(NURSE_MAIL)
    for words in (text["body"], mail["text"], dict(mail["headers"])["Subject"]):
        assert not any(one in words for one in ("Maria", "Gomez", "0146", "pus", "skin", "/r/"))
    assert "a patient needs a nurse now" in text["body"]
    assert "/concerns/" in text["body"]
    assert len(text["body"]) <= 160


@pytest.mark.parametrize("sign", ["spots", "bumps"])
def test_what_can_wait_is_a_concern_and_wakes_nobody(
    treatment: Treatment, provider: Phone, sign: str
) -> None:
    on_page(treatment).post("wrong", sign=[sign])
    tick()
    assert Concern.objects.count() == 1
    assert told(provider) == [0, 0, 0, 0]


def test_left_alone_for_15_minutes_the_second_contact_is_told_once(
    treatment: Treatment, provider: Phone
) -> None:
    began = timezone.now()
    on_page(treatment).post("wrong", sign=["breathing"])
    tick()
    with time_machine.travel(began + 14 * MINUTE):
        tick()
    assert told(provider) == [1, 1, 0, 0]
    with time_machine.travel(began + 16 * MINUTE):
        tick(times=3)
    with time_machine.travel(began + 60 * MINUTE):
        tick()
    assert told(provider) == [1, 1, 1, 1]


@pytest.mark.parametrize("field", ["acknowledged_at", "closed_at"])
def test_what_somebody_has_taken_on_or_closed_goes_no_further(
    treatment: Treatment, provider: Phone, field: str
) -> None:
    on_page(treatment).post("wrong", sign=["breathing"])
    tick()
    Concern.objects.update(**{field: timezone.now()})
    with time_machine.travel(timezone.now() + 20 * MINUTE):
        tick()
    assert told(provider) == [1, 1, 0, 0]


def test_without_contacts_of_their_own_the_staffs_are_told(
    treatment: Treatment, provider: Phone
) -> None:
    Clinic.objects.update(
        nurse_phone="", nurse_email="", alert_phone="+12025550173", alert_email="lead@lakeside.test"
    )
    on_page(treatment).post("wrong", sign=["pus"])
    tick()
    assert len(provider.messages("+12025550173")) == len(provider.messages("lead@lakeside.test"))
    assert len(provider.messages("+12025550173")) == 1


def test_ten_workers_at_one_report_make_one_concern_and_one_alert(treatment: Treatment) -> None:
    on_page(treatment).post("wrong", sign=["pus"])
    together = threading.Barrier(10)

    def work() -> None:
        together.wait()
        try:
            page_acts.take_up(now=timezone.now())
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(10)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert [model.objects.count() for model in (Concern, Alert, Escalation)] == [1, 1, 1]


def test_an_act_that_cannot_be_taken_up_holds_back_no_other(
    treatment: Treatment, caplog: pytest.LogCaptureFixture
) -> None:
    Act.objects.create(treatment=treatment, kind="unheard of", done_at=timezone.now())
    on_page(treatment).post("wrong", sign=["pus"])
    page_acts.take_up(now=timezone.now())
    assert Concern.objects.count() == 1
    assert Act.objects.get(kind="unheard of").taken_up_at is None
    assert "could not be taken up" in caplog.text


def test_a_nurse_reads_the_signs_and_her_close_ends_the_report(treatment: Treatment) -> None:
    on_page(treatment).post("wrong", sign=["pus", "unsure:call-clinic", "weak"])
    tick()
    nurse = Client()
    nurse.force_login(make_staff(clinic=treatment.patient.clinic, role=Role.NURSE))
    page = nurse.get("/concerns/").content.decode()
    assert "You see pus or yellow fluid" in page
    assert "I am not sure if it is one of these (Call the clinic" in page
    assert "I have diabetes" in page
    assert "Page the nurse" in page
    nurse.post(f"/concerns/{Concern.objects.get().pk}/close/", {"why": "spoke"})
    assert Report.objects.get().closed_at is not None
    assert on_page(treatment).see().part("reported") == ""


# --- The other acts -------------------------------------------------------------------------------


def test_worse_and_a_wish_for_a_call_are_one_concern(treatment: Treatment) -> None:
    day_3 = timezone.now() + timedelta(days=3)
    for trend in ("worse", "worse"):
        on_page(treatment, day_3).post("check-in", normal="no", trend=trend, call="yes")
    page_acts.take_up(now=day_3)
    assert Concern.objects.get().detail == "The skin is getting worse. Would like a call."


def test_stopped_on_the_page_is_skipped_on_the_board(treatment: Treatment) -> None:
    on_page(treatment).post("choices", stop="1")
    page_acts.take_up(now=timezone.now())
    assert not treatment.reminders.filter(state=State.PLANNED).exists()
    assert reminder_of(treatment, "week-1").skip_reason == Skip.OPTED_OUT.value


def test_started_again_on_the_page_what_is_ahead_is_planned_again(treatment: Treatment) -> None:
    ahead = treatment.reminders.filter(state=State.PLANNED, due_at__gt=timezone.now())
    planned = set(ahead.values_list("rule", "due_at"))
    page = on_page(treatment)
    page.post("choices", stop="1")
    page_acts.take_up(now=timezone.now())
    page.post("choices", start="1")
    page_acts.take_up(now=timezone.now())
    assert "week-1" in dict(planned)
    assert set(ahead.all().values_list("rule", "due_at")) == planned


def test_another_channel_moves_what_is_still_ahead(treatment: Treatment) -> None:
    on_page(treatment).post("choices", channel="email", language="en", wording="neutral")
    page_acts.take_up(now=timezone.now())
    planned = set(treatment.reminders.filter(state=State.PLANNED).values_list("channel", "rule"))
    assert ("email", "week-1") in planned
    assert not [rule for channel, rule in planned if channel == "sms"]


def test_a_page_that_reached_somebody_else_is_a_concern(treatment: Treatment) -> None:
    token = links.token_of(treatment)
    on_page(treatment).post("not-you")
    page_acts.take_up(now=timezone.now())
    assert Concern.objects.get().kind == Concern.Kind.NOT_ME
    assert not treatment.reminders.filter(state=State.PLANNED).exists()
    assert Client().get(f"/r/{token}").status_code == 404
