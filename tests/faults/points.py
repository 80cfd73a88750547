"""Exact places to die at: the engine's own names are wrapped in the process that is to die."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from unittest.mock import patch

from patients.models.patient import Channel
from reminders import dispatch
from reminders.channels import Message, Outcome
from reminders.claim import Claim, claim_due
from reminders.outcomes import Result, record


class Point(StrEnum):
    BEFORE_CLAIM = "before the claim"
    AFTER_CLAIM = "after the claim"
    DURING_CALL = "during the call"
    BEFORE_RECORD = "after the call, before the record"
    AFTER_RECORD = "after the record"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Strike:
    """Dies when it is passed for the `passes`-th time."""

    def __init__(self, passes: int) -> None:
        self._left = passes
        self._lock = threading.Lock()

    def is_now(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0

    def fall(self) -> None:
        if self.is_now():
            die()


def arm(point: Point, *, passes: int, batch: int, latency: float) -> None:
    """Have this process die at `point`, on its `passes`-th time there.

    It claims `batch` rows at a time. A call is cut before its first byte or at any moment of the
    provider's `latency` (seconds).
    """
    strike = Strike(passes)
    _replace("claim_due", _claim(point, strike, batch, claim_due))
    if point in (Point.BEFORE_RECORD, Point.AFTER_RECORD):
        _replace("record", _record(point, strike, record))
    if point is Point.DURING_CALL:
        send = _send(strike, latency, dispatch.SEND[Channel.SMS])
        patch.dict(dispatch.SEND, {Channel.SMS: send}).start()


def _replace(name: str, function: Callable[..., object]) -> None:
    patch.object(dispatch, name, function).start()


def _claim(
    point: Point, strike: Strike, batch: int, real: Callable[..., Claim]
) -> Callable[..., Claim]:
    def claim(*, now: datetime, only_urgent: bool = False) -> Claim:
        if point is Point.BEFORE_CLAIM:
            strike.fall()
        claimed = real(now=now, limit=batch, only_urgent=only_urgent)
        if point is Point.AFTER_CLAIM and claimed.reminders:
            strike.fall()
        return claimed

    return claim


def _record(point: Point, strike: Strike, real: Callable[..., None]) -> Callable[..., None]:
    def recorded(results: Sequence[Result], *, now: datetime) -> None:
        falls = bool(results) and strike.is_now()
        if falls and point is Point.BEFORE_RECORD:
            die()
        real(results, now=now)
        if falls:
            die()

    return recorded


def _send(
    strike: Strike, latency: float, send: Callable[[Message], Outcome]
) -> Callable[[Message], Outcome]:
    def sent(message: Message) -> Outcome:
        if strike.is_now():
            if random.random() < 0.3:
                die()
            threading.Timer(random.uniform(0, latency), die).start()
        return send(message)

    return sent
