"""The engine's waiting times, shortened for a run; everything else stays as it is.

Settings are shortened by the environment, constants by `apply` in the process that is to use
them: a fork of the runner, or a worker (`tests.faults.worker`).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib import import_module

VARIABLE = "FAULTS_TIMES"
# What `apply` shortens, and to which of the times below. No other module may hold a copy.
CONSTANTS = {
    "reminders.claim.LEASE": "lease",
    "reminders.dispatch.CALL_NEEDS": "call_needs",
    "reminders.outcomes.BACKOFF": "backoff",
    "reminders.settle.ASKING": "asking",
}


@dataclass(frozen=True, slots=True)
class Times:
    """All in seconds. What holds between them in production holds here: a call ends well within
    its lease, and the settling window is longer than a call.
    """

    lease: float = 6.0
    call_needs: float = 2.5
    read: float = 2.0
    settle: float = 6.0
    asking: float = 4.0
    backoff: float = 0.5
    tick: float = 0.5

    @property
    def longest(self) -> float:
        """From a worker's death to the end of all doubt: lease, window, and a tick each."""
        return self.lease + self.settle + 3 * self.tick

    def environment(self, calls_in_flight: int = 50) -> dict[str, object]:
        """For a worker or beat of the run."""
        return {
            "TICK_SECONDS": self.tick,
            "SETTLE_SECONDS": self.settle,
            "CALLS_IN_FLIGHT": calls_in_flight,
            VARIABLE: json.dumps(asdict(self)),
        }

    def words(self) -> str:
        return (
            f"lease {self.lease:g} s (90), fence {self.call_needs:g} s (15), "
            f"read time-out {self.read:g} s (10), settling window {self.settle:g} s (600), "
            f"taken look {self.asking:g} s (60), first back-off {self.backoff:g} s (30), "
            f"tick {self.tick:g} s (2)"
        )


SHORT = Times()
# For the small run, which proves that every fault can be played and not how often.
SHORTER = Times(lease=4.0, call_needs=1.5, read=1.2, settle=4.0, asking=3.0)


def from_environment() -> Times:
    return Times(**json.loads(os.environ[VARIABLE])) if VARIABLE in os.environ else SHORT


def apply(times: Times) -> None:
    """Shorten the constants of this process. Django must be set up."""
    from django.conf import settings

    from reminders.channels import sms

    for path, name in CONSTANTS.items():
        module, _, constant = path.rpartition(".")
        setattr(import_module(module), constant, timedelta(seconds=getattr(times, name)))
    sms.READ_SECONDS = times.read
    settings.SETTLE_SECONDS = times.settle
