"""The timeline to the second: every gate where the leaflet puts it, whatever the clocks do.

The gates stand here a second time, taken from the clinical content and not from the protocol's
file. Instants are compared in UTC: two local times of one zone compare by what the clock shows.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import patients
from patients import words
from patients.protocol import Session, StepKind
from patients.protocol_file import parse
from patients.timeline import PhaseView, State, StepView, Timeline, last_moment, recovery
from tests.reminders.oracle import DAY, HOUR, MINUTE, months_later, treatments, wall

SHIPPED = Path(patients.__file__).parent / "protocols" / "microneedling.toml"
PROTOCOL = parse(SHIPPED.read_text("utf-8"))
NEW_YORK, SECOND, START = ZoneInfo("America/New_York"), timedelta(seconds=1), timedelta(0)
# fact: from, until (elapsed). E3 counts calendar months.
GATES: dict[str, tuple[timedelta, timedelta | None]] = {
    "A1": (START, 6 * HOUR),
    "A2": (START, HOUR),
    "A3": (START, 6 * HOUR),
    "A4": (START, 6 * HOUR),
    "A5": (START, 6 * HOUR),
    "B1": (START, DAY),
    "B2": (6 * HOUR, DAY),
    "B3": (START, 2 * DAY),
    "B4": (START, None),
    "B5": (START, None),
    "D1": (DAY, 7 * DAY),
    "D2": (DAY, 7 * DAY),
    "D3": (DAY, 7 * DAY),
    "D4": (DAY, 7 * DAY),
    "D5": (START, 7 * DAY),
    "E1": (7 * DAY, None),
    "E2": (7 * DAY, None),
    "E4": (7 * DAY, None),
    "E5": (7 * DAY, None),
}
PHASES = {
    "immediately-after": (START, 6 * HOUR),
    "24-hours": (6 * HOUR, DAY),
    "days-2-7": (DAY, 7 * DAY),
    "after-one-week": (7 * DAY, None),
}
# What changes, and is therefore said to come next: also the end of the first hour (A2) and the
# hour from which Dermal Repair Cream takes the place of Rescue (B3, D2).
CHANGES = [HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY]
# One treatment before each change of New York's clocks, and a moment in the hour that comes twice.
BEFORE_SPRING = datetime(2026, 3, 8, 1, 30, tzinfo=UTC)  # 8:30 pm, and the gate at 3:30 am
BEFORE_FALL = datetime(2026, 11, 1, 0, 10, tzinfo=UTC)  # 8:10 pm, and the gate at the second 1:10
Treatment = tuple[datetime, ZoneInfo]
properties = settings(deadline=None, max_examples=250, database=None)


@st.composite
def moments_of_recovery(draw: st.DrawFn) -> tuple[datetime, ZoneInfo, datetime]:
    """A treatment and a now: any second of it, or within a second or an hour of a gate."""
    treated_at, zone = draw(treatments())
    kind = draw(st.sampled_from(["beside a gate", "near a gate", "any"]))
    if kind == "any":
        return treated_at, zone, treated_at + draw(st.integers(0, 100 * 86400)) * SECOND
    ends = [months_later(treated_at, months, zone) for months in (2, 3)]
    gate = draw(st.sampled_from([treated_at, *(treated_at + after for after in CHANGES), *ends]))
    aside = st.integers(-1, 1) if kind == "beside a gate" else st.integers(-3600, 3600)
    return treated_at, zone, max(gate + draw(aside) * SECOND, treated_at)


def seen(treated_at: datetime, zone: ZoneInfo, now: datetime, *, normal: bool = False) -> Timeline:
    return recovery(PROTOCOL, treated_at=treated_at, zone=zone, now=now, feels_normal=normal)


def steps_of(timeline: Timeline) -> dict[str, StepView]:
    return {step.fact: step for phase in timeline.phases for step in phase.steps}


def in_utc(view: StepView | PhaseView) -> tuple[datetime, datetime | None]:
    return view.starts_at.astimezone(UTC), view.ends_at and view.ends_at.astimezone(UTC)


def span_of(fact: str, treated_at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    if fact == "E3":
        return months_later(treated_at, 2, zone), months_later(treated_at, 3, zone)
    starts, ends = GATES[fact]
    return treated_at + starts, None if ends is None else treated_at + ends


def named(fact: str, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Results show two months after, and at no hour."""
    if fact == "E3":
        return words.on_date(at.astimezone(zone).date(), "en")
    return words.moment(at.astimezone(zone), now.astimezone(zone), "en")


def next_change(treated_at: datetime, zone: ZoneInfo, now: datetime) -> datetime | None:
    changes = [treated_at + after for after in CHANGES] + [months_later(treated_at, 2, zone)]
    return min((change for change in changes if change > now), default=None)


@properties
@given(treatments(), st.integers(0, 100))
def test_each_step_starts_and_ends_at_its_gate(treatment: Treatment, day: int) -> None:
    treated_at, zone = treatment
    timeline = seen(treated_at, zone, treated_at + day * DAY)
    steps = steps_of(timeline)
    assert set(steps) == {*GATES, "E3"}
    for fact, step in steps.items():
        assert in_utc(step) == span_of(fact, treated_at, zone), fact
        assert step.starts_at.tzinfo is UTC
    assert last_moment(PROTOCOL, treated_at, zone) == months_later(treated_at, 3, zone)


@settings(properties, max_examples=500)
@given(moments_of_recovery(), st.booleans())
@example((BEFORE_FALL, NEW_YORK, BEFORE_FALL + 5 * HOUR + 20 * MINUTE), False)
def test_each_step_is_done_now_next_or_later_to_the_second(
    moment: tuple[datetime, ZoneInfo, datetime], normal: bool
) -> None:
    treated_at, zone, now = moment
    following = next_change(treated_at, zone, now)
    for fact, step in steps_of(seen(treated_at, zone, now, normal=normal)).items():
        starts_at, ends_at = span_of(fact, treated_at, zone)
        if starts_at > now:
            expected = State.NEXT if starts_at == following else State.LATER
        elif fact == "E1" and not normal:
            expected = State.NEXT  # open by the clock, and waiting for the patient's word
        elif ends_at is None or now < ends_at or (fact == "D5" and not normal):
            expected = State.NOW
        else:
            expected = State.DONE
        assert step.state == expected, fact


@settings(properties, max_examples=500)
@given(moments_of_recovery())
@example((BEFORE_FALL, NEW_YORK, BEFORE_FALL + 5 * HOUR + 20 * MINUTE))
@example((BEFORE_SPRING, NEW_YORK, BEFORE_SPRING + 3 * HOUR))
def test_next_is_the_earliest_change_ahead_and_says_truly_how_far(
    moment: tuple[datetime, ZoneInfo, datetime],
) -> None:
    treated_at, zone, now = moment
    following, view = next_change(treated_at, zone, now), seen(treated_at, zone, now).next
    assert (view and view.at.astimezone(UTC)) == following
    if view and following:
        assert following > now
        assert view.away == words.in_span(following - now, "en")
        results = following == span_of("E3", treated_at, zone)[0]
        assert view.clock == named("E3" if results else "", following, now, zone)


@settings(properties, max_examples=500)
@given(moments_of_recovery())
@example((BEFORE_FALL, NEW_YORK, BEFORE_FALL + 5 * HOUR + 20 * MINUTE))
def test_phases_are_half_open_spans_of_elapsed_time(
    moment: tuple[datetime, ZoneInfo, datetime],
) -> None:
    treated_at, zone, now = moment
    timeline = seen(treated_at, zone, now)
    assert [phase.key for phase in timeline.phases] == list(PHASES)
    after, waiting = now - treated_at, State.NEXT
    for phase in timeline.phases:
        starts, ends = PHASES[phase.key]
        assert in_utc(phase) == (treated_at + starts, None if ends is None else treated_at + ends)
        if after < starts:
            expected, waiting = waiting, State.LATER
        else:
            expected = State.NOW if ends is None or after < ends else State.DONE
        assert phase.state == expected, phase.key
    assert [phase for phase in timeline.phases if phase.state is State.NOW] == [timeline.phase]


@properties
@given(moments_of_recovery(), st.booleans())
@example((BEFORE_FALL, NEW_YORK, BEFORE_FALL + 5 * HOUR + 20 * MINUTE), False)
def test_at_most_three_things_stand_under_now_and_the_rest_beside_them(
    moment: tuple[datetime, ZoneInfo, datetime], normal: bool
) -> None:
    treated_at, zone, now = moment
    timeline = seen(treated_at, zone, now, normal=normal)
    held = [*timeline.now, *timeline.also]
    assert 1 <= len(timeline.now) <= 3
    assert len(timeline.now) == 3 or not timeline.also
    assert len({step.fact for step in held}) == len(held)
    for step in held:
        starts_at, ends_at = span_of(step.fact, treated_at, zone)
        waits = step.fact == "D5" and not normal
        assert starts_at <= now, step.fact
        assert waits or ends_at is None or now < ends_at, step.fact
    forbidden = {"A4": 6 * HOUR, "B1": DAY, "D5": 7 * DAY}
    in_force = {fact for fact, ends in forbidden.items() if now - treated_at < ends}
    # "Wash your hands first" is said when "do not touch" no longer is.
    told = {step.fact for step in held if step.kind is StepKind.FORBID}
    assert told | ({"B1"} if "A4" in told else set()) == in_force | (set() if normal else {"D5"})


@properties
@given(moments_of_recovery())
def test_active_products_wait_for_the_patients_word(
    moment: tuple[datetime, ZoneInfo, datetime],
) -> None:
    treated_at, zone, now = moment
    waiting, normal = (steps_of(seen(treated_at, zone, now, normal=said)) for said in (False, True))
    over = now >= treated_at + 7 * DAY
    assert waiting["D5"].state is State.NOW
    assert waiting["E1"].state is not State.NOW
    assert waiting["E1"].state is not State.DONE
    assert normal["D5"].state is (State.DONE if over else State.NOW)
    assert (normal["E1"].state is State.NOW) == over


@properties
@given(moments_of_recovery())
@example((BEFORE_FALL, NEW_YORK, BEFORE_FALL + 5 * HOUR + 20 * MINUTE))
def test_the_words_beside_a_step_give_its_clock_time(
    moment: tuple[datetime, ZoneInfo, datetime],
) -> None:
    treated_at, zone, now = moment
    for fact, step in steps_of(seen(treated_at, zone, now)).items():
        starts_at, ends_at = span_of(fact, treated_at, zone)
        expected = ""
        if now < starts_at:
            expected = f"from {named(fact, starts_at, now, zone)}"
        elif ends_at and now < ends_at:
            expected = f"until {named(fact, ends_at, now, zone)}"
        assert step.when == expected, fact


@properties
@given(moments_of_recovery())
@example((BEFORE_FALL + 5 * HOUR, NEW_YORK, BEFORE_FALL + 5 * HOUR + 20 * MINUTE))
def test_it_is_the_same_whichever_zone_the_instants_come_in(
    moment: tuple[datetime, ZoneInfo, datetime],
) -> None:
    treated_at, zone, now = moment
    there = seen(treated_at.astimezone(zone), zone, now.astimezone(zone))
    assert there == seen(treated_at, zone, now)
    assert there.day == 1 + (wall(now, zone).date() - wall(treated_at, zone).date()).days
    assert there.after == words.span(now - treated_at, "en") + " after treatment"


def test_a_moment_before_the_treatment_counts_as_its_end() -> None:
    assert seen(BEFORE_FALL, NEW_YORK, BEFORE_FALL - DAY) == seen(
        BEFORE_FALL, NEW_YORK, BEFORE_FALL
    )


@pytest.mark.parametrize(
    ("after", "normal"),
    [
        (6 * HOUR - SECOND, "Heat, a tight feeling"),
        (6 * HOUR, "like a sunburn"),
        (DAY - SECOND, "like a sunburn"),
        (DAY, "a little puffier"),
        (2 * DAY, "Peeling from about day 3"),
        (7 * DAY - SECOND, "Peeling from about day 3"),
    ],
)
def test_what_is_normal_goes_with_the_time(after: timedelta, normal: str) -> None:
    said = seen(BEFORE_FALL, NEW_YORK, BEFORE_FALL + after).normal
    assert [text for text in said if normal in text]


@pytest.mark.parametrize(
    ("session", "said"),
    [
        ("1", "Mon, Nov 30"),
        ("2", "Mon, Nov 30"),
        ("3", "Fri, Apr 30"),
        ("maintenance", "Fri, Apr 30"),
    ],
)
def test_the_series_names_its_next_date(session: str, said: str) -> None:
    treated_at = datetime(2026, 10, 31, 16, tzinfo=UTC)
    timeline = recovery(
        PROTOCOL, treated_at=treated_at, zone=NEW_YORK, now=treated_at, session=Session(session)
    )
    assert said in timeline.series
