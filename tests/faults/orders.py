"""Any order of everything: the ledger's state machine, by chance, on the run's PostgreSQL.

Unlike in the other rows no process and no HTTP takes part: what a call comes to is drawn, and the
machine itself keeps what the provider then has (`tests.reminders.ledger`). Each order is rolled
back before the next. The same ones again: `FAULTS_SEED=N python -m tests.faults --only any-order`,
where N is the row's seed, or that of the one order that broke.
"""

from __future__ import annotations

import logging
import os
import random

from tests.reminders.ledger import Doubled, Ledger, Lost, play

from .judge import Verdict
from .stage import Stage
from .table import Finding

STEPS = 25
logger = logging.getLogger(__name__)


def played(_: Stage, orders: int) -> Finding:
    """So many orders of `STEPS` events each; the first that breaks a promise ends it."""
    number = int(os.environ.get("FAULTS_SEED") or random.randrange(2**32))
    verdict, before = Verdict(), Ledger.sent
    problems: list[str] = []
    try:
        play(orders, STEPS, number=number)
    except AssertionError as error:
        logger.exception("An order broke a promise.")
        verdict.lost = int(isinstance(error, Lost))
        verdict.doubled = int(isinstance(error, Doubled))
        problems.append(" ".join([f"{type(error).__name__}: {error}", *error.__notes__[-1:]]))
    said = f"{orders:,} orders, {Ledger.sent - before:,} messages"
    return Finding(said, verdict, f"seeds from {number}", problems)
