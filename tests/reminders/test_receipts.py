"""Receipts: kept as they came, forward only, whatever their order."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from patients.models import Patient
from reminders.models import MOVES, Attempt, Concern, Receipt, Reminder, State, may_become
from reminders.moments import Skip
from reminders.receipts import STATES, apply_receipt, record_receipt
from tests.reminders.conftest import make_call

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

T = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SID = "SM" + "2" * 32


@pytest.fixture
def attempt(patient: Patient) -> Attempt:
    return make_call(patient, at=T)


def say(attempt: Attempt, status: str, code: str = "") -> State:
    record_receipt(token=attempt.token, provider_id=SID, status=status, error_code=code)
    return State(Reminder.objects.get(pk=attempt.reminder_id).state)


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered"])))
def test_delivered_wins_in_every_order(attempt: Attempt, order: tuple[str, ...]) -> None:
    for status in order * 3:
        state = say(attempt, status)
    assert state == State.DELIVERED
    assert Receipt.objects.count() == 3


def test_a_receipt_before_the_calls_answer_proves_that_it_was_accepted(attempt: Attempt) -> None:
    assert say(attempt, "queued") == State.SENT
    attempt.refresh_from_db()
    assert attempt.outcome == Attempt.Outcome.ACCEPTED


def test_a_receipt_resolves_an_unknown(attempt: Attempt) -> None:
    Attempt.objects.update(outcome=Attempt.Outcome.UNKNOWN)
    Reminder.objects.filter(pk=attempt.reminder_id).update(state=State.UNKNOWN)
    assert say(attempt, "delivered") == State.DELIVERED


def test_of_two_final_words_the_first_holds_and_both_are_kept(attempt: Attempt) -> None:
    say(attempt, "undelivered", "30003")
    assert say(attempt, "delivered") == State.FAILED
    assert set(Receipt.objects.values_list("status", flat=True)) == {"undelivered", "delivered"}


def test_a_failure_keeps_the_providers_code(attempt: Attempt) -> None:
    say(attempt, "failed", "30005")
    attempt.refresh_from_db()
    assert attempt.error_code == "30005"


def test_a_receipt_for_an_attempt_we_do_not_know_is_kept(db: None) -> None:
    record_receipt(token=uuid.uuid4(), provider_id=SID, status="sent", error_code="")
    assert Receipt.objects.get().attempt is None


def test_a_receipt_that_came_for_nobody_is_placed_when_its_message_is_known(
    attempt: Attempt,
) -> None:
    for status in ("sent", "delivered"):
        record_receipt(token=uuid.uuid4(), provider_id=SID, status=status, error_code="")
    apply_receipt(attempt, provider_id=SID, status="delivered", error_code="", now=T)  # the poll
    assert Reminder.objects.get(pk=attempt.reminder_id).state == State.DELIVERED
    assert set(Receipt.objects.values_list("status", "attempt")) == {
        ("sent", attempt.pk),
        ("delivered", attempt.pk),
    }


def test_a_status_we_do_not_know_is_kept_and_moves_nothing(attempt: Attempt) -> None:
    assert say(attempt, "teleported") == State.SENDING
    assert Receipt.objects.get().status == "teleported"


def test_what_was_skipped_as_never_sent_and_is_delivered_says_so(attempt: Attempt) -> None:
    Attempt.objects.update(outcome=Attempt.Outcome.NOT_SENT, error_code="absent")
    Reminder.objects.filter(pk=attempt.reminder_id).update(
        state=State.SKIPPED, skip_reason=Skip.NOT_USEFUL.value
    )
    assert say(attempt, "delivered") == State.DELIVERED


def test_a_word_that_moves_nothing_costs_one_statement(
    attempt: Attempt, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    say(attempt, "queued")
    with django_assert_num_queries(1):
        record_receipt(token=attempt.token, provider_id=SID, status="sent", error_code="")
    assert set(Receipt.objects.values_list("status", "attempt")) == {
        ("queued", attempt.pk),
        ("sent", attempt.pk),
    }


def test_a_word_that_the_answer_to_the_call_has_said_costs_two_statements(
    attempt: Attempt, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    say(attempt, "queued")
    with django_assert_num_queries(2):
        record_receipt(token=attempt.token, provider_id=SID, status="queued", error_code="")
    assert Receipt.objects.count() == 1


def test_the_word_that_it_arrived_costs_one_statement_on_postgres(
    attempt: Attempt, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    say(attempt, "queued")
    # Of the six two are the savepoint, inside a test's own transaction.
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 6):
        record_receipt(token=attempt.token, provider_id=SID, status="delivered", error_code="")
    reminder, known = Reminder.objects.get(pk=attempt.reminder_id), Attempt.objects.get()
    assert (reminder.state, reminder.claim) == (State.DELIVERED, None)
    assert known.ended_at is not None
    assert known.look_at is None
    assert set(Receipt.objects.values_list("status", "attempt")) == {
        ("queued", attempt.pk),
        ("delivered", attempt.pk),
    }


def test_a_word_said_before_of_an_attempt_not_known_as_accepted_still_moves_it(
    attempt: Attempt,
) -> None:
    """As when a worker that slept has written since that nothing was sent."""
    say(attempt, "sent")
    Attempt.objects.update(outcome=Attempt.Outcome.UNKNOWN)
    Reminder.objects.filter(pk=attempt.reminder_id).update(state=State.UNKNOWN)
    assert say(attempt, "sent") == State.SENT


def test_that_it_arrived_said_again_after_a_failure_is_flagged(attempt: Attempt) -> None:
    say(attempt, "undelivered", "30003")
    assert say(attempt, "delivered") == State.FAILED
    assert Concern.objects.filter(detail="contradicted").count() == 1


@pytest.mark.parametrize("outcome", ["open", "unknown", "not sent"])
def test_a_word_on_its_way_moves_what_is_not_known_to_be_accepted(
    attempt: Attempt, outcome: str
) -> None:
    Attempt.objects.update(outcome=outcome)
    assert say(attempt, "sent") == State.SENT
    assert Attempt.objects.get().outcome == Attempt.Outcome.ACCEPTED


def test_no_state_can_be_left_but_along_the_map() -> None:
    assert set(MOVES) == set(State)
    for state in STATES.values():
        assert state not in may_become(state)
    before = [State.PLANNED, State.SENDING, State.UNKNOWN, State.SKIPPED]
    assert may_become(State.SENT) == before
    assert MOVES[State.DELIVERED] == MOVES[State.FAILED] == frozenset()
