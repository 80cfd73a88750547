"""The clinical content as frozen dataclasses. Pure: no Django, no clock, no files.

A protocol is one document: phases, steps with their gates, reminder rules, the safety table, the
series rule, and every text once per language. It is written as TOML (`patients/protocols/`);
`protocol_file.parse` reads and validates it. Texts hold placeholders such as `{office_phone}`,
never a phone number: the clinic's record fills them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum

from patients.clock import Calendar, Elapsed, Moment

# What a text may ask for; whoever fills a text provides all of these that can occur in it.
PAGE_PLACEHOLDERS = frozenset(
    {"clinic", "office_phone", "after_hours_phone", "emergency_number", "date"}
)
MESSAGE_PLACEHOLDERS = PAGE_PLACEHOLDERS | {"link", "first_name", "gate_time"}


class StepKind(StrEnum):
    EXPECT = "expect"  # what the skin does: shown as normal
    DO = "do"
    PERMIT = "permit"  # never announced as allowed before it starts
    FORBID = "forbid"  # always told at or before it starts
    KNOW = "know"  # worth knowing, nothing to do today
    CALL = "call"  # whom to call


class Daily(StrEnum):
    """When in a day a step is done; `ONCE`: at any time, once at most."""

    MORNING = "morning"
    NIGHT = "night"
    ONCE = "once"


class ReminderKind(StrEnum):
    INFORM = "inform"
    PERMIT = "permit"
    CHECK_IN = "check-in"
    INVITE = "invite"


class ConsentScope(StrEnum):
    RECOVERY = "recovery"
    REBOOKING = "rebooking"


class Session(StrEnum):
    """Which session of the series a treatment is."""

    FIRST = "1"
    SECOND = "2"
    THIRD = "3"
    MAINTENANCE = "maintenance"


class TierAction(StrEnum):
    EMERGENCY = "emergency"
    PAGE_NURSE = "page-nurse"
    CALL_CLINIC = "call-clinic"
    BEFORE_NEXT = "before-next"


@dataclass(frozen=True, slots=True)
class Phase:
    """One of the spans [starts, ends) after treatment; the last one has no end."""

    key: str
    starts: timedelta
    ends: timedelta | None


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of the leaflet, named for its fact, in force over [starts, ends).

    `needs_normal`: it opens only when the patient has said that the skin feels normal.
    `until_normal`: it goes on, past `ends`, until the patient has said so.
    `daily`: when in a day it is done. `minutes`: it stays on from so long to so long.
    `yields_to`: while one of those facts is in force, this one need not be repeated under "Now".
    """

    fact: str
    phase: str
    kind: StepKind
    starts: Elapsed | Calendar
    ends: Elapsed | Calendar | None
    icon: str = ""
    needs_normal: bool = False
    until_normal: bool = False
    yields_to: frozenset[str] = frozenset()
    daily: frozenset[Daily] = frozenset()
    minutes: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Normal:
    """What is normal over [starts, ends), beside what the steps say to expect."""

    key: str
    starts: timedelta
    ends: timedelta


@dataclass(frozen=True, slots=True)
class OnLogging:
    """Due when the treatment is logged."""


@dataclass(frozen=True, slots=True)
class AfterLogging:
    """Useful until so long after the treatment was logged."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class DaysAfterDue:
    """Useful until so many local days after it was planned, at the same local time."""

    days: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """How to tell a gate that falls in quiet hours: once, that evening at `at`,
    if that is at least `at_least` after the treatment; otherwise the handover states it."""

    at: time
    at_least: timedelta


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """When a message is planned, until when it is useful, and for whom.

    `gate` is the moment its words speak of: while it lies ahead, the words state its clock time.
    `log_by`: not sent when the treatment was logged later than that after it ended.
    """

    key: str
    kinds: frozenset[ReminderKind]
    due: Moment | OnLogging
    not_after: Moment | AfterLogging | DaysAfterDue
    consent: ConsentScope
    facts: tuple[str, ...]
    gate: Elapsed | None = None
    ahead: Ahead | None = None
    log_by: timedelta | None = None
    sessions: frozenset[Session] = frozenset(Session)

    @property
    def permits(self) -> bool:
        return ReminderKind.PERMIT in self.kinds

    @property
    def is_handover(self) -> bool:
        return isinstance(self.due, OnLogging)


@dataclass(frozen=True, slots=True)
class Tier:
    """One row of the safety table: what to do about any of its signs. Highest first."""

    action: TierAction
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Likely:
    """Over [starts, ends) after treatment this sign is among the likeliest of its tier."""

    sign: str
    starts: timedelta
    ends: timedelta | None


@dataclass(frozen=True, slots=True)
class Series:
    """The usual plan: `first` sessions a `every` months apart, then one each `maintenance`."""

    first: int
    every: Calendar
    maintenance: Calendar


@dataclass(frozen=True, slots=True)
class StepText:
    """`then` is what is said at the step's end, where something else takes over; `task` names it
    in the day's list, where that already says when."""

    title: str
    text: str
    then: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class PhaseText:
    title: str
    span: str
    opening: str


@dataclass(frozen=True, slots=True)
class MessageText:
    """The words of one reminder; neutral unless the patient chose detailed wording."""

    sms: str
    sms_detailed: str
    subject: str
    email: str
    email_detailed: str


@dataclass(frozen=True, slots=True)
class ReminderText:
    """`ahead` is said instead of `plain` while the rule's gate is still ahead."""

    name: str
    plain: MessageText
    ahead: MessageText | None


@dataclass(frozen=True, slots=True)
class TierText:
    heading: str
    instruction: str


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text of a protocol in one language."""

    name: str
    phases: Mapping[str, PhaseText]
    steps: Mapping[str, StepText]
    normals: Mapping[str, str]
    reminders: Mapping[str, ReminderText]
    tiers: Mapping[str, TierText]
    signs: Mapping[str, str]
    series: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Review:
    """What a clinician has still to read: the texts of a language, or the `signs` of the safety
    table; `waits_for` says it in words for the staff."""

    of: str
    waits_for: str


@dataclass(frozen=True, slots=True)
class Protocol:
    key: str
    facts: tuple[str, ...]
    phases: tuple[Phase, ...]
    steps: tuple[Step, ...]
    normals: tuple[Normal, ...]
    reminders: tuple[ReminderRule, ...]
    tiers: tuple[Tier, ...]
    series: Series
    texts: Mapping[str, Texts] = field(repr=False)
    reviews: tuple[Review, ...] = ()
    likely: tuple[Likely, ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.texts)

    def spoken(self, wanted: str) -> str:
        """`wanted`, or the protocol's first language where it lacks that one."""
        return wanted if wanted in self.texts else self.languages[0]

    def words(self, language: str) -> Texts:
        return self.texts[self.spoken(language)]

    def likeliest_first(self, tier: Tier, after: timedelta) -> tuple[str, ...]:
        """The signs of `tier`, those first that are likeliest at `after` the treatment."""
        now = {
            one.sign
            for one in self.likely
            if one.starts <= after and (one.ends is None or after < one.ends)
        }
        return tuple(sorted(tier.signs, key=lambda sign: sign not in now))

    def rule(self, key: str) -> ReminderRule:
        return next(rule for rule in self.reminders if rule.key == key)
