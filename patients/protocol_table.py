"""One TOML table of a protocol file, read key by key: what is wrong is said with its place.

Pure. Nothing is guessed: a key that is missing, of another kind or unknown is a `ProtocolError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import time, timedelta
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

WHOLE_LIMIT = 1000  # days or months; more is a slip of the hand
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class ProtocolError(ValueError):
    """A broken protocol file: `place` says where (`step A4: ends`), `reason` what to change."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


class Table:
    """One TOML table that knows its place and which of its keys have been read."""

    def __init__(self, place: str, values: object) -> None:
        if not isinstance(values, dict):
            raise ProtocolError(place, "should be a table of keys and values")
        self.place = place
        self._values: dict[str, Any] = values
        self._read: set[str] = set()

    def error(self, key: str, reason: str) -> ProtocolError:
        return ProtocolError(f"{self.place}: {key}" if self.place else key, reason)

    def has(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> Iterable[str]:
        return self._values.keys()

    def take(self, key: str) -> Any:
        self._read.add(key)
        if key not in self._values:
            raise self.error(key, "is missing")
        return self._values[key]

    def text(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "should be some text")
        return value.strip()

    def whole(self, key: str) -> int:
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "should be a whole number")
        if abs(value) > WHOLE_LIMIT:
            raise self.error(key, f"should be between -{WHOLE_LIMIT} and {WHOLE_LIMIT}")
        return value

    def flag(self, key: str) -> bool:
        value = self.take(key) if self.has(key) else False
        if not isinstance(value, bool):
            raise self.error(key, "should be true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.error(key, "should be a list of texts")
        return tuple(value)

    def choice(self, key: str, kind: type[E]) -> E:
        return self._one_of(key, self.text(key), kind)

    def choices(self, key: str, kind: type[E]) -> frozenset[E]:
        return frozenset(self._one_of(key, value, kind) for value in self.texts(key))

    def _one_of(self, key: str, value: str, kind: type[E]) -> E:
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(kind)
            raise self.error(key, f"“{value}” is not one of: {known}") from None

    def span(self, key: str) -> timedelta:
        value = self.text(key)
        found = re.fullmatch(r"(\d{1,4})([mhd])", value)
        if not found:
            raise self.error(key, f"“{value}” is not a span like 30m, 6h or 7d")
        return timedelta(**{_UNITS[found[2]]: int(found[1])})

    def clock(self, key: str) -> time:
        value = self.text(key)
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise self.error(key, f"“{value}” is not a time of day like 09:00")
        return time.fromisoformat(value)

    def optional(self, key: str, read: Callable[[str], T]) -> T | None:
        return read(key) if self.has(key) else None

    def table(self, key: str) -> Table:
        return Table(f"{self.place}: {key}" if self.place else key, self.take(key))

    def tables(self, key: str, name_by: str) -> list[Table]:
        """A list of tables, each named in messages by one of its own values."""
        rows = self.take(key)
        if not isinstance(rows, list):
            raise self.error(key, f"should be a list of [[{key}]] tables")
        return [
            Table(f"{key} {row.get(name_by, number) if isinstance(row, dict) else number}", row)
            for number, row in enumerate(rows, 1)
        ]

    def done(self) -> None:
        """Refuse what nobody read: a misspelled key must not be silently ignored."""
        for key in self._values:
            if key not in self._read:
                raise self.error(key, "is not known here")
