"""How long whoever asks the database will wait for its answers.

A server that takes what we send and never answers (its machine stands still, a proxy between has
lost it) breaks no connection: without an end of our own a thread would wait for ever.
`aftercare.postgresql` keeps to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Patience:
    """`left`: seconds of waiting. What is done between two questions costs nothing of it."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All answers of the database in here may take so long together; then an OperationalError.

    A new connection has its own time (`connect_timeout`).
    """
    before = _patience.set(Patience(seconds))
    try:
        yield
    finally:
        _patience.reset(before)


def patience() -> Patience | None:
    """None where nobody is in a hurry."""
    return _patience.get()
