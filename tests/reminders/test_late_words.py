"""A STOP or START that is taken in late counts as of when it was said, whatever came meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from patients.acts import stop_messages
from patients.models import Act, Patient, Treatment
from patients.models.patient import stopped_addresses
from reminders import letterbox
from reminders.inbox import receive_text
from reminders.models import InboundText, State
from reminders.moments import Skip
from tests.builders import SENDER, log, reminder_of, set_state
from tests.phone.client import Phone
from tests.reminders.conftest import NOON
from tests.reminders.test_letterbox import NUMBER, database_away
from tests.reminders.test_webhooks import INBOUND, form, post

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.both_databases,
    pytest.mark.usefixtures("box", "provider"),
]

MINUTE = timedelta(minutes=1)
FORMER = "+12025550133"  # a number the clinic has given up


@pytest.fixture
def treatment(noon: time_machine.Traveller, patient: Patient) -> Treatment:
    return log(patient=patient, treated_at=NOON - timedelta(minutes=10))


def say(body: str, number: int) -> None:
    assert post(INBOUND, form(Body=body, MessageSid=f"SM{number:032}")) == 200


def keep(body: str, number: int) -> None:
    with database_away():
        say(body, number)


def is_stopped(patient: Patient) -> bool:
    return bool(stopped_addresses([patient.clinic_id], [NUMBER]))


def test_a_kept_start_undoes_no_stop_that_was_said_after_it(
    noon: time_machine.Traveller, treatment: Treatment, provider: Phone
) -> None:
    say("STOP", 1)
    keep("START", 2)
    noon.shift(timedelta(minutes=1))
    say("please no more texts", 3)
    letterbox.take_in()
    assert is_stopped(treatment.patient)
    assert reminder_of(treatment, "cleanse").skip_reason == Skip.OPTED_OUT.value
    assert InboundText.objects.get(meaning="start").received_at == NOON
    assert provider.messages(NUMBER) == []


def test_a_kept_stop_undoes_no_start_that_was_said_after_it(
    noon: time_machine.Traveller, treatment: Treatment
) -> None:
    keep("STOP", 1)
    noon.shift(timedelta(minutes=1))
    say("START", 2)
    letterbox.take_in()
    assert not is_stopped(treatment.patient)
    assert reminder_of(treatment, "cleanse").state == State.PLANNED


@pytest.mark.parametrize("turned", [False, True], ids=["as they came", "turned around"])
@pytest.mark.parametrize("last", ["STOP", "START"])
def test_of_two_kept_words_the_one_said_last_holds(
    noon: time_machine.Traveller, treatment: Treatment, last: str, *, turned: bool
) -> None:
    if last == "STOP":
        say("STOP", 1)
    keep("START" if last == "STOP" else "STOP", 2)
    noon.shift(timedelta(minutes=1))
    keep(last, 3)
    if turned:
        letterbox._server().lmove(letterbox.WAITING, letterbox.WAITING, "RIGHT", "LEFT")
    letterbox.take_in()
    assert is_stopped(treatment.patient) is (last == "STOP")
    assert (reminder_of(treatment, "cleanse").state == State.PLANNED) is (last == "START")


def test_a_kept_start_undoes_no_stop_on_the_page_after_it(
    noon: time_machine.Traveller, treatment: Treatment
) -> None:
    say("STOP", 1)
    keep("START", 2)
    noon.shift(timedelta(days=1))
    stop_messages(treatment=treatment, kind=Act.Kind.STOP, now=timezone.now())
    letterbox.take_in()
    assert is_stopped(treatment.patient)


def test_a_start_taken_in_days_later_plans_nothing_of_the_days_between(
    noon: time_machine.Traveller, treatment: Treatment
) -> None:
    say("STOP", 1)
    keep("START", 2)
    noon.shift(timedelta(days=2))
    now = timezone.now()
    letterbox.take_in()
    planned = treatment.reminders.filter(state=State.PLANNED).exclude(rule="handover")
    assert planned.exists()
    assert not planned.filter(due_at__lte=now).exists()
    assert not planned.exclude(state_at=now).exists()
    assert reminder_of(treatment, "cleanse").skip_reason == Skip.PASSED.value
    assert InboundText.objects.get(meaning="start").received_at == NOON


def test_a_late_yes_answers_what_had_been_asked_when_it_was_said(
    noon: time_machine.Traveller, treatment: Treatment
) -> None:
    """Else a yes about day 3 would open the active products of the week after."""
    asked, next_asked = (reminder_of(treatment, rule) for rule in ("day-3", "week-1"))
    noon.move_to(asked.leaves_at + MINUTE)
    set_state(asked, State.SENT)
    keep("yes", 1)
    noon.move_to(next_asked.leaves_at + MINUTE)
    set_state(next_asked, State.SENT)
    letterbox.take_in()
    assert [one.rule for one in treatment.check_ins.all()] == ["day-3"]


@pytest.mark.parametrize("older", ["STOP", "START"])
def test_where_it_is_not_sure_which_texts_were_meant_none_are_sent(
    treatment: Treatment, older: str
) -> None:
    newer = "START" if older == "STOP" else "STOP"
    receive_text(
        provider_id="SM1", sender=NUMBER, recipient=SENDER, body="STOP", at=NOON - 2 * MINUTE
    )
    receive_text(provider_id="SM2", sender=NUMBER, recipient=FORMER, body=newer, at=NOON)
    receive_text(provider_id="SM3", sender=NUMBER, recipient=SENDER, body=older, at=NOON - MINUTE)
    assert is_stopped(treatment.patient)
