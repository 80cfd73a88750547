"""When each reminder of a plan falls due. Pure: no Django, no clock of its own.

`plan_moments` turns a protocol's rules into one planned moment each, by the timing rules of the
clinical content: permissions never before their gate, nobody texted in quiet hours, nothing sent
for a moment that had passed, at most one message a day after day 1. What will not be sent keeps
its reason. Instants are UTC; local time is used only to compute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from patients.clock import Calendar, Moment, QuietHours, local_instant
from patients.protocol import (
    AfterLogging,
    Ahead,
    DaysAfterDue,
    OnLogging,
    Protocol,
    ReminderRule,
    Session,
)


class Skip(StrEnum):
    """Why a reminder is not sent: decided when it is planned or when it is claimed."""

    PASSED = "passed"  # its moment had gone when the treatment was logged or corrected
    LOGGED_LATE = "logged late"
    QUIET_HOURS = "quiet hours"  # it would be too late once they end
    TOLD_AT_HANDOVER = "told at handover"
    NOT_THIS_SESSION = "not this session"
    NO_HANDOVER = "no handover wanted"
    NO_CONSENT = "no consent"
    NO_CONTACT = "no contact"
    OPTED_OUT = "opted out"
    LATER_TREATMENT = "later treatment"
    VOIDED = "treatment voided"
    NOT_USEFUL = "no longer useful"
    OTHER_CHANNEL = "other channel chosen"
    CONCERN_OPEN = "concern open"
    CORRECTED = "time corrected"  # a repeat of what was meant for another time


@dataclass(frozen=True, slots=True)
class Planned:
    """One rule's moment. `gate_at`: what its words must say the hour of, if still ahead then."""

    rule: str
    due_at: datetime
    not_after: datetime
    gate_at: datetime | None
    skip: Skip | None


@dataclass(frozen=True, slots=True)
class Logged:
    """What is known of a treatment when its reminders are planned. All instants aware.

    `now` is `logged_at` at first, and the moment of the correction afterwards.
    `handover`: whether one is to be sent; `handed_over`: whether it has gone out already.
    """

    treated_at: datetime
    logged_at: datetime
    now: datetime
    zone: tzinfo
    quiet: QuietHours
    session: Session
    handover: bool = True
    handed_over: bool = False


def plan_moments(protocol: Protocol, logged: Logged) -> list[Planned]:
    """One `Planned` for every rule of the protocol, in its order."""
    # Arithmetic on local times would follow the clock's face, not the hours that pass.
    logged = replace(
        logged,
        treated_at=logged.treated_at.astimezone(UTC),
        logged_at=logged.logged_at.astimezone(UTC),
        now=logged.now.astimezone(UTC),
    )
    planned = [_plan_rule(rule, logged) for rule in protocol.reminders]
    planned = [_one_a_day(one, logged) for one in planned]
    gates = [
        one.gate_at
        for rule, one in zip(protocol.reminders, planned, strict=True)
        if rule.ahead is not None and one.skip is Skip.TOLD_AT_HANDOVER and one.gate_at
    ]
    handover = next(rule.key for rule in protocol.reminders if rule.is_handover)
    return [
        replace(one, gate_at=min(gates, default=None)) if one.rule == handover else one
        for one in planned
    ]


def _plan_rule(rule: ReminderRule, logged: Logged) -> Planned:
    if isinstance(rule.due, OnLogging):
        return _plan_handover(rule, logged)
    due_at = _resolve(rule.due, logged)
    gate_at = None if rule.gate is None else _resolve(rule.gate, logged)
    planned = Planned(rule.key, due_at, _not_after(rule, due_at, logged), gate_at, None)
    if logged.session not in rule.sessions:
        return replace(planned, skip=Skip.NOT_THIS_SESSION)
    if rule.log_by is not None and logged.logged_at > logged.treated_at + rule.log_by:
        return replace(planned, skip=Skip.LOGGED_LATE)
    # The gate itself is compared with now, never the time a message was moved to.
    moment = gate_at if rule.permits and gate_at is not None else due_at
    if moment <= logged.now:
        return replace(planned, skip=Skip.PASSED)
    if not logged.quiet.covers(due_at, logged.zone):
        return planned
    if rule.ahead is not None:
        return _tell_ahead(planned, rule.ahead, logged)
    return move_out_of_quiet(planned, logged.quiet, logged.zone)


def _plan_handover(rule: ReminderRule, logged: Logged) -> Planned:
    due_at = logged.logged_at
    skip = None if logged.handover else Skip.NO_HANDOVER
    return Planned(rule.key, due_at, _not_after(rule, due_at, logged), None, skip)


def _tell_ahead(planned: Planned, ahead: Ahead, logged: Logged) -> Planned:
    """Tell a gate that falls in quiet hours once, that evening; else at the handover."""
    evening = logged.quiet.evening_of(planned.due_at, logged.zone)
    tell_at = local_instant(evening, ahead.at, logged.zone)
    handover_tells = logged.handover and not logged.handed_over
    # Once the handover has gone, an evening text close to the treatment is the only teller left.
    far_enough = tell_at - logged.treated_at >= ahead.at_least or not handover_tells
    awake = logged.now < tell_at < planned.due_at and not logged.quiet.covers(tell_at, logged.zone)
    if awake and far_enough:
        return replace(planned, due_at=tell_at)
    return replace(planned, skip=Skip.TOLD_AT_HANDOVER if handover_tells else Skip.QUIET_HOURS)


def move_out_of_quiet(planned: Planned, quiet: QuietHours, zone: tzinfo) -> Planned:
    """Move to the end of quiet hours, or skip what is no longer useful then."""
    moved = quiet.end_after(planned.due_at, zone)
    if moved > planned.not_after:
        return replace(planned, skip=Skip.QUIET_HOURS)
    return replace(planned, due_at=moved)


def _one_a_day(planned: Planned, logged: Logged) -> Planned:
    """After day 1 nobody gets two messages in a day: what meets a late handover yields to it.

    It moves to the same local time a day on where that is still useful.
    """
    if planned.skip is not None or not logged.handover or planned.due_at <= logged.logged_at:
        return planned
    handover_on = logged.logged_at.astimezone(logged.zone).date()
    late = handover_on > logged.treated_at.astimezone(logged.zone).date()
    if not late or planned.due_at.astimezone(logged.zone).date() != handover_on:
        return planned
    moved = Calendar(days=1).resolve(planned.due_at, logged.zone)
    if moved > planned.not_after:
        return replace(planned, skip=Skip.TOLD_AT_HANDOVER)
    return replace(planned, due_at=moved)


def _resolve(moment: Moment, logged: Logged) -> datetime:
    return moment.resolve(logged.treated_at, logged.zone)


def _not_after(rule: ReminderRule, due_at: datetime, logged: Logged) -> datetime:
    if isinstance(rule.not_after, DaysAfterDue):
        return Calendar(days=rule.not_after.days).resolve(due_at, logged.zone)
    if isinstance(rule.not_after, AfterLogging):
        return logged.logged_at + rule.not_after.after
    return _resolve(rule.not_after, logged)
