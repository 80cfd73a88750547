"""What each reminder should do, worked out from the clinical content's own words.

Nothing of the code under test is used here, nor its way of reckoning: the local clock is only
ever read (`wall`) and never set. A local time is found by looking for the instant that shows it,
quiet hours by walking along it. Also the treatments worth trying it on.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARTER = 15 * MINUTE  # every rule's time of day and every zone's clock turns on one
US_CITIES = (
    *("New_York", "Detroit", "Kentucky/Louisville", "Kentucky/Monticello"),
    *("Indiana/Indianapolis", "Indiana/Vincennes", "Indiana/Winamac", "Indiana/Marengo"),
    *("Indiana/Petersburg", "Indiana/Vevay", "Indiana/Tell_City", "Indiana/Knox"),
    *("Chicago", "Menominee", "North_Dakota/Center", "North_Dakota/New_Salem"),
    *("North_Dakota/Beulah", "Denver", "Boise", "Phoenix", "Los_Angeles", "Anchorage", "Juneau"),
    *("Sitka", "Metlakatla", "Yakutat", "Nome", "Adak", "Puerto_Rico", "St_Thomas"),
)
ZONES = (
    *(f"America/{city}" for city in US_CITIES),
    *("Pacific/Honolulu", "Pacific/Guam", "Pacific/Pago_Pago"),
    *("Europe/London", "Australia/Sydney", "Australia/Lord_Howe"),
    *("Asia/Kathmandu", "Pacific/Apia"),
)
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2104, 12, 31, tzinfo=UTC)
# Times of day on which some rule turns, for treatments and for logging.
TURNS = [
    *(time(0), time(1), time(2), time(5), time(5, 30), time(7), time(8), time(9), time(10)),
    *(time(14), time(16, 30), time(17, 30), time(18, 30), time(19), time(19, 30), time(20)),
]

PASSED, LATE, QUIET = "passed", "logged late", "quiet hours"
TOLD, NOT_THIS_SESSION, NO_HANDOVER = "told at handover", "not this session", "no handover wanted"


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the local clock shows, as a naive datetime."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def showing(clock: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the local clock shows `clock`, a naive datetime.

    If it never does, `clock` moves forward by as much as the clocks did.
    """
    as_if = clock.replace(tzinfo=UTC)
    before, after = (
        wall(as_if + away, zone).replace(tzinfo=UTC) - (as_if + away)
        for away in (-30 * HOUR, 30 * HOUR)
    )
    found = [as_if - ahead for ahead in (before, after) if wall(as_if - ahead, zone) == clock]
    return min(found) if found else showing(clock + (after - before), zone)


def is_quiet(instant: datetime, zone: ZoneInfo) -> bool:
    return not 8 <= wall(instant, zone).hour < 20


def on_local_day(instant: datetime, days_later: int, at: time, zone: ZoneInfo) -> datetime:
    day = wall(instant, zone).date() + days_later * DAY
    return showing(datetime.combine(day, at), zone)


def months_later(instant: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same local date and time some months on, or the last day of a month too short for it."""
    local = wall(instant, zone)
    year, month = local.year, local.month
    for _ in range(months):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    day = min(local.day, monthrange(year, month)[1])
    return showing(local.replace(year=year, month=month, day=day), zone)


def first_quarter(instant: datetime, holds: Callable[[datetime], bool]) -> datetime:
    """The first quarter of an hour at or after `instant` of which `holds` is true."""
    walked = last_quarter(instant)
    while walked < instant or not holds(walked):
        walked += QUARTER
    return walked


def last_quarter(instant: datetime) -> datetime:
    return instant.replace(minute=instant.minute // 15 * 15, second=0, microsecond=0)


@dataclass(frozen=True)
class Case:
    """A treatment and its logging. `now`: when it was corrected, if it was."""

    treated_at: datetime
    zone: ZoneInfo
    logged_at: datetime
    session: str = "1"
    now: datetime | None = None
    handover: bool = True
    handed_over: bool = False

    @property
    def planned_at(self) -> datetime:
        return self.now or self.logged_at

    @property
    def handover_tells(self) -> bool:
        """Whether a handover that has still to go out could say the hour."""
        return self.handover and not self.handed_over


@dataclass(frozen=True)
class Fate:
    """Due at an instant, or skipped with a reason; `gate_at`: the hour its words speak of."""

    due_at: datetime | None
    skip: str | None
    not_after: datetime
    gate_at: datetime | None = None


@dataclass
class Oracle:
    """Reads the clinical content's table, row by row, for one case."""

    case: Case
    fates: dict[str, Fate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zone, self.treated_at = self.case.zone, self.case.treated_at.astimezone(UTC)

    def foretell(self) -> dict[str, Fate]:
        t, zone, seen = self.treated_at, self.zone, self.case.session
        first_hour = self._usual(t + HOUR, t + 3 * HOUR, t + HOUR, None)
        if self.case.logged_at - t > 30 * MINUTE:
            first_hour = Fate(None, LATE, t + 3 * HOUR)
        day_2, day_2_end = (on_local_day(t, 1, time(hour), zone) for hour in (9, 20))
        day_3, day_4_end = (
            on_local_day(t, 2, time(16, 30), zone),
            on_local_day(t, 3, time(20), zone),
        )
        week = t + 7 * DAY
        nine = first_quarter(week, lambda quarter: wall(quarter, zone).time() == time(9))
        # Some months after T less some days, at 10:00.
        next_session = on_local_day(months_later(t, 1, zone), -7, time(10), zone)
        results = on_local_day(t, 70, time(10), zone)
        maintenance = on_local_day(months_later(t, 6, zone), -14, time(10), zone)
        self.fates = {
            "first-hour": first_hour,
            "cleanse": self._cleanse(t + 6 * HOUR),
            "day-2": self._usual(day_2, day_2_end, day_2, t + DAY),
            "day-3": self._usual(day_3, day_4_end, day_3, t + 2 * DAY),
            "week-1": self._usual(nine, self._days_on(nine, 3), week, week),
            "next-session": self._invite(next_session, seen in "12"),
            "results": self._usual(results, months_later(t, 3, zone), results, None),
            "maintenance": self._invite(maintenance, seen not in "12"),
        }
        self.fates = {key: self._one_a_day(fate) for key, fate in self.fates.items()}
        return {"handover": self._handover(), **self.fates}

    def _days_on(self, instant: datetime, days: int) -> datetime:
        return showing(wall(instant, self.zone) + days * DAY, self.zone)

    def _invite(self, planned: datetime, wanted: bool) -> Fate:
        fate = self._usual(planned, self._days_on(planned, 14), planned, None)
        return fate if wanted else Fate(None, NOT_THIS_SESSION, fate.not_after)

    def _usual(
        self, planned: datetime, until: datetime, compared: datetime, gate: datetime | None
    ) -> Fate:
        """Inform, check-in, invite: moved to 08:00, skipped if that is past *not after*."""
        if compared <= self.case.planned_at:
            return Fate(None, PASSED, until, gate)
        due_at = first_quarter(planned, lambda quarter: not is_quiet(quarter, self.zone))
        if not is_quiet(planned, self.zone):
            due_at = planned
        return Fate(None, QUIET, until, gate) if due_at > until else Fate(due_at, None, until, gate)

    def _cleanse(self, gate: datetime) -> Fate:
        until, now = self.treated_at + DAY, self.case.planned_at
        if gate <= now:
            return Fate(None, PASSED, until, gate)
        if not is_quiet(gate, self.zone):
            return Fate(gate, None, until, gate)
        began = last_quarter(gate)
        while is_quiet(began - QUARTER, self.zone):
            began -= QUARTER
        evening = on_local_day(began, 0, time(19, 30), self.zone)
        far_enough = evening - self.treated_at >= 2 * HOUR or not self.case.handover_tells
        if evening > now and far_enough:
            return Fate(evening, None, until, gate)
        return Fate(None, TOLD if self.case.handover_tells else QUIET, until, gate)

    def _handover(self) -> Fate:
        """Due when logged; it says the cleanse hour if nobody will say it later."""
        logged_at, cleanse = self.case.logged_at, self.fates["cleanse"]
        if not self.case.handover:
            return Fate(None, NO_HANDOVER, logged_at + DAY)
        gate_at = cleanse.gate_at if cleanse.skip == TOLD else None
        return Fate(logged_at, None, logged_at + DAY, gate_at)

    def _one_a_day(self, fate: Fate) -> Fate:
        """What meets a late handover's day goes a day on, or was told at that handover."""
        if fate.due_at is None or not self.case.handover or fate.due_at <= self.case.logged_at:
            return fate
        handed_on = wall(self.case.logged_at, self.zone).date()
        if handed_on == wall(self.treated_at, self.zone).date():
            return fate
        if wall(fate.due_at, self.zone).date() != handed_on:
            return fate
        moved = self._days_on(fate.due_at, 1)
        if moved > fate.not_after:
            return Fate(None, TOLD, fate.not_after, fate.gate_at)
        return Fate(moved, None, fate.not_after, fate.gate_at)


def most_on_a_day_after_the_first(case: Case, dues: list[datetime]) -> int:
    """The most messages on any one local day later than the treatment's."""
    days: Counter[date] = Counter(wall(due, case.zone).date() for due in dues)
    del days[wall(case.treated_at, case.zone).date()]
    return max(days.values(), default=0)


# --- treatments worth trying ---------------------------------------------------------------------


@cache
def clock_changes(key: str) -> tuple[datetime, ...]:
    """Every minute from FIRST to LAST at which the zone's clocks change, found by looking."""
    zone, found = ZoneInfo(key), []
    for number in range((LAST - FIRST).days):
        before, after = FIRST + number * DAY, FIRST + (number + 1) * DAY
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            while after - before > MINUTE:
                half = before + (after - before) // MINUTE // 2 * MINUTE
                same = half.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset()
                before, after = (half, after) if same else (before, half)
            found.append(after)
    return tuple(found)


@st.composite
def treatments(draw: st.DrawFn) -> tuple[datetime, ZoneInfo]:
    """A treated minute (UTC) and its zone: any, but more often where clocks or months turn."""
    key = draw(st.sampled_from(ZONES))
    zone = ZoneInfo(key)
    kind = draw(st.sampled_from(["any", "turn", "month end", "change", "near change", "months"]))
    changes = clock_changes(key)
    if kind in ("change", "near change", "months") and changes:
        change = draw(st.sampled_from(changes))
        if kind == "near change":
            return change + draw(st.integers(-8 * 1440, 8 * 1440)) * MINUTE, zone
        beside = draw(st.integers(-150, 150)) * MINUTE
        if kind == "change":
            gates = [timedelta(0), 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY]
            return change + beside - draw(st.sampled_from(gates)), zone
        # The clock times that the change leaves out or repeats, so many months before it.
        clock = wall(change - MINUTE, zone) + beside
        before = clock.year * 12 + clock.month - 1 - draw(st.sampled_from([2, 3]))
        year, month = before // 12, before % 12 + 1
        last = monthrange(year, month)[1]
        return showing(clock.replace(year, month, min(clock.day, last)), zone), zone
    day = FIRST.date() + draw(st.integers(1, (LAST - FIRST).days)) * DAY
    if kind == "month end":
        year, month = (
            draw(st.integers(FIRST.year, LAST.year)),
            draw(st.sampled_from([*range(1, 13), 2, 2])),
        )
        day = date(year, month, monthrange(year, month)[1]) - draw(st.integers(-1, 2)) * DAY
    minutes = draw(st.integers(0, 1439))
    if kind == "turn":
        turn = draw(st.sampled_from(TURNS))
        minutes = turn.hour * 60 + turn.minute + draw(st.integers(-1, 1))
    return showing(datetime.combine(day, time(0)) + minutes * MINUTE, zone), zone


@st.composite
def delays(draw: st.DrawFn, treated_at: datetime, zone: ZoneInfo) -> timedelta:
    """From the treatment to its logging, 0 to 30 days, mostly short or beside a boundary."""
    kind = draw(st.sampled_from(["none", "short", "gate", "clock", "any"]))
    if kind == "none":
        return timedelta(0)
    if kind == "short":
        return timedelta(seconds=draw(st.integers(0, 8 * 3600)))
    if kind == "any":
        return timedelta(seconds=draw(st.integers(0, 30 * 86400)))
    second = timedelta(seconds=draw(st.integers(-1, 1)))
    if kind == "gate":
        gates = [30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY]
        return min(draw(st.sampled_from(gates)) + second, 30 * DAY)
    days, at = draw(st.sampled_from([0, 0, 1, 1, 2, 3, 7, 8, 21, 24])), draw(st.sampled_from(TURNS))
    return max(on_local_day(treated_at, days, at, zone) + second - treated_at, timedelta(0))
