"""The copy of the page that a phone keeps: every state the page will have, each with its moments.

All hours are said as dates, since nobody knows when it is read. The script only compares moments
(`patients.on_phone`); what stands in each state is worked out here, by the page's own code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from patients import words
from patients.clock import local_instant, recovery_day
from patients.keep_words import KeepWords, keep_words
from patients.on_phone import Phone, instant, phone_of
from patients.opening import opening
from patients.page import Page, Told, page_of
from patients.page_calls import Call, hours_of
from patients.page_frame import Frame
from patients.timeline import turns

OLD_AFTER = timedelta(hours=12)
DAYS, HOURS_KNOWN = 120, timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Spell:
    """What is shown from one moment until another (milliseconds; None: for good)."""

    starts: int
    ends: int | None


@dataclass(frozen=True, slots=True)
class Stand(Spell):
    page: Page


@dataclass(frozen=True, slots=True)
class Day(Spell):
    text: str
    date: str


@dataclass(frozen=True, slots=True)
class Opened(Spell):
    """Whether the clinic is open, and whom the bar calls."""

    text: str
    bar: Call


@dataclass(frozen=True, slots=True)
class Kept:
    frame: Frame
    page: Page
    keep: KeepWords
    phone: Phone
    saved: str
    old_from: int
    treated: str
    states: tuple[Stand, ...]
    days: tuple[Day, ...]
    hours: tuple[Opened, ...]


def kept_page(frame: Frame, told: Told) -> Kept:
    treatment, keep = frame.treatment, keep_words(frame.language)
    zone = treatment.patient.tz
    dated = replace(frame, dated=True)

    def said(at: datetime) -> str:
        return words.dated(at.astimezone(zone), frame.language)

    return Kept(
        frame=frame,
        page=page_of(dated, told),
        keep=keep,
        phone=phone_of(frame),
        saved=keep.saved.format(moment=said(frame.now)),
        old_from=instant(frame.now + OLD_AFTER),
        treated=frame.say.treated.format(treated=said(treatment.treated_at)),
        states=tuple(_states(dated, told)),
        days=tuple(_days(frame)),
        hours=tuple(_hours(frame)),
    )


def _states(frame: Frame, told: Told) -> Iterator[Stand]:
    treatment = frame.treatment
    ahead = turns(frame.protocol, treatment.treated_at, treatment.patient.tz)
    starts = [frame.now, *(at for at in ahead if at > frame.now)]
    ends = [*(instant(at) for at in starts[1:]), None]
    for at, until in zip(starts, ends, strict=True):
        yield Stand(instant(at), until, page_of(replace(frame, now=at), told))


def _days(frame: Frame) -> Iterator[Day]:
    """The day of recovery, from midnight to midnight where the patient is."""
    treatment, zone = frame.treatment, frame.treatment.patient.tz
    today = frame.now.astimezone(zone).date()
    first = recovery_day(treatment.treated_at, frame.now, zone)
    for ahead in range(max(1, DAYS - first)):
        day = today + timedelta(days=ahead)
        starts, ends = (local_instant(one, time(0), zone) for one in (day, day + timedelta(days=1)))
        text = frame.say.day.format(day=first + ahead)
        yield Day(instant(starts), instant(ends), text, day.isoformat())


def _hours(frame: Frame) -> Iterator[Opened]:
    clinic, at = frame.treatment.patient.clinic, frame.now
    nurse, office = frame.calls.nurse(), frame.calls.office(frame.say.call_clinic)
    zone, language = frame.treatment.patient.tz, frame.language
    while at < frame.now + HOURS_KNOWN:
        found = opening(clinic.opening_hours, zone=clinic.tz, now=at)
        if found is None:
            break
        hours = hours_of(clinic, zone=zone, now=at, language=language, dated=True)
        bar = nurse if hours.is_closed else office
        yield Opened(instant(at), instant(found.changes_at), hours.text, bar)
        at = found.changes_at
    # Later, or where no hours are known: the number that is answered at any hour.
    yield Opened(instant(at), None, "", nurse)
