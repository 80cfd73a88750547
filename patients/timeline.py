"""What recovery looks like at one moment. Pure: no Django, no clock of its own.

`recovery(protocol, treated_at, zone, now)` gives everything the patient's page says, as plain
words: templates only place them. Clock times are said in `zone`; whoever calls fills the clinic's
placeholders (`filled`). Source of every gate: the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from patients import words
from patients.clock import Calendar, Elapsed, recovery_day
from patients.protocol import Protocol, Session, Step, StepKind, Texts

NOW_AT_MOST = 3


class State(StrEnum):
    DONE = "done"
    NOW = "now"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it stands at the moment asked for; `starts_at`, `ends_at` in UTC."""

    fact: str
    kind: StepKind
    icon: str
    state: State
    starts_at: datetime
    ends_at: datetime | None
    title: str
    text: str
    when: str  # "until 8:20 pm tonight", "from 2:20 pm tomorrow", or empty


@dataclass(frozen=True, slots=True)
class PhaseView:
    key: str
    state: State
    starts_at: datetime
    ends_at: datetime | None
    title: str
    span: str
    opening: str
    when: str
    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True)
class NextView:
    """The next thing that changes: `at` in UTC, `clock` "11:00 pm tonight", `away` "in 3 hours"."""

    at: datetime
    clock: str
    away: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """`now`: at most three things to do; `also`: what else holds; `normal`: what to expect."""

    day: int
    after: str  # "3 hours after treatment"
    treated: str  # "2:20 pm today"
    phase: PhaseView
    phases: tuple[PhaseView, ...]
    now: tuple[StepView, ...]
    also: tuple[StepView, ...]
    normal: tuple[str, ...]
    next: NextView | None
    series: str


def recovery(
    protocol: Protocol,
    *,
    treated_at: datetime,
    zone: tzinfo,
    now: datetime,
    language: str = "en",
    session: Session = Session.FIRST,
    feels_normal: bool = False,
    dated: bool = False,
    fill: Mapping[str, str] | None = None,
) -> Timeline:
    """The whole timeline at `now` (a `now` before the treatment counts as its end).

    `treated_at` and `now` are aware; `fill` gives the clinic's words for the placeholders (left
    out, they stay as they are). `feels_normal`: the patient has said so; until then actives stay
    closed (fact D5) and E1 is never "now". `dated`: no hour is said as seen from `now`.
    """
    view = _Recovery(
        protocol,
        protocol.words(language),
        treated_at.astimezone(UTC),
        zone,
        max(now.astimezone(UTC), treated_at.astimezone(UTC)),
        language,
        feels_normal,
        dated,
        dict(fill or {}),
    )
    return view.timeline(session)


@dataclass(frozen=True, slots=True)
class _Recovery:
    protocol: Protocol
    texts: Texts
    treated_at: datetime
    zone: tzinfo
    now: datetime
    language: str
    feels_normal: bool
    dated: bool
    fill: dict[str, str]

    def timeline(self, session: Session) -> Timeline:
        following = self._next()
        steps = {
            step.fact: self._step(step, following)
            for step in self.protocol.steps
            if step.kind is not StepKind.CALL
        }
        phases = tuple(self._phase(index, steps) for index in range(len(self.protocol.phases)))
        phase = next((one for one in phases if one.state is State.NOW), phases[0])
        holding = self._holding(steps, phase.key)
        return Timeline(
            day=recovery_day(self.treated_at, self.now, self.zone),
            after=words.time_words(self.language).after_treatment.format(
                span=words.span(self.now - self.treated_at, self.language)
            ),
            treated=self._said(self.treated_at),
            phase=phase,
            phases=phases,
            now=holding[:NOW_AT_MOST],
            also=holding[NOW_AT_MOST:],
            normal=self._normal(steps),
            next=following,
            series=self._series(session),
        )

    # --- steps and phases ---

    def _step(self, step: Step, following: NextView | None) -> StepView:
        starts_at = self._at(step.starts)
        ends_at = None if step.ends is None else self._at(step.ends)
        text = self.texts.steps[step.fact]
        state = self._state(step, starts_at, ends_at, following)
        return StepView(
            fact=step.fact,
            kind=step.kind,
            icon=step.icon,
            state=state,
            starts_at=starts_at,
            ends_at=ends_at,
            title=self._filled(text.title),
            text=self._filled(text.text),
            when=self._when(state, step.starts, step.ends),
        )

    def _state(
        self, step: Step, starts_at: datetime, ends_at: datetime | None, following: NextView | None
    ) -> State:
        if starts_at > self.now:
            return State.NEXT if following and following.at == starts_at else State.LATER
        if step.needs_normal and not self.feels_normal:
            return State.NEXT
        if ends_at is None or ends_at > self.now:
            return State.NOW
        return State.NOW if step.until_normal and not self.feels_normal else State.DONE

    def _when(
        self, state: State, starts: Elapsed | Calendar, ends: Elapsed | Calendar | None
    ) -> str:
        forms = words.time_words(self.language)
        if self._at(starts) > self.now:
            return forms.from_moment.format(moment=self._named(starts))
        if state is State.NOW and ends is not None and self._at(ends) > self.now:
            return forms.until_moment.format(moment=self._named(ends))
        return ""

    def _phase(self, index: int, steps: Mapping[str, StepView]) -> PhaseView:
        phase = self.protocol.phases[index]
        text = self.texts.phases[phase.key]
        starts = Elapsed(phase.starts)
        ends = None if phase.ends is None else Elapsed(phase.ends)
        starts_at, ends_at = self._at(starts), None if ends is None else self._at(ends)
        state = State.NOW
        if ends_at is not None and ends_at <= self.now:
            state = State.DONE
        elif starts_at > self.now:
            before = self._at(Elapsed(self.protocol.phases[index - 1].starts))
            state = State.NEXT if before <= self.now else State.LATER
        return PhaseView(
            key=phase.key,
            state=state,
            starts_at=starts_at,
            ends_at=ends_at,
            title=self._filled(text.title),
            span=self._filled(text.span),
            opening=self._filled(text.opening),
            when=self._when(state, starts, ends),
            steps=tuple(
                steps[step.fact] for step in self.protocol.steps if step.phase == phase.key
            ),
        )

    def _holding(self, steps: Mapping[str, StepView], phase: str) -> tuple[StepView, ...]:
        """What holds now and is to be done or left, this phase's own steps first."""
        doing = {StepKind.DO, StepKind.PERMIT, StepKind.FORBID}
        in_force = [
            step
            for step in self.protocol.steps
            if step.kind in doing and steps[step.fact].state is State.NOW
        ]
        said = {step.fact for step in in_force}
        kept = [step for step in in_force if not step.yields_to & said]
        order = [one.key for one in self.protocol.phases]
        # Stable, so that within a phase the file's order holds.
        kept.sort(key=lambda step: abs(order.index(step.phase) - order.index(phase)))
        return tuple(steps[step.fact] for step in kept)

    def _normal(self, steps: Mapping[str, StepView]) -> tuple[str, ...]:
        after = self.now - self.treated_at
        expected = (
            step.text
            for step in steps.values()
            if step.kind is StepKind.EXPECT and step.state is State.NOW
        )
        usual = (
            self._filled(self.texts.normals[one.key])
            for one in self.protocol.normals
            if one.starts <= after < one.ends
        )
        return (*expected, *usual)

    # --- what comes next ---

    def _next(self) -> NextView | None:
        """The next phase, step or hand-over between steps, whichever is first."""
        changes = [(self._at(one[0]), *one) for one in self._changes()]
        ahead = [change for change in changes if change[0] > self.now]
        if not ahead:
            return None
        at, moment, _, title, text_ = min(ahead, key=lambda change: (change[0], change[2]))
        return NextView(
            at=at,
            clock=self._named(moment),
            away="" if self.dated else words.in_span(at - self.now, self.language),
            title=self._filled(title),
            text=self._filled(text_),
        )

    def _changes(self) -> Iterator[tuple[Elapsed | Calendar, int, str, str]]:
        """(when, rank, title, text): of what changes together, a permission is said first."""
        for phase in self.protocol.phases:
            phase_text = self.texts.phases[phase.key]
            yield Elapsed(phase.starts), 1, phase_text.title, phase_text.opening
        for step in self.protocol.steps:
            text = self.texts.steps[step.fact]
            rank = 0 if step.kind is StepKind.PERMIT else 2
            yield step.starts, rank, text.title, text.text
            if step.ends is not None and text.then:
                yield step.ends, 2, text.then, ""

    def _series(self, session: Session) -> str:
        series = self.protocol.series
        in_first_series = session in (Session.FIRST, Session.SECOND)
        key = "next_session" if in_first_series else "maintenance"
        at = self._at(series.every if in_first_series else series.maintenance)
        if at < self.now:
            return ""
        day = at.astimezone(self.zone).date()
        return self._filled(self.texts.series[key], date=words.on_date(day, self.language))

    # --- words ---

    def _at(self, moment: Elapsed | Calendar) -> datetime:
        """In UTC: two local times of one zone compare by the clock face, wrong in a fold."""
        return moment.resolve(self.treated_at, self.zone)

    def _named(self, moment: Elapsed | Calendar) -> str:
        at = self._at(moment)
        if is_a_day(moment):
            return words.the_date(at.astimezone(self.zone).date(), self.language)
        return self._said(at)

    def _said(self, at: datetime) -> str:
        local, now = at.astimezone(self.zone), self.now.astimezone(self.zone)
        if self.dated:
            return words.dated(local, self.language)
        return words.moment(local, now, self.language)

    def _filled(self, text: str, **more: str) -> str:
        return fill_text(text, {**self.fill, **more})


def is_a_day(moment: Elapsed | Calendar) -> bool:
    """Whether its hour means nothing: results show "2 months after", and not at 3:20 pm."""
    return isinstance(moment, Calendar) and moment.at is None


class _Kept(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def fill_text(text: str, fill: Mapping[str, str]) -> str:
    """`text` with its placeholders filled; one that `fill` lacks is left as it stands."""
    return text.format_map(_Kept(fill))


def gates(protocol: Protocol) -> dict[Elapsed | Calendar, str]:
    """Every moment after the treatment at which a step begins or gives way to another, each with
    the first fact it concerns."""
    found: dict[Elapsed | Calendar, str] = {}
    texts = protocol.words(protocol.languages[0]).steps
    for step in protocol.steps:
        if step.starts != Elapsed(timedelta()):
            found.setdefault(step.starts, step.fact)
        gives_way = step.kind is StepKind.DO and texts[step.fact].then
        if gives_way and step.ends is not None:
            found.setdefault(step.ends, step.fact)
    return found


def turns(protocol: Protocol, treated_at: datetime, zone: tzinfo) -> list[datetime]:
    """Every instant at which something on the page changes, in order, in UTC."""
    moments: list[Elapsed | Calendar] = []
    spans = [(one.starts, one.ends) for one in protocol.phases]
    spans += [(one.starts, one.ends) for one in protocol.normals]
    moments += [Elapsed(at) for span in spans for at in span if at is not None]
    for step in protocol.steps:
        moments += [at for at in (step.starts, step.ends) if at is not None]
    return sorted({moment.resolve(treated_at, zone) for moment in moments})


def last_moment(protocol: Protocol, treated_at: datetime, zone: tzinfo) -> datetime:
    """When the last step of the plan ends or, lacking an end, starts; in UTC."""
    moments = [step.ends or step.starts for step in protocol.steps]
    return max(moment.resolve(treated_at, zone) for moment in moments)
