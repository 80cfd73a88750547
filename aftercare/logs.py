"""Log lines say what happened and to which row, never to whom.

Our own code logs row numbers only. Libraries do not know better: Django logs the path of a dead
link, a mail error names its recipient, a database error quotes the row. So every line is masked
on its way out, and of an error whose words may quote data only its kind and its place are kept.

`line` for people at a terminal, `json` for a log server: one object a line, with the request's
id, the task, and the number of the reminder, attempt or other row that the words name.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError
from kombu.exceptions import KombuError
from redis import RedisError

_MASKS = (
    (re.compile(r"(/[ru]/)[0-9A-Za-z]{8,}", re.IGNORECASE), r"\1…"),
    # A token by itself, wherever a mistyped address has put it.
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Z])(?=\w*[a-z])[0-9A-Za-z]{22}\b"), "…"),
    (re.compile(r"\+\d{8,15}\b"), "+…"),
    # Bounded: without an end, a request's long path would be gone through from each of its letters.
    (re.compile(r"[\w.+%-]{1,254}@[\w-]+(\.[\w-]+)+"), "…@…"),
)
# Their first line tells of programs, files and constraints, not of what somebody typed.
_SPEAKS = (
    OSError, AttributeError, TypeError, NameError, ImportError, ImproperlyConfigured,
    OperationalError, InterfaceError, IntegrityError, ProgrammingError,
    psycopg.OperationalError, psycopg.IntegrityError, psycopg.ProgrammingError,
    sqlite3.OperationalError, sqlite3.IntegrityError, RedisError, KombuError,
)  # fmt: skip
LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
LEFT_OUT = "(its words are left out: they may quote somebody's data)"
_ROW = re.compile(r"\b(reminder|attempt|treatment|concern|clinic|act|list) (\d+)\b", re.IGNORECASE)
_about: ContextVar[dict[str, str]] = ContextVar("about", default={})  # noqa: B039 (never changed)


def set_about(**ids: str) -> None:
    """What this thread logs from now on carries these, and nothing of before."""
    _about.set(ids)


def masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


class MaskingFormatter(logging.Formatter):
    """Masks link tokens, phone numbers and email addresses, in tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = said(record)
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        return masked("\n".join([line, *trace(record)]))


class JsonFormatter(logging.Formatter):
    """One JSON object a line; times are UTC."""

    def format(self, record: logging.LogRecord) -> str:
        message = masked(said(record))
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            **_about.get(),
            **{name.lower(): int(number) for name, number in _ROW.findall(message)},
        }
        if error := "\n".join(trace(record)):
            line["error"] = masked(error)
        return json.dumps(line, ensure_ascii=False)


def said(record: logging.LogRecord) -> str:
    """The record's words. Some repeat the error's own: of those no more than `words_of`."""
    words = record.getMessage()
    for error in _chain(record):
        if words_of(error) != str(error):
            for text in (repr(error), str(error)):
                words = words.replace(text, "…") if len(text) > 2 else words
    return words


def trace(record: logging.LogRecord) -> Iterator[str]:
    """Where it broke, and every error that led to it, the first one first."""
    for error in reversed(_chain(record)):
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
        yield f"{type(error).__module__}.{type(error).__qualname__}: {words_of(error)}"


def words_of(error: BaseException) -> str:
    """Databases quote the row below their first line."""
    text = str(error)
    return (text.splitlines() or [""])[0] if isinstance(error, _SPEAKS) else LEFT_OUT


def _chain(record: logging.LogRecord) -> list[BaseException]:
    """The error and what caused it, the last one first."""
    found: list[BaseException] = []
    error = record.exc_info[1] if record.exc_info else None
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def formatter(name: str) -> logging.Formatter:
    return JsonFormatter() if name == "json" else MaskingFormatter(LINE)
