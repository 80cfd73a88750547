"""The copy of the page that a phone keeps: every state the page will have, each with its moments.

All hours are said as dates, since nobody knows when it is read. The script only compares moments
(`patients.on_phone`); what stands in each state is worked out here, by the page's own code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from patients import words
from patients.clock import local_instant, recovery_day
from patients.keep_words import KeepWords, keep_words
from patients.on_phone import Phone, instant, phone_of
from patients.opening import opening
from patients.page import Page, Told, page_of
from patients.page_calls import Call, hours_of
from patients.page_frame import Frame, to_keep
from patients.timeline import turns

OLD_AFTER = timedelta(hours=12)
DAYS, HOURS_KNOWN = 120, timedelta(days=14)
AFTERS = 14  # days; from then on the day of recovery says enough


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
class After(Spell):
    text: str


@dataclass(frozen=True, slots=True)
class Answers(Spell):
    """Whom the bar calls."""

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
    afters: tuple[After, ...]
    answers: tuple[Answers, ...]


def kept_page(frame: Frame, told: Told) -> Kept:
    treatment, keep = frame.treatment, keep_words(frame.language)
    zone = treatment.patient.tz
    dated = to_keep(frame)
    page = page_of(dated, told)

    def said(at: datetime) -> str:
        return words.dated(at.astimezone(zone), frame.language)

    return Kept(
        frame=frame,
        page=page,
        keep=keep,
        phone=phone_of(frame),
        saved=keep.saved.format(moment=said(frame.now)),
        old_from=instant(frame.now + OLD_AFTER),
        treated=frame.say.treated.format(treated=said(treatment.treated_at)),
        states=tuple(_states(dated, told)),
        days=tuple(_days(frame)),
        afters=tuple(_afters(frame)),
        answers=tuple(_answers(frame, page)),
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


def _afters(frame: Frame) -> Iterator[After]:
    """How long ago the treatment was: by the hour for two days, then by the day for two weeks."""
    form = words.time_words(frame.language).after_treatment
    begun = frame.treatment.treated_at
    lengths = [timedelta(hours=hour) for hour in range(1, 48)]
    lengths += [timedelta(days=day) for day in range(2, AFTERS + 1)]
    first = After(
        instant(begun), instant(begun + lengths[0]), keep_words(frame.language).first_hour
    )
    later = (
        After(instant(begun + at), instant(begun + until), form.format(span=span))
        for at, until in pairwise(lengths)
        for span in [words.span(at, frame.language)]
    )
    now = instant(frame.now)
    return (one for one in (first, *later) if one.ends is None or one.ends > now)


def _answers(frame: Frame, page: Page) -> Iterator[Answers]:
    if page.report and page.report.holds:  # at any hour the same
        yield Answers(instant(frame.now), None, page.bar)
        return
    treatment, at = frame.treatment, frame.now
    clinic, zone = treatment.patient.clinic, treatment.patient.tz
    while at < frame.now + HOURS_KNOWN:
        found = opening(clinic.opening_hours, zone=clinic.tz, now=at)
        if found is None:
            break
        hours = hours_of(clinic, zone=zone, now=at, language=frame.language)
        bar = replace(frame.calls, hours=hours).bar
        yield Answers(instant(at), instant(found.changes_at), bar)
        at = found.changes_at
    # Later, or where no hours are known: the number that is answered at any hour.
    yield Answers(instant(at), None, frame.calls.nurse())
