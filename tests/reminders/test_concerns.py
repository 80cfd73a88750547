"""What a nurse must see, on one page: read it, close it, correct what was announced too early."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.acts import report_signs
from patients.models import AuditRow, Patient
from patients.models.clinic import Role
from patients.models.patient import Channel
from patients.protocol import TierAction
from reminders.amending import correct_time
from reminders.inbox import receive_text
from reminders.models import ANSWER, Concern, Reminder, State
from reminders.optouts import stop
from reminders.page_acts import take_up
from reminders.views.concerns import MANY
from tests.builders import SENDER, log, make_staff, reminder_of, set_state, void

pytestmark = pytest.mark.django_db

T = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 09:00 in Chicago


@pytest.fixture
def nurse(patient: Patient) -> Client:
    client = Client()
    client.force_login(make_staff(clinic=patient.clinic, role=Role.NURSE))
    return client


def text(body: str, number: int = 1, sender: str = "+12025550146") -> None:
    receive_text(provider_id=f"SM{number:032}", sender=sender, recipient=SENDER, body=body)


def shown(nurse: Client) -> str:
    return nurse.get("/concerns/").content.decode()


def test_a_patients_text_stands_there_in_its_own_words(patient: Patient, nurse: Client) -> None:
    text("My cheek <b>hurts</b> & stings")
    page = shown(nurse)
    assert "Maria Gomez" in page
    assert "My cheek &lt;b&gt;hurts&lt;/b&gt; &amp; stings" in page


def test_an_emergency_is_read_however_many_messages_could_not_be_delivered(
    patient: Patient, nurse: Client
) -> None:
    Concern.objects.bulk_create(
        Concern(clinic=patient.clinic, patient=patient, kind=Concern.Kind.FAILED, opened_at=T)
        for _ in range(MANY)
    )
    text("It burns")
    page = shown(nurse)
    assert "It burns" in page
    assert "1 more is open" in page


def test_a_text_from_a_number_nobody_has_stands_there_too(patient: Patient, nurse: Client) -> None:
    text("Who is this?", sender="+12025550177")
    page = shown(nurse)
    assert "A number we do not know" in page
    assert "0177" not in page


def test_the_number_of_a_concern_shows_when_asked_for_can_be_dialled_and_leaves_a_row(
    patient: Patient, nurse: Client
) -> None:
    """Of somebody nobody knows: the record of no patient."""
    text("Who is this?", sender="+12025550177")
    text("It burns", number=2)
    stranger, known = Concern.objects.order_by("patient")
    if stranger.patient:
        stranger, known = known, stranger
    for one, who, number, whom in (
        (stranger, "A number we do not know", "+12025550177", None),
        (known, "Maria Gomez", "+12025550146", patient.pk),
    ):
        address = f"/concerns/{one.pk}/number/"
        assert f'action="{address}"' in shown(nurse)
        assert nurse.get(address).status_code == 405
        for headers in ({}, {"hx-request": "true"}):
            page = nurse.post(address, headers=headers).content.decode()
            assert f'href="tel:{number}"' in page
            assert f"+1 202-555-{number[-4:]}" in page
            assert (who in page) is not bool(headers)
            row = AuditRow.objects.latest("pk")
            assert (row.act, row.patient_id, row.about) == ("number", whom, f"concern {one.pk}")


@pytest.mark.parametrize("sender", ["27273", "LAKESIDE", "+1999"])
def test_what_is_no_ordinary_number_is_shown_as_it_came(
    patient: Patient, nurse: Client, sender: str
) -> None:
    text("Who is this?", sender=sender)
    address = f"/concerns/{Concern.objects.get().pk}/number/"
    assert sender in nurse.post(address).content.decode()


@pytest.mark.parametrize(
    ("tier", "said", "look"),
    [
        (
            TierAction.EMERGENCY,
            "Call the patient now. Their page says to call 911.",
            '<b class="urgent i i-alarm emergency">Emergency</b>',
        ),
        (
            TierAction.PAGE_NURSE,
            "Call the patient now. Their page says to page the on-call nurse.",
            '<b class="urgent i i-alarm bad">Page the nurse</b>',
        ),
        (TierAction.CALL_CLINIC, "", "<b >Call the clinic</b>"),
    ],
)
def test_a_report_that_cannot_wait_tells_the_nurse_to_call_and_stands_out(
    patient: Patient, nurse: Client, tier: TierAction, said: str, look: str
) -> None:
    treatment = log(patient=patient)
    report_signs(treatment=treatment, tier=tier, signs=["pus"], now=treatment.treated_at)
    take_up(now=treatment.treated_at)
    for page in (shown(nurse), nurse.get(f"/treatments/{treatment.pk}/").content.decode()):
        assert ("Call the patient now." in page) is bool(said)
        assert said in page
        assert look in page
        assert ('class="urgent' in page) is bool(said)
    concern = Concern.objects.get()
    nurse.post(f"/concerns/{concern.pk}/close/", {"why": "spoke"})
    assert "urgent" not in nurse.get(f"/treatments/{treatment.pk}/").content.decode()


def test_what_is_dealt_with_leaves_the_page_and_two_do_not_both_close_it(
    patient: Patient, nurse: Client
) -> None:
    text("It burns")
    concern = Concern.objects.get()
    address = f"/concerns/{concern.pk}/close/"
    assert "It burns" in nurse.get(address).content.decode()
    assert "Say why: it is kept with the concern." in nurse.post(address).content.decode()
    other = nurse.post(address, {"why": "other"}).content.decode()
    assert "Say in a few words why." in other
    assert nurse.post(address, {"why": "spoke", "more": "cold pack"}).status_code == 302
    assert "It burns" not in shown(nurse)
    second = nurse.post(address, {"why": "nothing"}, follow=True).content.decode()
    assert "You had closed it already." in second
    nurse.force_login(make_staff(clinic=patient.clinic))
    third = nurse.post(address, {"why": "nothing"}, follow=True).content.decode()
    assert "A colleague had closed it already." in third
    treatment = log(patient=patient)
    story = nurse.get(f"/treatments/{treatment.pk}/").content.decode()
    assert "Spoke with the patient: cold pack" in story


def test_one_person_takes_it_on_and_whoever_comes_second_is_told_who(
    patient: Patient, nurse: Client
) -> None:
    text("It burns")
    address = f"/concerns/{Concern.objects.get().pk}/take/"
    nurse.post(address)
    assert "You are on it already." in nurse.post(address, follow=True).content.decode()
    other = Client()
    other.force_login(make_staff(clinic=patient.clinic, role=Role.LEAD, name="Dr. Park"))
    second = other.post(address, follow=True).content.decode()
    assert "Dana Ruiz is on it already." in second
    assert "I am on it" not in shown(other)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_it_on_at_once_one_wins(patient: Patient) -> None:
    text("It burns")
    address = f"/concerns/{Concern.objects.get().pk}/take/"
    people = [
        make_staff(clinic=patient.clinic, role=role, name=str(role.label))
        for role in (Role.NURSE, Role.LEAD)
    ]
    clients = []
    for one in people:
        client = Client()
        client.force_login(one)
        clients.append(client)

    def press(client: Client) -> str:
        try:
            return client.post(address, follow=True).content.decode()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(press, clients))
    assert sum("is on it already." in page for page in pages) == 1


def test_the_new_hour_is_texted_by_one_press(patient: Patient, nurse: Client) -> None:
    treatment = log(patient=patient, treated_at=T)
    set_state(reminder_of(treatment, "cleanse"), State.DELIVERED)
    with time_machine.travel(T + timedelta(hours=6, minutes=5), tick=False):
        correct_time(
            treatment=treatment,
            treated_at=T + timedelta(hours=1),
            reason="x",
            by=make_staff(clinic=patient.clinic),
        )
        nurse.force_login(make_staff(clinic=patient.clinic, role=Role.LEAD))
        concern = Concern.objects.get()
        assert "Text the new hour" in shown(nurse)
        nurse.post(f"/concerns/{concern.pk}/correct/")
        nurse.post(f"/concerns/{concern.pk}/correct/")
    assert Reminder.objects.filter(rule="cleanse", occurrence=2).count() == 1


@pytest.mark.parametrize("path", ["/concerns/", "/treatments/{pk}/", "/treatments/{pk}/answer/"])
def test_an_answer_is_offered_by_the_ways_it_may_go_and_else_the_phone(
    patient: Patient, nurse: Client, path: str
) -> None:
    treatment = log(patient=patient)
    text("It burns")
    address, answer = path.format(pk=treatment.pk), f"/treatments/{treatment.pk}/answer/"

    def offered() -> tuple[bool, str]:
        said = " ".join(nurse.get(address).content.decode().split())
        return f'href="{answer}"' in said or 'name="channel"' in said, said

    assert offered()[0]
    stop(patient.clinic, "+12025550146")
    may, said = offered()
    assert may
    assert "Answer by email" in said or "The patient has stopped messages by text." in said
    assert "Answer by text" not in said
    stop(patient.clinic, "maria@example.org", channel=Channel.EMAIL)
    may, said = offered()
    assert not may
    assert "The patient has stopped messages: call instead." in said
    assert "Show the number" in said or "Show in full" in said


def test_without_consent_no_words_of_staff_are_offered_nor_taken(
    patient: Patient, nurse: Client
) -> None:
    treatment = log(patient=patient, recovery=False)
    text("It burns")
    said = "The patient has not agreed to messages: call instead."
    for address in ("/concerns/", f"/treatments/{treatment.pk}/"):
        page = nurse.get(address).content.decode()
        assert said in page
        assert "Answer by" not in page
    answer = f"/treatments/{treatment.pk}/answer/"
    assert said in nurse.post(answer, {"words": "Come by.", "channel": "sms"}).content.decode()
    assert not Reminder.objects.filter(rule=ANSWER).exists()


def test_without_a_treatment_that_stands_the_phone_is_offered_and_the_voided_story(
    patient: Patient, nurse: Client
) -> None:
    text("It burns")
    said = "No treatment of theirs stands here, so nothing can be sent: call instead."
    assert said in shown(nurse)
    treatment = log(patient=patient)
    assert said not in shown(nurse)
    void(treatment, by=make_staff(clinic=patient.clinic))
    page = shown(nurse)
    assert said in page
    assert "Answer by" not in page
    assert f'href="/treatments/{treatment.pk}/"' in page
    assert "Show the number" in page


def test_the_page_costs_the_same_queries_for_one_and_for_many(
    patient: Patient, nurse: Client
) -> None:
    log(patient=patient)
    counts = []
    for number in (1, 30):
        for each in range(number):
            text("It burns", number=number * 100 + each)
        with CaptureQueriesContext(connection) as captured:
            shown(nurse)
        counts.append(len(captured))
    # session, user, clinic, concerns, treatments; who has agreed, who has stopped; the audit row
    assert counts == [8, 8]


def test_the_board_counts_what_is_open(patient: Patient, nurse: Client) -> None:
    log(patient=patient)
    text("It burns")
    assert "concern open" in nurse.get("/board/").content.decode()


def test_an_empty_page_says_what_would_stand_there(patient: Patient, nurse: Client) -> None:
    assert "Nothing is open." in shown(nurse)
