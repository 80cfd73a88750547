"""What a patient does on the page beside reports: reads, answers, chooses, sends it away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client

from patients import links
from patients.models import Act, CheckIn, OptOut, Patient, Reading, Treatment
from patients.models.patient import Channel
from patients.seal import seal_of
from reminders.models import Concern
from reminders.page_acts import take_up
from tests.builders import log, make_clinic, make_patient
from tests.patients.on_page import OURS, OnPage, rows
from tests.patients.reading import read

CHICAGO = ZoneInfo("America/Chicago")
T = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)
H = timedelta(hours=1)
D = timedelta(days=1)
POSTS = ("read", "wrong", "check-in", "choices", "not-you")


@pytest.fixture
def treatment(db: None) -> Treatment:
    patient = make_patient(clinic=make_clinic(), email="maria@example.org")
    return log(patient=patient, treated_at=T)


def page_at(treatment: Treatment, after: timedelta) -> OnPage:
    return OnPage(treatment, T + after)


# --- Who may send a form --------------------------------------------------------------------------


@pytest.mark.parametrize("act", POSTS)
@pytest.mark.parametrize(
    ("seal", "headers"),
    [
        ("0" * 32, OURS),
        ("seal of another link", OURS),
        ("", {"sec-fetch-site": "cross-site"}),
        ("", {"sec-fetch-site": "same-site"}),
        ("", {"origin": "https://evil.example"}),
        ("", {"origin": "null"}),
    ],
)
def test_a_form_that_is_not_ours_changes_nothing(
    treatment: Treatment, act: str, seal: str, headers: dict[str, str]
) -> None:
    page = page_at(treatment, 8 * D)
    before = rows()
    typed: dict[str, Any] = {
        "sign": ["pus"],
        "normal": "yes",
        "trend": "same",
        "call": "no",
        "stop": "1",
    }
    seal = seal_of("another") if seal.startswith("seal") else seal
    response = page.post(act, seal=seal, headers=headers, **typed)
    assert response.status_code == 403
    assert "Open your page again" in response.content.decode()
    assert rows() == before


def test_a_browser_that_says_nothing_of_itself_may_send(treatment: Treatment) -> None:
    assert page_at(treatment, H).post("read", headers={}).status_code == 303


@pytest.mark.parametrize("act", POSTS)
def test_a_link_that_opens_nothing_takes_no_form(db: None, act: str) -> None:
    token = "0" * links.TOKEN_LENGTH
    response = Client().post(f"/r/{token}/{act}", {"seal": seal_of(token)})
    assert response.status_code == 404
    assert "Call your emergency number" in response.content.decode()


@pytest.mark.parametrize("act", ["", "wrong", "sent", "check-in", "choices", "not-you", "read"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing_and_sets_no_cookie(
    treatment: Treatment, act: str, method: str
) -> None:
    before = rows()
    address = f"/r/{links.token_of(treatment)}" + (f"/{act}" if act else "")
    for query in ("", "?lang=es", "?saved", "?thanks", "?stop=1&sign=pus"):
        response = Client().generic(method, address + query)
        assert response.status_code in {200, 303}
        assert not response.cookies
        assert response["Cache-Control"] == "private, no-store"
    assert rows() == before


# --- I have read this -----------------------------------------------------------------------------


def test_the_first_press_of_read_counts_and_the_page_says_so(treatment: Treatment) -> None:
    assert "I have read this" in page_at(treatment, H).see().text
    for after in (1, 2):
        page_at(treatment, after * H).post("read")
    seen = page_at(treatment, 3 * H).see()
    assert "You told us that you have read this." in seen.text
    assert Reading.objects.get().read_at == T + H


# --- Check-ins ------------------------------------------------------------------------------------

ANSWERS: dict[str, Any] = {"normal": "no", "trend": "better", "call": "no"}
ASKED = "Three short questions. Your clinic"


@pytest.mark.parametrize(
    ("after", "asked"),
    [(2 * D, False), (2 * D + 3 * H, True), (6 * D, True), (8 * D, True)],
)
def test_the_page_asks_when_a_check_in_is_due(
    treatment: Treatment, after: timedelta, asked: bool
) -> None:
    page = page_at(treatment, after)
    assert (ASKED in page.see().text) == asked
    assert (len(page.see("check-in").root.every("fieldset")) == 3) == asked


def test_an_answer_is_kept_once_and_not_asked_for_again(treatment: Treatment) -> None:
    page = page_at(treatment, 3 * D)
    for _ in range(2):
        assert page.post("check-in", **ANSWERS).status_code in {200, 303}
    check_in = CheckIn.objects.get()
    assert (check_in.rule, check_in.feels_normal, check_in.trend) == ("day-3", False, "better")
    assert ASKED not in page.see().text
    assert ASKED in page_at(treatment, 8 * D).see().text


def test_a_question_left_out_is_said_beside_it_and_the_others_stay(treatment: Treatment) -> None:
    response = page_at(treatment, 3 * D).post("check-in", normal="no", call="no", trend="sideways")
    assert response.status_code == 400
    html = " ".join(response.content.decode().split())
    assert html.count("Please answer this one, too.") == 1
    assert html.count("checked") == 2
    assert not CheckIn.objects.exists()


def test_not_normal_yet_keeps_active_products_closed_and_asks_again_in_three_days(
    treatment: Treatment,
) -> None:
    page = page_at(treatment, 8 * D)
    response = page.post("check-in", **ANSWERS)
    assert "We ask you again in three days." in page.see("check-in", "?thanks").text
    assert response["Location"].endswith("/check-in?thanks")
    later = page_at(treatment, 8 * D + 1 * H).see()
    assert "No active products" in later.doing
    assert "Active products, slowly" in later.waiting
    assert ASKED not in later.text
    assert "My skin feels normal" in later.text  # it may, any day
    assert ASKED in page_at(treatment, 11 * D).see().text


def test_the_page_asks_three_times_more_at_most_and_then_a_nurse(treatment: Treatment) -> None:
    for number, after in enumerate((8, 11, 14, 17), 1):
        page = page_at(treatment, after * D)
        assert ASKED in page.see().text, number
        page.post("check-in", **ANSWERS)
        page_at(treatment, (after + 1) * D).post("check-in", **ANSWERS)  # unasked: counts for none
        thanks = page_at(treatment, (after + 1) * D).see("check-in", "?thanks").text
        assert ("We ask you again in three days." in thanks) is (number < 4), number
    assert "A nurse at Lakeside Skin Clinic will look at this. We do not ask again." in thanks
    for after in (20, 30, 60):
        later = page_at(treatment, after * D).see()
        assert ASKED not in later.text
        assert "My skin feels normal" in later.text
    take_up(now=T + 60 * D)
    assert Concern.objects.filter(kind=Concern.Kind.NOT_NORMAL).count() == 1


def test_normal_opens_active_products_and_asks_no_more(treatment: Treatment) -> None:
    page = page_at(treatment, 8 * D)
    page.post("check-in", normal="yes", trend="better", call="no")
    later = page_at(treatment, 20 * D).see()
    assert "Active products, slowly" in later.doing
    assert "No active products" not in later.doing
    assert ASKED not in later.text


def test_normal_on_day_three_opens_nothing_before_it_is_asked_again(treatment: Treatment) -> None:
    page_at(treatment, 3 * D).post("check-in", normal="yes", trend="better", call="no")
    later = page_at(treatment, 8 * D).see()
    assert "Active products, slowly" in later.waiting
    assert ASKED in later.text


def test_worse_is_answered_with_the_warning_signs_and_a_call(treatment: Treatment) -> None:
    page = page_at(treatment, 3 * D)
    page.post("check-in", normal="no", trend="worse", call="yes")
    thanks = page.see("check-in", "?thanks")
    assert "Do not wait for us: look at the warning signs, and call." in thanks.text
    assert "sees that you would like a call" in thanks.text
    assert thanks.calls()


# --- Your messages --------------------------------------------------------------------------------


def test_a_choice_is_kept_and_a_new_channel_is_told_to_the_plan(treatment: Treatment) -> None:
    page = page_at(treatment, H)
    response = page.post("choices", channel="email", language="es", wording="detailed")
    assert response["Location"].endswith("/choices?saved")
    patient = treatment.patient
    patient.refresh_from_db()
    assert (patient.channel, patient.language, patient.wants_details) == ("email", "es", True)
    assert Act.objects.get().kind == Act.Kind.CHANNEL
    assert "Guardado." in page.see("choices", "?saved").text


def test_somebody_with_a_phone_alone_is_not_asked_for_a_channel(db: None) -> None:
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=T)
    page = page_at(treatment, H)
    assert "How should we reach you?" not in page.see("choices").text
    page.post("choices", channel="email", language="tlh", wording="neutral")
    response = page.post("choices", channel="email", language="en", wording="detailed")
    treatment.patient.refresh_from_db()
    assert response.status_code == 303
    assert (treatment.patient.channel, treatment.patient.language) == ("sms", "en")
    assert not Act.objects.exists()


def test_stop_is_in_force_at_once_for_every_address(treatment: Treatment) -> None:
    page = page_at(treatment, H)
    page.post("choices", stop="1")
    stopped = {(row.channel, row.address) for row in OptOut.objects.filter(stopped=True)}
    assert stopped == {(Channel.SMS, "+12025550146"), (Channel.EMAIL, "maria@example.org")}
    seen = page.see("choices")
    assert "Messages are off. Your page stays open." in seen.text
    assert "Stop all messages" not in seen.text


def test_after_a_stop_on_the_page_it_starts_again_there_once(treatment: Treatment) -> None:
    page = page_at(treatment, H)
    page.post("choices", start="1")
    assert not OptOut.objects.exists()
    page.post("choices", stop="1")
    assert "Get messages again" in page.see("choices").text
    for _ in range(2):
        page.post("choices", start="1")
    assert [row.stopped for row in OptOut.objects.order_by("pk")] == [True, True, False, False]
    seen = page.see("choices")
    assert "Stop all messages" in seen.text
    assert "Messages are off" not in seen.text
    assert list(Act.objects.order_by("pk").values_list("kind", flat=True)) == ["stop", "start"]


def test_a_stop_by_text_is_not_undone_on_the_page(treatment: Treatment) -> None:
    """The provider itself holds it: what we sent would be refused."""
    page = page_at(treatment, H)
    OptOut.objects.create(
        clinic=treatment.patient.clinic, channel=Channel.SMS, address="+12025550146",
        stopped=True, how="stop", recorded_at=T,
    )  # fmt: skip
    seen = page.see("choices").text
    assert "Get messages again" not in seen
    assert "To get them again, answer one of our texts with START." in seen
    page.post("choices", start="1")
    assert OptOut.objects.count() == 1


def test_emails_stopped_in_the_mail_program_start_again_on_the_page(treatment: Treatment) -> None:
    """No provider holds these, and nobody at the clinic could start them."""
    Patient.objects.update(channel=Channel.EMAIL)
    treatment.patient.refresh_from_db()
    Client().post(links.unsubscribe_address_of(treatment).removeprefix(settings.PUBLIC_BASE_URL))
    page = page_at(treatment, H)
    assert "Get messages again" in page.see("choices").text
    page.post("choices", start="1")
    assert [row.stopped for row in OptOut.objects.order_by("pk")] == [True, False]
    assert "Messages are off" not in page.see("choices").text


def test_emails_that_a_provider_stopped_are_for_the_clinic(treatment: Treatment) -> None:
    Patient.objects.update(channel=Channel.EMAIL)
    OptOut.objects.create(
        clinic=treatment.patient.clinic, channel=Channel.EMAIL, address="maria@example.org",
        stopped=True, how="complaint", recorded_at=T,
    )  # fmt: skip
    seen = page_at(treatment, H).see("choices").text
    assert "Get messages again" not in seen
    assert "To get them again, call Lakeside Skin Clinic." in seen


# --- Not you? -------------------------------------------------------------------------------------


def test_not_you_asks_once_more_then_stops_texts_and_closes_every_link(
    treatment: Treatment,
) -> None:
    earlier = log(patient=treatment.patient, treated_at=T - 40 * D, logged_at=T - 40 * D)
    page = page_at(treatment, H)
    tokens = [links.token_of(one) for one in (earlier, treatment)]
    assert "Is this page not for you?" in page.see("not-you").text
    assert not OptOut.objects.exists()
    closed = read(page.post("not-you").content.decode())
    assert [one.text for one in closed.root.all() if one.tag in {"h1", "h2"}] == [
        "Thank you. It is closed.", "Gracias. Está cerrada.",
    ]  # fmt: skip
    assert OptOut.objects.filter(stopped=True).count() == 2
    assert [Client().get(f"/r/{token}").status_code for token in tokens] == [404, 404]
    assert Act.objects.get().kind == Act.Kind.NOT_ME
