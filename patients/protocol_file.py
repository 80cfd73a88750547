"""Reads a protocol from its TOML text and refuses a broken one, naming the place and the reason.

Pure: text in, `Protocol` out. Nothing is guessed: an unknown key, a missing text, a placeholder
that nobody fills or a phone number inside a text is a `ProtocolError`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from patients.clock import Calendar, Elapsed, FirstClock, Moment
from patients.protocol import (
    AfterLogging,
    Ahead,
    ConsentScope,
    Daily,
    DaysAfterDue,
    Likely,
    Normal,
    OnLogging,
    Phase,
    Protocol,
    ReminderKind,
    ReminderRule,
    Review,
    Series,
    Session,
    Step,
    StepKind,
    Tier,
    TierAction,
)
from patients.protocol_table import ProtocolError, Table
from patients.protocol_texts import texts_of

SIGNS = "signs"  # the name of the safety table among what waits for a clinician


@lru_cache(maxsize=64)
def parse(source: str) -> Protocol:
    """The protocol written in `source`. Raises `ProtocolError` at the first thing that is wrong."""
    try:
        root = Table("", tomllib.loads(source))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProtocolError("", f"This is not valid TOML: {error}") from None
    phases = tuple(_phase(table) for table in root.tables("phase", "key"))
    _check_phases(phases)
    steps = tuple(_step(table) for table in root.tables("step", "fact"))
    protocol = Protocol(
        key=root.text("key"),
        facts=root.texts("facts"),
        phases=phases,
        steps=steps,
        normals=tuple(_normal(table) for table in root.tables("normal", "key")),
        reminders=tuple(_reminder(table) for table in root.tables("reminder", "key")),
        tiers=tuple(_tier(table) for table in root.tables("tier", "action")),
        series=_series(root.table("series")),
        texts={},
        # Versions published before this was known lack it.
        likely=tuple(_likely(table) for table in root.tables("likely", "sign"))
        if root.has("likely")
        else (),
    )
    _check_names(protocol)
    texts = {
        language: texts_of(root.table(language), protocol) for language in root.texts("languages")
    }
    if not texts:
        raise root.error("languages", "should name at least one language")
    reviews = root.optional("review", lambda key: _reviews(root.table(key), texts)) or ()
    root.done()
    # The texts need the structure to be checked against, hence last.
    return replace(protocol, texts=texts, reviews=reviews)


# --- structure ------------------------------------------------------------------------------------


def _phase(table: Table) -> Phase:
    phase = Phase(table.text("key"), table.span("starts"), table.optional("ends", table.span))
    table.done()
    return phase


def _check_phases(phases: tuple[Phase, ...]) -> None:
    if not phases or phases[0].starts:
        raise ProtocolError("phase", "the first phase should start at 0h")
    for one, following in pairwise(phases):
        if one.ends != following.starts or one.ends <= one.starts:
            raise ProtocolError(
                f"phase {following.key}: starts", f"should be where phase {one.key} ends"
            )
    if phases[-1].ends is not None:
        raise ProtocolError(f"phase {phases[-1].key}: ends", "the last phase has no end")


def _step(table: Table) -> Step:
    step = Step(
        fact=table.text("fact"),
        phase=table.text("phase") if table.has("phase") else "",
        kind=table.choice("kind", StepKind),
        starts=_gate(table, "starts"),
        ends=table.optional("ends", lambda key: _gate(table, key)),
        icon=table.text("icon") if table.has("icon") else "",
        needs_normal=table.flag("needs_normal"),
        until_normal=table.flag("until_normal"),
        yields_to=frozenset(table.optional("yields_to", table.texts) or ()),
        daily=table.choices("daily", Daily) if table.has("daily") else frozenset(),
        minutes=table.optional("minutes", lambda key: _minutes(table.table(key))),
    )
    table.done()
    if isinstance(step.starts, Elapsed) and isinstance(step.ends, Elapsed):
        if step.ends.after <= step.starts.after:
            raise table.error("ends", "should be later than it starts")
    return step


def _minutes(table: Table) -> tuple[int, int]:
    found = table.whole("from"), table.whole("to")
    table.done()
    if not 0 < found[0] <= found[1]:
        raise table.error("to", "should not be less than “from”, and that more than 0")
    return found


def _gate(table: Table, key: str) -> Elapsed | Calendar:
    moment = _moment(table, key)
    if isinstance(moment, FirstClock):
        raise table.error(key, "a step starts and ends at an elapsed or a calendar moment")
    return moment


def _moment(table: Table, key: str) -> Moment:
    """`"6h"`, or `{day = 2, at = "09:00"}`, `{months = 1, days = -7}`, `{first, after}`."""
    if isinstance(table.take(key), str):
        return Elapsed(table.span(key))
    inner = table.table(key)
    if inner.has("first"):
        moment: Moment = FirstClock(inner.clock("first"), Elapsed(inner.span("after")))
    elif inner.has("day"):
        moment = Calendar(days=inner.whole("day") - 1, at=inner.clock("at"))
    else:
        moment = Calendar(
            months=inner.optional("months", inner.whole) or 0,
            days=(inner.optional("days", inner.whole) or 0)
            + 7 * (inner.optional("weeks", inner.whole) or 0),
            at=inner.optional("at", inner.clock),
        )
    inner.done()
    return moment


def _normal(table: Table) -> Normal:
    normal = Normal(table.text("key"), table.span("starts"), table.span("ends"))
    table.done()
    return normal


def _reminder(table: Table) -> ReminderRule:
    gate = table.optional("gate", table.span)
    rule = ReminderRule(
        key=table.text("key"),
        kinds=table.choices("kinds", ReminderKind),
        due=_due(table),
        not_after=_not_after(table),
        consent=table.choice("consent", ConsentScope),
        facts=table.texts("facts"),
        gate=None if gate is None else Elapsed(gate),
        ahead=table.optional("ahead", lambda key: _ahead(table.table(key))),
        log_by=table.optional("log_by", table.span),
        sessions=table.choices("sessions", Session)
        if table.has("sessions")
        else frozenset(Session),
    )
    table.done()
    if rule.permits and rule.gate is None:
        raise table.error("gate", "is missing: a reminder that permits something names its gate")
    return rule


def _due(table: Table) -> Moment | OnLogging:
    if table.take("due") == "on logging":
        return OnLogging()
    return _moment(table, "due")


def _not_after(table: Table) -> Moment | AfterLogging | DaysAfterDue:
    value = table.take("not_after")
    if isinstance(value, dict) and "after_logging" in value:
        return AfterLogging(table.table("not_after").span("after_logging"))
    if isinstance(value, dict) and "days_after_due" in value:
        return DaysAfterDue(table.table("not_after").whole("days_after_due"))
    return _moment(table, "not_after")


def _ahead(table: Table) -> Ahead:
    ahead = Ahead(table.clock("at"), table.span("at_least"))
    table.done()
    return ahead


def _tier(table: Table) -> Tier:
    tier = Tier(table.choice("action", TierAction), table.texts("signs"))
    table.done()
    return tier


def _likely(table: Table) -> Likely:
    likely = Likely(table.text("sign"), table.span("starts"), table.optional("ends", table.span))
    table.done()
    return likely


def _series(table: Table) -> Series:
    series = Series(
        table.whole("first"),
        Calendar(months=table.whole("every_months")),
        Calendar(months=table.whole("maintenance_months")),
    )
    table.done()
    return series


def _check_names(protocol: Protocol) -> None:
    """Every fact has a step and every step a fact; what is referred to exists; no key twice."""
    _check_unique(protocol)
    steps = {step.fact for step in protocol.steps}
    for fact in protocol.facts:
        if fact not in steps:
            raise ProtocolError(f"step {fact}", "is missing: every fact needs its step")
    for step in protocol.steps:
        _check_step(step, protocol)
    for rule in protocol.reminders:
        for fact in set(rule.facts) - set(protocol.facts):
            raise ProtocolError(f"reminder {rule.key}: facts", f"“{fact}” is not a fact")
    if [tier.action for tier in protocol.tiers] != list(TierAction):
        raise ProtocolError("tier", f"should be, in this order: {', '.join(TierAction)}")
    signs = {sign for tier in protocol.tiers for sign in tier.signs}
    for one in protocol.likely:
        if one.sign not in signs:
            raise ProtocolError(f"likely {one.sign}: sign", "is not a sign of any tier")
    if sum(rule.is_handover for rule in protocol.reminders) != 1:
        raise ProtocolError("reminder", "exactly one should be due “on logging”")


def _check_unique(protocol: Protocol) -> None:
    for kind, keys in (
        ("fact", list(protocol.facts)),
        ("step", [step.fact for step in protocol.steps]),
        ("phase", [phase.key for phase in protocol.phases]),
        ("reminder", [rule.key for rule in protocol.reminders]),
        ("normal", [normal.key for normal in protocol.normals]),
        ("tier", [str(tier.action) for tier in protocol.tiers]),
        ("sign", [sign for tier in protocol.tiers for sign in tier.signs]),
    ):
        for key in keys:
            if keys.count(key) > 1:
                raise ProtocolError(f"{kind} {key}", "stands here twice")


def _check_step(step: Step, protocol: Protocol) -> None:
    if step.fact not in protocol.facts:
        raise ProtocolError(f"step {step.fact}", "is not in the list of facts")
    phases = {phase.key for phase in protocol.phases}
    if step.kind is not StepKind.CALL and step.phase not in phases:
        raise ProtocolError(f"step {step.fact}: phase", f"“{step.phase}” is not a phase")
    for other in step.yields_to - set(protocol.facts):
        raise ProtocolError(f"step {step.fact}: yields_to", f"“{other}” is not a fact")


def _reviews(table: Table, languages: Iterable[str]) -> tuple[Review, ...]:
    known = {SIGNS, *languages}
    found = []
    for key in table.keys():  # noqa: SIM118 - a Table is no dict
        if key not in known:
            raise table.error(key, f"is not one of: {', '.join(sorted(known))}")
        found.append(Review(key, table.text(key)))
    return tuple(found)
