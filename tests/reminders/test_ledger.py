"""The whole ledger, played in many orders: always the same ones here, others with `make faults`."""

from __future__ import annotations

import pytest

from tests.reminders.ledger import play

pytestmark = pytest.mark.thorough


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_no_order_of_events_loses_doubles_or_forgets_a_reminder() -> None:
    play(30, 25)
