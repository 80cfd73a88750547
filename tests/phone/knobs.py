"""What a test or a demo may turn while the phone runs. Unknown names and wrong types are refused.

Which fault a call meets is decided here, because the next-N list is used up by it.
"""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.phone.faults import BY_NUMBER, FAULTS, ORDINARY, Fault

STATUSES = ("queued", "sent", "delivered", "undelivered", "failed")


def _usual_delays() -> dict[str, float]:
    return {"queued": 0.0, "sent": 0.3, "delivered": 0.8, "undelivered": 0.8, "failed": 0.3}


@dataclass(slots=True)
class Knobs:
    """Every knob with its start value. Shares are 0 to 1; times are in the unit of the name."""

    public_base: str = "http://localhost:8000"
    inbound_path: str = "/webhooks/twilio/inbound"
    service_number: str = "+12025550100"  # the sender behind every MessagingServiceSid
    latency_ms: float = 0.0  # half of it before the message exists, half after
    auth_fails: bool = False  # every API call answers 401, whatever its credentials
    hang_s: float = 30.0  # how long a `timeout` fault keeps the line open
    list_lag_s: float = 0.0  # a list shows a message only when it is this old
    next: dict[str, float] = field(default_factory=dict)  # fault -> how many calls, in this order
    rates: dict[str, float] = field(default_factory=dict)  # fault -> share of the calls
    receipts: bool = True  # whether status callbacks are sent; statuses move on regardless
    delays: dict[str, float] = field(default_factory=_usual_delays)  # seconds before a status
    scramble: bool = False  # all callbacks of a message at its end, in any order, at once
    repeat: int = 1  # how often each callback is sent
    drop: float = 0.0  # share of callbacks that never leave
    retry_wait_s: float = 0.1  # before the first retry of a callback; doubles each time
    carrier_stop: bool = True  # STOP blocks the sender at the carrier until START
    carrier_confirms: bool = False  # the carrier answers STOP, START and HELP itself
    opt_out_type: bool = False  # inbound form has OptOutType, as with Advanced Opt-Out
    slow_mail_s: float = 5.0  # how long the `slow` mailbox thinks
    seed: int = 0  # for shares and scrambling; setting it starts the sequence again

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set the named knobs, all or none. Raises ValueError with a plain sentence."""
        checked = {name: self._checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self, name, value)
        if "seed" in checked:
            random.seed(self.seed)

    def restart(self, public_base: str) -> None:
        """Every knob back to its start value."""
        fresh = Knobs(public_base=public_base)
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(fresh, name))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def fault_for(self, to: str) -> Fault:
        """The fault this call meets: the next-N list first, then the shares, then the number."""
        if self.next:
            return FAULTS[self._use_up_next()]
        if self.rates:
            point = random.random()
            for name, share in self.rates.items():
                point -= share
                if point < 0:
                    return FAULTS[name]
        return BY_NUMBER.get(to, ORDINARY)

    def _use_up_next(self) -> str:
        name = next(iter(self.next))
        self.next[name] -= 1
        if self.next[name] <= 0:
            del self.next[name]
        return name

    def _checked(self, name: str, value: Any) -> Any:
        if name not in self.__dataclass_fields__:
            raise ValueError(f"There is no knob named {name}.")
        if name == "delays":
            return self._all_delays(value)
        if name in ("next", "rates"):
            return _numbers(name, value, FAULTS)
        kind = type(getattr(self, name))
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError(f"{name} must be a {kind.__name__}, not {value!r}.")
        return value

    def _all_delays(self, value: Any) -> dict[str, float]:
        """One number for every status, or a number for some of them."""
        if type(value) in (int, float):
            return dict.fromkeys(STATUSES, float(value))
        return self.delays | _numbers("delays", value, STATUSES)


def _numbers(name: str, value: Any, allowed: Mapping[str, Any] | tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object of names and numbers.")
    for key, number in value.items():
        if key not in allowed:
            raise ValueError(f"{name} does not know {key!r}; it knows {', '.join(allowed)}.")
        if type(number) not in (int, float) or number < 0:
            raise ValueError(f"{name}: {key} must be a number from 0 up.")
    return {key: number for key, number in value.items() if number or name == "delays"}
