"""The board: which reminder reached whom. Rows from querysets, a constant number of queries.

A row is a treatment, a column a rule of its protocol, a cell the best state that rule has reached.
It holds the treatments of the last `SPAN` and every older one that asks for a look; what ended
before is reached span by span, so that a page costs the same whatever lies behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch

from patients import words
from patients.clock import recovery_day
from patients.models import Clinic, Treatment
from reminders.asking import Asking, Found, asking
from reminders.cells import Cell, best_of, cell_of, compact
from reminders.models import Reminder
from reminders.state_words import CONCERN, EMERGENCY, URGENT, Look

PAGE = 200
SPAN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Row:
    """`zone`: if it is not the clinic's; `asks`: why it stands above the others, in a word."""

    pk: int
    name: str
    treated: str
    detail: str
    zone: str
    asks: Look | None
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that is a filter: how many treatments it leaves."""

    key: str
    label: str
    tone: str
    icon: str
    number: int

    @property
    def words(self) -> str:
        return ONE.get(self.label, self.label) if self.number == 1 else self.label


@dataclass(frozen=True, slots=True)
class Column:
    rule: str
    name: str


@dataclass(frozen=True, slots=True)
class Board:
    """`until`: it shows the span that ended then; `earlier`: where the one before it ends.

    `is_first_run`: nobody has been logged at all, so the page teaches what it will show.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    counters: tuple[Counter, ...]
    page: Page[int]
    show: str
    strangers: int
    rowless: int
    late_tasks: int
    until: date | None
    earlier: date | None
    is_first_run: bool
    patients: tuple[int, ...]

    @property
    def query(self) -> str:
        """The filter, as it stands in the address before `page=`."""
        if self.show:
            return f"show={self.show}&"
        return f"until={self.until.isoformat()}&" if self.until else ""

    @property
    def span(self) -> str:
        """Which treatments these are, in words."""
        pages = self.page
        some = pages.paginator.num_pages > 1
        shown = (
            f"{pages.start_index()} to {pages.end_index()} of {pages.paginator.count}"
            if some
            else ""
        )
        if self.show or self.earlier is None:
            return shown
        since = f"Treated since {words.on_date(self.earlier, 'en')}"
        if self.until:
            since += f", before {words.on_date(self.until, 'en')}"
        return f"{shown}. {since}" if shown else since

    @property
    def nobody(self) -> str:
        return NOBODY.get(self.show, "Nobody was treated in these weeks.")


COUNTERS = (
    ("emergencies", "emergencies", "emergency", "alarm"),
    ("concerns", "concerns open", "bad", "bang"),
    ("failed", "failed", "bad", "cross"),
    ("unknown", "unknown", "warn", "ask"),
    ("unseen", "not seen", "warn", "dots"),
    ("due", "due in 2 hours", "info", "clock"),
    ("stopped", "opted out", "plain", "dash"),
)
ONE = {"emergencies": "emergency", "concerns open": "concern open"}
NOBODY = {
    "emergencies": "Nobody has an emergency open.",
    "concerns": "No concern is open: nobody waits for an answer.",
    "failed": "Nothing has failed in the last 14 days.",
    "unknown": "Nothing is in doubt: of every message we know whether it went.",
    "unseen": "Everybody has read their page, or still has 12 hours to do so.",
    "due": "Nothing leaves in the next 2 hours.",
    "stopped": "Nobody has stopped messages in the last 14 days.",
}
KEYS = frozenset(key for key, *_ in COUNTERS)
UNSEEN = Look("Not seen", "dots", "warn", 0)


def board(
    clinic: Clinic, *, show: str, page: str, now: datetime, until: date | None = None
) -> Board:
    """The board of `clinic`; `show` is a counter's key, or anything else for everybody.

    `until`: only the span of treatments that ended before that day, the latest first.
    """
    found = asking(clinic, now=now)
    ends = datetime.combine(until, time(), clinic.tz) if until else None
    listed = list_rows(clinic, found, show=show, ends=ends, now=now)
    pages = Paginator(listed, PAGE).get_page(page)
    treatments = fetch(clinic, pages.object_list)
    columns = columns_of(treatments)
    return Board(
        columns=tuple(Column(*one) for one in columns.items()),
        rows=tuple(_row(treatment, columns, found, now) for treatment in treatments),
        counters=_counters(found),
        page=pages,
        show=show if show in KEYS else "",
        strangers=found.strangers,
        rowless=found.rowless,
        late_tasks=len(found.late_tasks),
        until=until,
        earlier=None if show in KEYS else ((ends or now) - SPAN).astimezone(clinic.tz).date(),
        is_first_run=not (listed or until) and not _has_any(clinic),
        patients=tuple(treatment.patient_id for treatment in treatments),
    )


def counters(clinic: Clinic, *, now: datetime) -> tuple[Counter, ...]:
    """The numbers alone, for a screen that must show no name."""
    return _counters(asking(clinic, now=now))


def _counters(found: Asking) -> tuple[Counter, ...]:
    """All of them, always in the same place; of emergencies only that there are some."""
    counted = (Counter(*one, number=len(found.of(one[0]))) for one in COUNTERS)
    return tuple(one for one in counted if one.number or one.key != "emergencies")


def list_rows(
    clinic: Clinic, found: Asking, *, show: str, ends: datetime | None, now: datetime
) -> list[int]:
    """The treatments of a board, in its order: of a counter, of a span, or the latest."""
    if show in KEYS:
        return _ordered(found.of(show), found)
    if ends:
        return _ordered(_span(clinic, ends - SPAN, ends), Asking())
    everybody = _span(clinic, now - SPAN, None)
    return _ordered(everybody | found.concerns | found.failed | found.unknown, found)


def _span(clinic: Clinic, begins: datetime, ends: datetime | None) -> Found:
    """The treatments that ended in [begins, ends)."""
    rows = Treatment.objects.filter(patient__clinic=clinic, voided_at=None, treated_at__gte=begins)
    if ends:
        rows = rows.filter(treated_at__lt=ends)
    return dict(rows.values_list("pk", "treated_at"))


def _has_any(clinic: Clinic) -> bool:
    return Treatment.objects.filter(patient__clinic=clinic, voided_at=None).exists()


def _ordered(rows: Found, found: Asking) -> list[int]:
    """Open concerns, emergencies before all, then failures, then what nobody has seen, then the
    rest; the latest first.
    """
    ranks = found.order()

    def place(pk: int) -> tuple[int, float, int]:
        rank = next((number for number, those in enumerate(ranks) if pk in those), len(ranks))
        return rank, -rows[pk].timestamp(), -pk

    return sorted(rows, key=place)


def fetch(clinic: Clinic, listed: Iterable[int]) -> list[Treatment]:
    """These treatments with all a row needs, in this order."""
    pks = list(listed)
    rows = (
        Treatment.objects.filter(pk__in=pks)
        .select_related("patient", "version", "reading")
        .defer("version__source")
        .prefetch_related(Prefetch("reminders", queryset=Reminder.objects.order_by("id")))
    )
    by_pk = {row.pk: row for row in rows}
    for row in by_pk.values():
        row.patient.clinic = clinic
    return [by_pk[pk] for pk in pks if pk in by_pk]


def columns_of(treatments: Iterable[Treatment]) -> dict[str, str]:
    """Rule key to name, in the protocols' order; several protocols share columns by key."""
    versions = {treatment.version_id: treatment.version for treatment in treatments}
    columns: dict[str, str] = {}
    for version in sorted(versions.values(), key=lambda one: (one.key, -one.number)):
        texts = version.protocol.words("en").reminders
        for rule in version.protocol.reminders:
            columns.setdefault(rule.key, texts[rule.key].name)
    return columns


def _row(treatment: Treatment, columns: dict[str, str], found: Asking, now: datetime) -> Row:
    patient = treatment.patient
    here = now.astimezone(patient.tz)
    best = best_of(treatment.reminders.all())
    day = recovery_day(treatment.treated_at, now, patient.tz)
    detail = (
        f"day {day}"
        if treatment.session == "maintenance"
        else f"day {day}, no. {treatment.session}"
    )
    return Row(
        pk=treatment.pk,
        name=patient.full_name,
        treated=compact(treatment.treated_at.astimezone(patient.tz), here),
        detail=detail,
        zone=f"{here:%Z}" if patient.tz.key != patient.clinic.zone else "",
        asks=_asks(treatment.pk, found),
        cells=tuple(
            cell_of(best[key], name, treatment, here) if key in best else None
            for key, name in columns.items()
        ),
    )


def _asks(pk: int, found: Asking) -> Look | None:
    asks = (
        (found.emergencies, EMERGENCY),
        (found.urgent, URGENT),
        (found.concerns, CONCERN),
        (found.unseen, UNSEEN),
    )
    return next((look for those, look in asks if pk in those), None)
