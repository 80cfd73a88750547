"""Every reminder falls where the clinical content says, for any treatment minute in any zone."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import patients
from patients.clock import QuietHours
from patients.protocol import Session
from patients.protocol_file import parse
from reminders.moments import Logged, Planned, plan_moments
from tests.reminders import oracle
from tests.reminders.oracle import DAY, HOUR, MINUTE, Case, wall

SHIPPED = Path(patients.__file__).parent / "protocols" / "microneedling.toml"
PROTOCOL = parse(SHIPPED.read_text("utf-8"))
NEW_YORK, SECOND = ZoneInfo("America/New_York"), timedelta(seconds=1)
IN_THE_FOLD = datetime(2020, 11, 1, 5, 30, tzinfo=UTC)  # New York's clocks show that hour twice
properties = settings(deadline=None, max_examples=250, database=None)


@st.composite
def logged_cases(draw: st.DrawFn, promptly: bool = False) -> Case:
    treated_at, zone = draw(oracle.treatments())
    delay = timedelta(0) if promptly else draw(oracle.delays(treated_at, zone))
    return Case(treated_at, zone, treated_at + delay, draw(st.sampled_from(list(Session))))


@st.composite
def corrected_cases(draw: st.DrawFn) -> Case:
    """As a correction plans again: the handover has gone out, and now is later."""
    case = draw(logged_cases())
    now = case.logged_at + draw(oracle.delays(case.treated_at, case.zone))
    return replace(case, now=now, handed_over=True)


def plan(case: Case, instants_in: ZoneInfo | None = None) -> dict[str, Planned]:
    def told(instant: datetime) -> datetime:
        return instant.astimezone(instants_in or UTC)

    planned = plan_moments(
        PROTOCOL,
        Logged(
            treated_at=told(case.treated_at),
            logged_at=told(case.logged_at),
            now=told(case.planned_at),
            zone=case.zone,
            quiet=QuietHours(time(20), time(8)),
            session=Session(case.session),
            handover=case.handover,
            handed_over=case.handed_over,
        ),
    )
    return {one.rule: one for one in planned}


def sent(case: Case) -> dict[str, Planned]:
    return {key: one for key, one in plan(case).items() if one.skip is None}


def assert_as_foretold(case: Case) -> None:
    planned = plan(case)
    fates = oracle.Oracle(case).foretell()
    assert list(planned) == list(fates)
    for key, fate in fates.items():
        one = planned[key]
        due_at = one.due_at if one.skip is None else None
        found = (due_at, one.skip and str(one.skip), one.not_after)
        assert found == (fate.due_at, fate.skip, fate.not_after), key
        if fate.skip is None:
            assert one.gate_at == fate.gate_at, key


# --- what holds for every treatment --------------------------------------------------------------


@settings(properties, max_examples=600)
@given(logged_cases())
def test_every_reminder_falls_as_the_clinical_content_says(case: Case) -> None:
    assert_as_foretold(case)


@settings(properties, max_examples=400)
@given(corrected_cases())
def test_a_corrected_plan_falls_so_too_and_the_handover_that_went_tells_no_hour(case: Case) -> None:
    assert_as_foretold(case)
    assert plan(case)["cleanse"].skip in (None, "passed", "quiet hours")
    assert plan(case)["handover"].gate_at is None


@properties
@given(st.one_of(logged_cases(), corrected_cases()))
def test_without_a_handover_the_rest_falls_the_same_and_nothing_is_told_there(case: Case) -> None:
    case = replace(case, handover=False, handed_over=False)
    assert_as_foretold(case)
    assert "told at handover" not in [one.skip for one in plan(case).values()]


@properties
@given(st.one_of(logged_cases(), corrected_cases()))
@example(Case(IN_THE_FOLD, NEW_YORK, IN_THE_FOLD + 30 * MINUTE + SECOND))
def test_instants_may_be_given_in_any_zone(case: Case) -> None:
    assert plan(case, instants_in=case.zone) == plan(case)


@properties
@given(logged_cases(promptly=True))
def test_elapsed_gates_are_exact_to_the_second(case: Case) -> None:
    planned = plan(case)
    gates = {"cleanse": 6 * HOUR, "day-2": DAY, "day-3": 2 * DAY, "week-1": 7 * DAY}
    for key, after in gates.items():
        assert planned[key].gate_at == case.treated_at + after
    for key in ("first-hour", "next-session", "results", "maintenance"):
        assert planned[key].gate_at is None
    assert planned["first-hour"].not_after == case.treated_at + 3 * HOUR
    assert planned["cleanse"].not_after == case.treated_at + DAY
    assert all(one.due_at.utcoffset() == timedelta(0) for one in planned.values())


@properties
@given(logged_cases(promptly=True))
def test_calendar_moments_fall_on_their_local_day_at_their_local_time(case: Case) -> None:
    due = {key: wall(one.due_at, case.zone) for key, one in sent(case).items()}
    treated_on = wall(case.treated_at, case.zone).date()
    assert due["day-2"] == datetime.combine(treated_on + DAY, time(9))
    assert due["day-3"] == datetime.combine(treated_on + 2 * DAY, time(16, 30))
    assert due["results"] == datetime.combine(treated_on + 70 * DAY, time(10))
    months, less = (1, 7) if case.session in "12" else (6, 14)
    series = due["next-session" if case.session in "12" else "maintenance"]
    month_on = wall(oracle.months_later(case.treated_at, months, case.zone), case.zone).date()
    assert series == datetime.combine(month_on - less * DAY, time(10))
    gate = wall(case.treated_at + 7 * DAY, case.zone)
    same_day = gate.time() <= time(9)
    assert due["week-1"] == datetime.combine(gate.date() + (0 if same_day else 1) * DAY, time(9))


@settings(properties, max_examples=500)
@given(st.one_of(logged_cases(promptly=True), logged_cases(), corrected_cases()))
def test_at_most_one_message_a_day_after_day_1_and_five_in_the_first_week(case: Case) -> None:
    dues = sorted(one.due_at for one in sent(case).values())
    assert oracle.most_on_a_day_after_the_first(case, dues) <= 1
    assert sum(case.treated_at <= due < case.treated_at + 7 * DAY for due in dues) <= 5


@properties
@given(st.one_of(logged_cases(), corrected_cases()))
def test_no_permission_is_announced_before_its_gate_without_its_clock_time(case: Case) -> None:
    for key, after in (("cleanse", 6 * HOUR), ("week-1", 7 * DAY)):
        one, gate = plan(case)[key], case.treated_at + after
        assert one.skip or one.due_at >= gate or one.gate_at == gate


@properties
@given(st.one_of(logged_cases(), corrected_cases()))
def test_what_is_sent_is_due_from_now_on_outside_quiet_hours_and_while_useful(case: Case) -> None:
    for key, one in sent(case).items():
        assert one.due_at <= one.not_after
        if key != "handover":
            assert one.due_at > case.planned_at
            assert not oracle.is_quiet(one.due_at, case.zone)


# --- worked through, and both sides of each boundary ----------------------------------------------


def logged(
    clock: str, on: str = "2026-06-15", delay: timedelta = timedelta(0), session: str = "1"
) -> Case:
    """Treated in New York at a local clock time; an ordinary Monday unless said otherwise."""
    treated_at = oracle.showing(datetime.fromisoformat(f"{on} {clock}"), NEW_YORK)
    return Case(treated_at, NEW_YORK, treated_at + delay, session)


def said(case: Case, key: str) -> str:
    """Weekday and time in New York, or the reason why it is not sent."""
    one = plan(case)[key]
    return str(one.skip) if one.skip else f"{wall(one.due_at, NEW_YORK):%a %H:%M}"


def hour_told(case: Case, key: str) -> str:
    gate_at = plan(case)[key].gate_at
    return "" if gate_at is None else f"{wall(gate_at, NEW_YORK):%H:%M}"


@pytest.mark.parametrize(
    ("treated", "first_hour", "cleanse", "hour", "at_handover"),
    [
        ("08:30", "Mon 09:30", "Mon 14:30", "14:30", ""),
        ("14:05", "Mon 15:05", "Mon 19:30", "20:05", ""),
        ("17:30", "Mon 18:30", "Mon 19:30", "23:30", ""),
        ("19:50", "quiet hours", "told at handover", "01:50", "01:50"),
        # Both sides of each boundary.
        ("13:59", "Mon 14:59", "Mon 19:59", "19:59", ""),
        ("14:00", "Mon 15:00", "Mon 19:30", "20:00", ""),
        ("17:31", "Mon 18:31", "told at handover", "23:31", "23:31"),
        ("18:59", "Mon 19:59", "told at handover", "00:59", "00:59"),
        ("19:00", "quiet hours", "told at handover", "01:00", "01:00"),
        ("01:59", "quiet hours", "told at handover", "07:59", "07:59"),
        ("02:00", "quiet hours", "Mon 08:00", "08:00", ""),
        ("04:59", "quiet hours", "Mon 10:59", "10:59", ""),
        ("05:00", "Mon 08:00", "Mon 11:00", "11:00", ""),
        ("07:00", "Mon 08:00", "Mon 13:00", "13:00", ""),
    ],
)
def test_the_first_day_goes_as_worked_through(
    treated: str, first_hour: str, cleanse: str, hour: str, at_handover: str
) -> None:
    case = logged(treated)
    assert (said(case, "first-hour"), said(case, "cleanse")) == (first_hour, cleanse)
    assert (hour_told(case, "cleanse"), hour_told(case, "handover")) == (hour, at_handover)


@pytest.mark.parametrize("treated", ["08:30", "09:00", "09:01", "23:59"])
def test_week_1_is_day_8_up_to_nine_and_day_9_after(treated: str) -> None:
    day_8 = treated <= "09:00"
    assert said(logged(treated), "week-1") == ("Mon 09:00" if day_8 else "Tue 09:00")


@pytest.mark.parametrize(
    ("treated", "delay", "key", "outcome"),
    [
        ("10:00", 30 * MINUTE, "first-hour", "Mon 11:00"),
        ("10:00", 30 * MINUTE + SECOND, "first-hour", "logged late"),
        ("08:30", 6 * HOUR - SECOND, "cleanse", "Mon 14:30"),
        ("08:30", 6 * HOUR, "cleanse", "passed"),
        ("14:30", 5 * HOUR - SECOND, "cleanse", "Mon 19:30"),
        ("14:30", 5 * HOUR, "cleanse", "told at handover"),
        ("09:00", DAY - 9 * HOUR - SECOND, "day-2", "Tue 09:00"),
        ("09:00", DAY - 9 * HOUR, "day-2", "told at handover"),
        ("16:30", 2 * DAY - SECOND, "day-3", "Thu 16:30"),
        ("16:30", 2 * DAY, "day-3", "passed"),
        ("08:30", 7 * DAY - SECOND, "week-1", "Tue 09:00"),
        ("08:30", 7 * DAY, "week-1", "passed"),
        ("09:30", 7 * DAY - SECOND, "week-1", "Tue 09:00"),
        ("09:30", 7 * DAY, "week-1", "passed"),
        ("10:00", 23 * DAY, "next-session", "passed"),
        ("10:00", 23 * DAY - MINUTE, "next-session", "Thu 10:00"),
    ],
)
def test_late_logging_compares_what_was_planned_with_now(
    treated: str, delay: timedelta, key: str, outcome: str
) -> None:
    assert said(logged(treated, delay=delay), key) == outcome


@pytest.mark.parametrize("session", ["1", "2", "3", "maintenance"])
def test_invites_go_to_their_sessions_only(session: str) -> None:
    case = logged("11:00", session=session)
    outcomes = said(case, "next-session"), said(case, "maintenance")
    neither = "not this session"
    assert outcomes == (("Wed 10:00", neither) if session in "12" else (neither, "Tue 10:00"))


@pytest.mark.parametrize(
    ("on", "session", "key", "expected"),
    [
        ("2027-01-31", "1", "next-session", "2027-02-21"),
        ("2028-01-31", "1", "next-session", "2028-02-22"),
        ("2028-02-29", "1", "next-session", "2028-03-22"),
        ("2027-08-31", "3", "maintenance", "2028-02-15"),
        ("2026-08-31", "3", "maintenance", "2027-02-14"),
    ],
)
def test_months_clamp_to_their_end(on: str, session: str, key: str, expected: str) -> None:
    due_at = plan(logged("11:00", on, session=session))[key].due_at
    assert due_at == oracle.on_local_day(due_at, 0, time(10), NEW_YORK)
    assert wall(due_at, NEW_YORK).date().isoformat() == expected


@pytest.mark.parametrize(
    ("on", "hour_utc"),
    [("2026-10-31", "06:30"), ("2026-03-07", "07:30")],  # the second 1:30 am; 3:30 am, not 2:30
)
def test_six_hours_are_six_hours_while_clocks_change(on: str, hour_utc: str) -> None:
    case = logged("20:30", on)
    assert said(case, "cleanse") == "told at handover"
    assert f"{plan(case)['handover'].gate_at:%H:%M}" == hour_utc


@pytest.mark.parametrize(
    ("treated", "corrected_after", "outcome"),
    [
        ("18:30", 30 * MINUTE, "Mon 19:30"),  # nearer than two hours, and still nobody else tells
        ("18:30", HOUR - SECOND, "Mon 19:30"),
        ("18:30", HOUR, "quiet hours"),
        ("19:50", 6 * HOUR, "passed"),
    ],
)
def test_a_correction_tells_the_cleanse_hour_that_evening_while_it_can(
    treated: str, corrected_after: timedelta, outcome: str
) -> None:
    case = logged(treated)
    case = replace(case, now=case.treated_at + corrected_after, handed_over=True)
    assert said(case, "cleanse") == outcome
