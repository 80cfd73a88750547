"""A webhook that met a lock is tried once more: an answer of 5xx could lose what it tells."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

# What a database says that cannot take what it is told: a lock, a lost connection; of a standby
# (after a failover) PostgreSQL's "read-only transaction" is an internal error.
AWAY = (OperationalError, InterfaceError, InternalError)


def once_more(take: Callable[P, R]) -> Callable[P, R]:
    """Again after a deadlock, a lock that took too long or a lost connection.

    What a webhook writes is one transaction, and nothing of the first try is left. So a kept
    connection is not asked beforehand whether it still lives: one that does not is replaced.
    """

    @wraps(take)
    def tried_twice(*args: P.args, **kwargs: P.kwargs) -> R:
        connection.health_check_done = True  # type: ignore[attr-defined] # (not in the stubs)
        try:
            return take(*args, **kwargs)
        except AWAY:
            if connection.connection is None:
                raise  # a new connection was tried in vain, and its sender's patience has an end
            connection.close_if_unusable_or_obsolete()
            return take(*args, **kwargs)

    return tried_twice
