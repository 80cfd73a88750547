"""The warning signs as a form, and what an open report says. Words ready to be placed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from patients import words
from patients.models import Report
from patients.models.answers import HOLDING_TIERS
from patients.opening import opening
from patients.page_calls import Call, Care
from patients.page_frame import Frame
from patients.protocol import Protocol, TierAction
from patients.report_words import REPORT_WORDS, ReportWords
from patients.signs import HIGHEST_FIRST, OTHER, UNSURE, WEAK, boxes
from patients.timeline import fill_text

FIRST = 5  # signs above "More signs" in each card
JUST_NOW = timedelta(minutes=5)  # a thank-you opened later says what is still true


@dataclass(frozen=True, slots=True)
class Box:
    """One thing to tick: `counts` names the tier it counts as, for the stylesheet."""

    key: str
    text: str
    counts: str
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One tier: `first` the likeliest, `more` the rest, `last` its catch-alls.

    Nothing of it is folded away: each sign is one tap.
    """

    care: Care
    first: tuple[Box, ...]
    more: tuple[Box, ...]
    last: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class WrongPage:
    frame: Frame
    words: ReportWords
    weak: Box
    cards: tuple[Card, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Reported:
    """An open report: what to do now, whom to call, who sees it and when."""

    words: ReportWords
    tier: str
    when: str
    signs: tuple[str, ...]
    instruction: str
    note: str
    calls: tuple[Call, ...]
    seen: str
    holds: bool  # stands in place of what is normal and what comes next


@dataclass(frozen=True, slots=True)
class SentPage:
    frame: Frame
    words: ReportWords
    report: Reported


def wrong_page(frame: Frame, *, ticked: Collection[str] = (), error: bool = False) -> WrongPage:
    say = REPORT_WORDS[frame.language]
    return WrongPage(
        frame=frame,
        words=say,
        weak=Box(WEAK, say.weak, WEAK, WEAK in ticked),
        cards=tuple(_cards(frame, say, ticked)),
        error=say.none_ticked if error else "",
    )


def _cards(frame: Frame, say: ReportWords, ticked: Collection[str]) -> Iterable[Card]:
    protocol, fill = frame.protocol, frame.treatment.patient.clinic.words
    counts, texts = boxes(protocol), protocol.words(frame.language).signs

    def box(key: str, text: str) -> Box:
        return Box(key, text, counts[key], key in ticked)

    for tier, care in zip(
        protocol.tiers, frame.calls.care(protocol, frame.language, fill), strict=True
    ):
        signs = [
            box(sign, fill_text(texts[sign], fill))
            for sign in protocol.likeliest_first(tier, frame.after)
        ]
        yield Card(
            care=care,
            first=tuple(signs[:FIRST]),
            more=tuple(signs[FIRST:]),
            last=(
                box(OTHER + tier.action, say.others[tier.action]),
                box(UNSURE + tier.action, say.unsure),
            ),
        )


def highest(reports: Iterable[Report]) -> Report | None:
    """Of these the report that says what to do now: the highest tier, of those the latest."""
    ranked = sorted(reports, key=lambda one: one.opened_at, reverse=True)
    return min(ranked, key=lambda one: HIGHEST_FIRST.index(TierAction(one.tier)), default=None)


def reported(frame: Frame, report: Report, *, just_sent: bool = False) -> Reported:
    """What stands on the page as long as the report is open: true at any later hour."""
    say, clinic = REPORT_WORDS[frame.language], frame.treatment.patient.clinic
    zone = frame.treatment.patient.tz
    tier = TierAction(report.tier)
    text = frame.protocol.words(frame.language).tiers[tier]
    local, here = report.opened_at.astimezone(zone), frame.now.astimezone(zone)
    told_at = (
        words.dated(local, frame.language)
        if frame.dated
        else words.moment(local, here, frame.language)
    )
    holds = report.tier in HOLDING_TIERS
    later = say.alerted if holds else say.read_when_open
    return Reported(
        words=say,
        tier=tier,
        when=say.you_told_us.format(moment=told_at),
        signs=signs_said(frame.protocol, report.signs, frame.language, clinic.words),
        instruction=fill_text(text.instruction, clinic.words),
        note=frame.calls.note(tier),
        calls=frame.calls.for_tier(tier),
        seen=_seen_soon(frame, say, tier, here)
        if just_sent
        else words.sentence(later.format(clinic=clinic.name, moment=told_at)),
        holds=holds,
    )


def sent_page(frame: Frame, report: Report) -> SentPage:
    just_sent = frame.now - report.opened_at < JUST_NOW
    told = reported(frame, report, just_sent=just_sent)
    return SentPage(frame, REPORT_WORDS[frame.language], told)


def reported_by(frame: Frame) -> Reported | None:
    """What the patient's open reports say to do now; one question."""
    open_ = Report.objects.filter(treatment__patient=frame.treatment.patient_id, closed_at=None)
    latest = highest(open_)
    return reported(frame, latest) if latest else None


def bar_of(frame: Frame, report: Reported | None) -> Call:
    """Whom the bar calls. While a report cannot wait, nobody but whom it says to call: what is
    under the thumb never leads elsewhere than the card above it.
    """
    return report.calls[0] if report and report.holds else frame.bar


def signs_said(
    protocol: Protocol, ticked: Iterable[str], language: str, fill: dict[str, str]
) -> tuple[str, ...]:
    """What was ticked, in words; a box that a later version dropped is left out."""
    say, texts = REPORT_WORDS[language], protocol.words(language).signs
    said = {sign: fill_text(text, fill) for sign, text in texts.items()}
    said |= {OTHER + tier: text for tier, text in say.others.items()}
    headings = protocol.words(language).tiers
    said |= {
        UNSURE + tier: f"{say.unsure} ({fill_text(headings[tier].heading, fill)} …)"
        for tier in HIGHEST_FIRST
    }
    said[WEAK] = say.weak
    return tuple(said[box] for box in ticked if box in said)


def _seen_soon(frame: Frame, say: ReportWords, tier: TierAction, here: datetime) -> str:
    """Who reads it and when, by the clinic's opening hours; said in the patient's clock."""
    clinic, urgent = frame.treatment.patient.clinic, tier in HOLDING_TIERS
    found = opening(clinic.opening_hours, zone=clinic.tz, now=frame.now)
    if found is None:
        form = say.seen_some_time_urgent if urgent else say.seen_some_time
        return form.format(clinic=clinic.name)
    at = found.changes_at.astimezone(here.tzinfo)
    if found.is_open:
        form = say.seen_now_urgent if urgent else say.seen_now
        clock = words.hour(at, frame.language)
        return words.sentence(form.format(clinic=clinic.name, clock=clock))
    form = say.seen_later_urgent if urgent else say.seen_later
    moment = words.moment(at, here, frame.language)
    return words.sentence(form.format(clinic=clinic.name, moment=moment))
