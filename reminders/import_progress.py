"""How far a list is, told beside its long transaction: in the cache, where it may also be lost."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from patients.models import ImportFile

# Some hundred rows are told of every few seconds: a worker silent for so long has been killed.
SILENT_FOR = timedelta(seconds=30)
KEPT_FOR = 3600  # seconds


def tell(pk: int, done: int) -> None:
    with contextlib.suppress(OSError, RedisError):
        cache.set(_key(pk), (done, timezone.now()), timeout=KEPT_FOR)


def progress_of(pk: int) -> int:
    """How many rows are ready; 0 where nobody knows."""
    done, _ = _told(pk)
    return done


def stands_still(file: ImportFile, *, now: datetime) -> bool:
    """Whether a worker took it up and has not been heard of since."""
    if file.state != ImportFile.State.ACCEPTED or file.claimed_at is None:
        return False
    _, told_at = _told(file.pk)
    return max(file.claimed_at, told_at or file.claimed_at) < now - SILENT_FOR


def _told(pk: int) -> tuple[int, datetime | None]:
    with contextlib.suppress(OSError, RedisError):
        told: tuple[int, datetime | None] = cache.get(_key(pk)) or (0, None)
        return told
    return 0, None


def _key(pk: int) -> str:
    return f"import-{pk}"
