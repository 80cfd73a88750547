"""Two words about one message at once, on PostgreSQL: both have begun before either goes on.

The test holds a row that both need. The first one waits for it, then the second one; PostgreSQL
serves them in turn. What each read before it waited is old by the time it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from patients.models import Patient
from reminders.channels import Accepted, NotSent, Unknown
from reminders.channels import Outcome as Ended
from reminders.models import Attempt, Concern, Receipt, Reminder, State
from reminders.outcomes import Result, record
from reminders.receipts import keep_receipt, record_receipt
from tests.reminders.conftest import make_call
from tests.services.runtime import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.both_databases,
    pytest.mark.only_postgres,
]

T = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SID = "SM" + "4" * 32
Act = Callable[[], Any]


@pytest.fixture
def attempt(patient: Patient) -> Attempt:
    """Its call is on its way."""
    return make_call(patient, at=T)


def say(attempt: Attempt, status: str, code: str = "") -> Act:
    said = {"provider_id": SID, "status": status, "error_code": code}
    return lambda: record_receipt(token=attempt.token, **said)


def end(attempt: Attempt, outcome: Ended) -> Act:
    return lambda: record([Result(attempt, outcome)], now=timezone.now())


def in_turn(hold: Act, *acts: Act, undo: bool = False) -> None:
    """While this thread holds something, each act in a thread of its own comes to where it waits.

    Then they go on, in turn. `undo`: what this thread did meanwhile is rolled back.
    """
    sessions: list[int] = []

    def run(act: Act) -> None:
        try:
            connection.ensure_connection()
            sessions.append(connection.connection.info.backend_pid)
            act()
        finally:
            connection.close()

    def has_begun(number: int) -> bool:
        return len(sessions) == number and waits(sessions[-1])

    with ThreadPoolExecutor(len(acts)) as pool:
        runs = []
        with transaction.atomic():
            hold()
            for number, act in enumerate(acts, start=1):
                runs.append(pool.submit(run, act))
                wait_for(partial(has_begun, number), seconds=30, what=f"number {number} waits")
            transaction.set_rollback(undo)
    for one in runs:
        one.result()


def waits(session: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", [session])
        return bool(cursor.fetchone()[0])


def held(name: str, attempt: Attempt) -> Act:
    """The row at which the acts meet: the attempt's own, or its reminder's a little later."""
    rows = {
        "attempt": Attempt.objects.filter(pk=attempt.pk),
        "reminder": Reminder.objects.filter(pk=attempt.reminder_id),
    }[name]
    return lambda: list(rows.select_for_update(no_key=True))


def state_of(attempt: Attempt) -> State:
    return State(Reminder.objects.get(pk=attempt.reminder_id).state)


def receipts() -> list[tuple[str, int | None]]:
    return sorted(Receipt.objects.values_list("status", "attempt"))


meets_at = pytest.mark.parametrize("row", ["attempt", "reminder"])


@meets_at
@pytest.mark.parametrize(
    ("order", "state"),
    [(("delivered", "undelivered"), State.DELIVERED), (("undelivered", "delivered"), State.FAILED)],
)
def test_of_two_final_words_at_once_the_first_holds_both_are_kept_and_a_nurse_sees_it(
    attempt: Attempt, row: str, order: tuple[str, str], state: State
) -> None:
    codes = {"delivered": "", "undelivered": "30005"}
    in_turn(held(row, attempt), *(say(attempt, one, codes[one]) for one in order))
    assert state_of(attempt) == state
    assert receipts() == [("delivered", attempt.pk), ("undelivered", attempt.pk)]
    assert "contradicted" in Concern.objects.values_list("detail", flat=True)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.look_at) == (Attempt.Outcome.ACCEPTED, None)


@meets_at
@pytest.mark.parametrize("first", ["delivered", "record"])
@pytest.mark.parametrize(
    "outcome", [Accepted(SID, "queued"), Unknown("no answer"), NotSent("429")], ids=repr
)
def test_a_message_delivered_while_its_call_is_recorded_is_delivered(
    attempt: Attempt, row: str, first: str, outcome: Ended
) -> None:
    acts = [say(attempt, "delivered"), end(attempt, outcome)]
    in_turn(held(row, attempt), *(acts if first == "delivered" else reversed(acts)))
    assert state_of(attempt) == State.DELIVERED
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.look_at) == (Attempt.Outcome.ACCEPTED, None)
    assert attempt.ended_at is not None
    queued = [("queued", attempt.pk)] if isinstance(outcome, Accepted) else []
    assert receipts() == [("delivered", attempt.pk), *queued]
    assert not Concern.objects.exists()


@meets_at
@pytest.mark.parametrize("status", ["delivered", "undelivered"])
def test_the_same_final_word_twice_at_once_is_one_receipt(
    attempt: Attempt, row: str, status: str
) -> None:
    code = "30005" if status == "undelivered" else ""
    in_turn(held(row, attempt), say(attempt, status, code), say(attempt, status, code))
    assert receipts() == [(status, attempt.pk)]
    assert state_of(attempt) == (State.FAILED if code else State.DELIVERED)
    failed = Concern.objects.filter(kind=Concern.Kind.FAILED)
    assert failed.count() == bool(code)
    assert Concern.objects.count() == bool(code)


@pytest.mark.parametrize("undo", [False, True])
@pytest.mark.parametrize("status", ["sent", "delivered"])
def test_a_word_that_is_being_written_already_is_one_receipt_whatever_becomes_of_the_other(
    attempt: Attempt, status: str, undo: bool
) -> None:
    record([Result(attempt, Accepted(SID, "queued"))], now=timezone.now())

    def write() -> None:
        keep_receipt(attempt, SID, status, "", timezone.now())

    in_turn(write, say(attempt, status), say(attempt, status), undo=undo)
    assert receipts() == sorted([("queued", attempt.pk), (status, attempt.pk)])
    assert state_of(attempt) == (State.DELIVERED if status == "delivered" else State.SENT)


@meets_at
@pytest.mark.parametrize("order", [("sent", "delivered"), ("delivered", "sent")])
def test_a_word_on_the_way_never_undoes_the_last_one(
    attempt: Attempt, row: str, order: tuple[str, str]
) -> None:
    in_turn(held(row, attempt), *(say(attempt, one) for one in order))
    assert state_of(attempt) == State.DELIVERED
    assert receipts() == [("delivered", attempt.pk), ("sent", attempt.pk)]
    attempt.refresh_from_db()
    assert attempt.look_at is None
