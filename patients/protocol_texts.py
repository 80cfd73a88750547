"""The texts of one language, read from a protocol file: each is there, and says what can be filled.

Pure. A placeholder that nobody fills, or a phone number inside a text, is a `ProtocolError`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from patients.protocol import (
    MESSAGE_PLACEHOLDERS,
    PAGE_PLACEHOLDERS,
    MessageText,
    PhaseText,
    Protocol,
    ReminderText,
    StepText,
    Texts,
    TierText,
)
from patients.protocol_table import ProtocolError, Table

T = TypeVar("T")

_PHONE_NUMBER = re.compile(r"\+?\(?\d[\d ().-]{6,}\d")


def texts_of(table: Table, protocol: Protocol) -> Texts:
    def each(key: str, names: Iterable[str], read: Callable[[Table, str], T]) -> Mapping[str, T]:
        inner = table.table(key)
        found = {name: read(inner, name) for name in names}
        inner.done()
        return found

    texts = Texts(
        name=_words(table, "name", PAGE_PLACEHOLDERS),
        phases=each("phase", (phase.key for phase in protocol.phases), _phase_text),
        steps=each("step", (step.fact for step in protocol.steps), _step_text),
        normals=each("normal", (one.key for one in protocol.normals), _page_words),
        reminders=each("reminder", (rule.key for rule in protocol.reminders), _reminder_text),
        tiers=each("tier", (tier.action for tier in protocol.tiers), _tier_text),
        signs=each("sign", (s for tier in protocol.tiers for s in tier.signs), _page_words),
        series=each("series", ("next_session", "maintenance"), _page_words),
    )
    table.done()
    for rule in protocol.reminders:
        if rule.gate is not None and texts.reminders[rule.key].ahead is None:
            raise ProtocolError(
                f"{table.place}: reminder: {rule.key}: ahead",
                "is missing: what to say while its gate is still ahead",
            )
    return texts


def _words(table: Table, key: str, allowed: frozenset[str]) -> str:
    """One text, with its placeholders checked against those that somebody fills."""
    value = table.text(key)
    try:
        fields = list(string.Formatter().parse(value))
    except ValueError as error:
        raise table.error(key, f"has an unpaired brace ({error})") from None
    for _, name, spec, conversion in fields:
        if name is not None and (name not in allowed or spec or conversion):
            known = ", ".join("{" + one + "}" for one in sorted(allowed))
            raise table.error(key, f"“{{{name}}}” is not a placeholder; known are {known}")
    if _PHONE_NUMBER.search(value):
        raise table.error(key, "holds a phone number; write {office_phone} or the like instead")
    return value


def _page_words(table: Table, key: str) -> str:
    return _words(table, key, PAGE_PLACEHOLDERS)


def _phase_text(parent: Table, key: str) -> PhaseText:
    table = parent.table(key)
    text = PhaseText(*(_page_words(table, name) for name in ("title", "span", "opening")))
    table.done()
    return text


def _step_text(parent: Table, key: str) -> StepText:
    table = parent.table(key)
    text = StepText(
        _page_words(table, "title"),
        _page_words(table, "text"),
        _page_words(table, "then") if table.has("then") else "",
        _page_words(table, "task") if table.has("task") else "",
    )
    table.done()
    return text


def _tier_text(parent: Table, key: str) -> TierText:
    table = parent.table(key)
    text = TierText(_page_words(table, "heading"), _page_words(table, "instruction"))
    table.done()
    return text


def _reminder_text(parent: Table, key: str) -> ReminderText:
    table = parent.table(key)
    ahead = table.optional("ahead", lambda name: _message_text(table.table(name)))
    text = ReminderText(_page_words(table, "name"), _message_text(table.table("plain")), ahead)
    table.done()
    return text


def _message_text(table: Table) -> MessageText:
    keys = ("sms", "sms_detailed", "subject", "email", "email_detailed")
    text = MessageText(*(_words(table, key, MESSAGE_PLACEHOLDERS) for key in keys))
    table.done()
    return text
