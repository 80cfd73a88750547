"""The whole recovery on one sheet of paper: every hour as a date and a clock time.

Nothing on it depends on when it is read, so it says no "now", "today" or "in 3 hours".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.utils.safestring import SafeString

from patients import links, words
from patients.clock import Calendar, Elapsed
from patients.keep_words import KeepWords, keep_words
from patients.page import place_of
from patients.page_calls import Care, Contact
from patients.page_frame import Frame, to_keep
from patients.page_words import PageWords
from patients.protocol import Phase, Protocol, Step, StepKind
from patients.qr import code_of
from patients.timeline import fill_text, is_a_day


@dataclass(frozen=True, slots=True)
class Line:
    """A step; `when` only where it is not simply the phase's own time."""

    title: str
    text: str
    when: str


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    when: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    language: str
    say: PageWords
    keep: KeepWords
    clinic: str
    treated: str
    printed: str
    parts: tuple[Part, ...]
    care: tuple[Care, ...]
    contacts: tuple[Contact, ...]
    qr: SafeString
    local_to: str


def paper_of(frame: Frame) -> Paper:
    """The sheet of the frame's treatment, in its language."""
    treatment, protocol, language = frame.treatment, frame.protocol, frame.language
    say, keep, calls = frame.say, keep_words(language), to_keep(frame).calls
    zone, fill = treatment.patient.tz, treatment.patient.clinic.words
    sheet = _Sheet(protocol, language, treatment.treated_at, zone, say, keep, fill)
    return Paper(
        language=language,
        say=say,
        keep=keep,
        clinic=frame.clinic,
        treated=say.treated.format(treated=sheet.said(treatment.treated_at)),
        printed=keep.printed.format(moment=sheet.said(frame.now)),
        parts=tuple(sheet.part(phase) for phase in protocol.phases),
        care=calls.care(protocol, language, fill),
        contacts=calls.contacts(protocol, language, fill),
        qr=code_of(links.address_of(treatment)),
        local_to=say.local_to.format(place=place_of(zone)),
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    protocol: Protocol
    language: str
    treated_at: datetime
    zone: tzinfo
    say: PageWords
    keep: KeepWords
    fill: Mapping[str, str]

    def part(self, phase: Phase) -> Part:
        text = self.protocol.words(self.language).phases[phase.key]
        steps = (step for step in self.protocol.steps if step.phase == phase.key)
        return Part(
            fill_text(text.title, self.fill),
            self._span(self._at(Elapsed(phase.starts)), self._end_of(phase)),
            tuple(self._line(step, phase) for step in steps),
        )

    def _line(self, step: Step, phase: Phase) -> Line:
        text = self.protocol.words(self.language).steps[step.fact]
        starts, ends = self._at(step.starts), None if step.ends is None else self._at(step.ends)
        return Line(
            fill_text(text.title, self.fill),
            fill_text(text.text, self.fill),
            self._when(step, phase, starts, ends),
        )

    def _when(self, step: Step, phase: Phase, starts: datetime, ends: datetime | None) -> str:
        if step.kind is StepKind.PERMIT:
            return self.say.not_before.format(moment=self.said(starts))
        if step.until_normal and ends:
            return self.say.at_least_until.format(moment=self.said(ends))
        if ends is None:
            return "" if phase.ends is None else self.keep.on_and_on
        if ends == self._end_of(phase):
            return ""
        if starts > self.treated_at and phase.ends is None:
            return self._span(starts, ends, by_day=is_a_day(step.starts))
        return words.time_words(self.language).until_moment.format(moment=self.said(ends))

    def _span(self, starts: datetime, ends: datetime | None, *, by_day: bool = False) -> str:
        forms, said = words.time_words(self.language), self._day if by_day else self.said
        begun = forms.from_moment.format(moment=said(starts))
        if ends is None:
            return begun
        return f"{begun} {forms.until_moment.format(moment=said(ends))}"

    def _day(self, at: datetime) -> str:
        return words.the_date(at.astimezone(self.zone).date(), self.language)

    def said(self, at: datetime) -> str:
        return words.dated(at.astimezone(self.zone), self.language)

    def _end_of(self, phase: Phase) -> datetime | None:
        return None if phase.ends is None else self._at(Elapsed(phase.ends))

    def _at(self, moment: Elapsed | Calendar) -> datetime:
        return moment.resolve(self.treated_at, self.zone)
