"""What the patient's page says at one moment, in words ready to be placed.

Built from the recovery, the clinic's record and the words of one language; asks no database once
it has the treatment with its patient, clinic and version. Templates format nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.utils.safestring import SafeString

from patients import words
from patients.answer_words import ANSWER_WORDS, AnswerWords
from patients.keep_words import KeepWords, keep_words
from patients.models import CheckIn, Report, Treatment
from patients.on_phone import Phone, phone_of
from patients.page_answers import feels_normal, last_due, rule_asked, rule_open
from patients.page_calls import Call
from patients.page_daily import Time, daily_of
from patients.page_frame import Frame
from patients.page_help import help_of
from patients.page_path import Path, path_of
from patients.page_report import Reported, bar_of, highest, reported
from patients.page_words import PageWords
from patients.protocol import Protocol, Session
from patients.timeline import NextView, PhaseView, State, StepView, Timeline, recovery


@dataclass(frozen=True, slots=True)
class Row:
    """A step where it stands: `state` names its look, `label` and `when` say it in words.

    `until` is the part of `when` that matters while one follows the step.
    """

    icon: str
    title: str
    text: str
    state: str
    label: str
    when: str
    until: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase with its steps; `opening` is said only while it lasts."""

    title: str
    span: str
    opening: str
    state: str
    label: str
    when: str
    is_open: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Page:
    language: str
    say: PageWords
    clinic: str
    day: str
    after: str
    treated: str
    path: Path
    now: tuple[Row, ...]
    also: tuple[Row, ...]
    waiting: tuple[Row, ...]  # open as soon as the skin feels normal
    next: NextView | None
    normal: tuple[str, ...]
    stages: tuple[Stage, ...]
    series: str
    keep: KeepWords
    phone: Phone
    daily: tuple[Time, ...]
    help: SafeString  # the warning signs and whom to call
    ask: tuple[Call, ...]
    bar: Call
    local_to: str
    frame: Frame
    answers: AnswerWords
    asks: bool  # a check-in waits for its answer
    may_answer: bool  # one may be answered, asked or not
    was_read: bool
    report: Reported | None


@dataclass(frozen=True, slots=True)
class Told:
    """What the patient has told us so far: reports that are open, check-ins in their order."""

    reports: tuple[Report, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()


def told_by(treatment: Treatment, *, now: datetime) -> Told:
    """In two queries; in one before the first check-in is due, since none can be answered yet."""
    asked = last_due(treatment.version.protocol, treatment.treated_at, treatment.patient.tz, now)
    return Told(
        tuple(Report.objects.filter(treatment__patient=treatment.patient_id, closed_at=None)),
        tuple(treatment.check_ins.order_by("id")) if asked else (),
    )


def page_of(frame: Frame, told: Told | None = None) -> Page:
    """The page at the frame's moment. `told` holds what the patient has answered and reported."""
    told = told or Told()
    treatment, protocol, say = frame.treatment, frame.protocol, frame.say
    zone, fill = treatment.patient.tz, treatment.patient.clinic.words
    timeline = recovery(
        protocol,
        treated_at=treatment.treated_at,
        zone=zone,
        now=frame.now,
        language=frame.language,
        session=Session(treatment.session),
        feels_normal=feels_normal(protocol, told.check_ins),
        dated=frame.dated,
        fill=fill,
    )
    plan = _Plan(protocol, frame.language, say, frame.now.astimezone(zone), frame.dated)
    latest = highest(told.reports)
    report = reported(frame, latest) if latest else None
    holds = report is not None and report.holds
    return Page(
        language=frame.language,
        say=say,
        clinic=frame.clinic,
        day=say.day.format(day=timeline.day),
        after=timeline.after,
        treated=words.sentence(say.treated.format(treated=timeline.treated)),
        path=path_of(protocol.phases, frame.after),
        now=plan.rows(timeline.now),
        also=plan.rows(timeline.also),
        waiting=() if holds else plan.waiting(timeline),
        next=None if holds else timeline.next,
        normal=() if holds else timeline.normal,
        stages=tuple(plan.stage(phase) for phase in timeline.phases),
        series=timeline.series,
        keep=keep_words(frame.language),
        phone=phone_of(frame),
        daily=daily_of(protocol, frame.language, timeline, keep_words(frame.language)),
        help=help_of(frame),
        ask=frame.calls.ask(),
        bar=bar_of(frame, report),
        local_to=say.local_to.format(place=place_of(zone)),
        frame=frame,
        answers=ANSWER_WORDS[frame.language],
        asks=not holds and rule_asked(treatment, told.check_ins, now=frame.now) is not None,
        may_answer=rule_open(treatment, told.check_ins, now=frame.now) is not None,
        was_read=hasattr(treatment, "reading"),
        report=report,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """The steps in words; `now` is local."""

    protocol: Protocol
    language: str
    say: PageWords
    now: datetime
    dated: bool

    def rows(self, steps: Iterable[StepView]) -> tuple[Row, ...]:
        return tuple(self._row(step) for step in steps)

    def waiting(self, timeline: Timeline) -> tuple[Row, ...]:
        steps = (step for phase in timeline.phases for step in phase.steps)
        return self.rows(
            step for step in steps if step.state is State.NEXT and step.starts_at <= self.now
        )

    def stage(self, phase: PhaseView) -> Stage:
        return Stage(
            title=phase.title,
            span=phase.span,
            # An opening may speak of what is allowed: before its hour it would be followed.
            opening=phase.opening if phase.state is State.NOW else "",
            state=phase.state,
            label=self._label(phase.state),
            when=phase.when or self._ended(phase.ends_at) or self._since(phase.starts_at),
            is_open=phase.state in (State.NOW, State.NEXT),
            rows=self.rows(phase.steps),
        )

    def _row(self, step: StepView) -> Row:
        waits = step.state is State.NEXT and self._needs_normal(step)
        return Row(
            icon=step.icon,
            title=step.title,
            text=step.text,
            state=step.state,
            label=self.say.when_normal if waits else self._label(step.state),
            when=self._when(step),
            until=self._until(step),
        )

    def _label(self, state: State) -> str:
        say = self.say
        return {
            State.DONE: say.state_done,
            State.NOW: say.state_now,
            State.NEXT: say.state_next,
            State.LATER: say.state_later,
        }[state]

    def _when(self, step: StepView) -> str:
        """The step's clock time; one that waits for the skin never sounds certain."""
        if step.starts_at > self.now:
            late = self.say.not_before.format(moment=self._said(step.starts_at))
            return late if self._needs_normal(step) else step.when
        if step.state is State.DONE:
            return self._ended(step.ends_at)
        if step.state is State.NEXT:
            return ""
        return self._until(step) or self._since(step.starts_at)

    def _until(self, step: StepView) -> str:
        if step.state is not State.NOW or not self._lasts_until_normal(step):
            return step.when if step.state is State.NOW else ""
        if step.ends_at is None or step.ends_at <= self.now:
            return self.say.until_normal
        return self.say.at_least_until.format(moment=self._said(step.ends_at))

    def _since(self, at: datetime) -> str:
        return self.say.since.format(moment=self._said(at))

    def _ended(self, at: datetime | None) -> str:
        if at is None or at > self.now:
            return ""
        return self.say.ended.format(moment=self._said(at))

    def _said(self, at: datetime) -> str:
        local = at.astimezone(self.now.tzinfo)
        if self.dated:
            return words.dated(local, self.language)
        return words.moment(local, self.now, self.language)

    def _needs_normal(self, step: StepView) -> bool:
        return any(one.needs_normal for one in self.protocol.steps if one.fact == step.fact)

    def _lasts_until_normal(self, step: StepView) -> bool:
        return any(one.until_normal for one in self.protocol.steps if one.fact == step.fact)


def place_of(zone: tzinfo) -> str:
    """`Chicago` for America/Chicago."""
    return str(zone).rpartition("/")[2].replace("_", " ")
