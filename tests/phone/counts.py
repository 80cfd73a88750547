"""Counts of everything, for the judges of fault runs. Counting decides nothing."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(slots=True)
class Tally:
    """Calls made and messages created under one key; `doubled` is what was created too often."""

    calls: int = 0
    created: int = 0

    def as_json(self) -> dict[str, int]:
        return {"calls": self.calls, "created": self.created, "doubled": max(0, self.created - 1)}


@dataclass(slots=True)
class Counts:
    """Since the start or the last reset."""

    calls: int = 0
    created: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    attempts: dict[str, Tally] = field(default_factory=dict)
    texts: dict[tuple[str, str], Tally] = field(default_factory=dict)
    lookups: Counter[str] = field(default_factory=Counter)
    callbacks: Counter[str] = field(default_factory=Counter)
    callback_answers: Counter[str] = field(default_factory=Counter)
    inbound: Counter[str] = field(default_factory=Counter)
    mail: Counter[str] = field(default_factory=Counter)
    mails: dict[tuple[str, str], int] = field(default_factory=dict)

    def clear(self) -> None:
        fresh = Counts()
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(fresh, name))

    def call(self, form: dict[str, str]) -> tuple[Tally, ...]:
        """Count a create call; returns the tallies that `create` adds to."""
        self.calls += 1
        to_and_body = (form.get("To", ""), form.get("Body", ""))
        tallies = [self.texts.setdefault(to_and_body, Tally())]
        if attempt := attempt_of(form.get("StatusCallback", "")):
            tallies.append(self.attempts.setdefault(attempt, Tally()))
        for tally in tallies:
            tally.calls += 1
        return tuple(tallies)

    def create(self, tallies: tuple[Tally, ...]) -> None:
        self.created += 1
        for tally in tallies:
            tally.created += 1

    def mail_kept(self, to: str, message_id: str) -> None:
        self.mail["kept"] += 1
        key = (to, message_id)
        self.mails[key] = self.mails.get(key, 0) + 1

    def as_json(self, *, brief: bool) -> dict[str, Any]:
        """Totals; and unless brief, a tally for every attempt and for every (To, Body)."""
        totals: dict[str, Any] = {
            "calls": self.calls,
            "created": self.created,
            "doubled_attempts": _doubled(self.attempts),
            "doubled_texts": _doubled(self.texts),
            "doubled_mails": sum(number - 1 for number in self.mails.values()),
            "answers": self.answers,
            "lookups": self.lookups,
            "callbacks": self.callbacks,
            "callback_answers": self.callback_answers,
            "inbound": self.inbound,
            "mail": self.mail,
        }
        if brief:
            return totals
        attempts = {key: tally.as_json() for key, tally in self.attempts.items()}
        texts = [
            {"to": to, "body": body, **tally.as_json()} for (to, body), tally in self.texts.items()
        ]
        return totals | {"attempts": attempts, "texts": texts}


def attempt_of(callback: str) -> str:
    """The attempt's id in a StatusCallback: `?attempt=`, else a last path part with a digit in it.

    Empty where the URL is the same for every message.
    """
    address, _, query = callback.partition("#")[0].partition("?")
    if query and (named := parse_qs(query).get("attempt")):
        return named[0]
    path = address.partition("://")[2].partition("/")[2]
    last = path.rstrip("/").rpartition("/")[2]
    return last if any(sign.isdigit() for sign in last) else ""


def _doubled(tallies: dict[Any, Tally]) -> int:
    return sum(tally.created - 1 for tally in tallies.values() if tally.created > 1)
