"""The board: which reminder reached whom. Rows from querysets, a constant number of queries.

A row is a treatment, a column a rule of its protocol, a cell the best state that rule has reached.
Trouble (failed, unknown, opted out) counts for `RECENT`; what is older is in the rows, but asks
for nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Case, Prefetch, Q, QuerySet, Value, When

from patients import words
from patients.clock import recovery_day
from patients.models import Clinic, Treatment
from reminders.models import Reminder, ReminderQuerySet, State
from reminders.moments import Skip
from reminders.state_words import LOOKS, SKIPPED_SHORT, Look

PAGE = 100
RECENT = timedelta(days=14)
SOON = timedelta(hours=2)
CHANGES = 1000
OUT = frozenset(State) - {State.PLANNED, State.SKIPPED}


@dataclass(frozen=True, slots=True)
class Cell:
    """`when`: a local clock time, or why it was skipped; `earlier`: sent for an earlier time."""

    column: str
    look: Look
    when: str
    channel: str
    earlier: bool


@dataclass(frozen=True, slots=True)
class Row:
    pk: int
    name: str
    treated: str
    detail: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that is a filter: how many treatments it leaves."""

    key: str
    label: str
    tone: str
    icon: str
    number: int


@dataclass(frozen=True, slots=True)
class Board:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    counters: tuple[Counter, ...]
    page: Page[Treatment]
    show: str
    concerns: int


COUNTERS = (
    ("failed", "failed", "bad", "cross"),
    ("unknown", "unknown", "warn", "ask"),
    ("due", "due in 2 hours", "info", "clock"),
    ("stopped", "opted out", "plain", "dash"),
)
KEY_OF = {State.FAILED: "failed", State.UNKNOWN: "unknown", State.SKIPPED: "stopped"}


def board(clinic: Clinic, *, show: str, page: str, now: datetime) -> Board:
    """The board of `clinic`; `show` is a counter's key, or anything else for everybody."""
    asking = _asking(clinic, now)
    treatments = Treatment.objects.filter(patient__clinic=clinic, voided_at=None)
    if show in asking:
        treatments = treatments.filter(pk__in=asking[show])
    trouble = asking["failed"] | asking["unknown"]
    rows = Paginator(_sorted(treatments, trouble), PAGE).get_page(page)
    shown = list(rows.object_list)
    for treatment in shown:
        treatment.patient.clinic = clinic
    columns = _columns(shown)
    return Board(
        columns=tuple(columns.values()),
        rows=tuple(_row(treatment, columns, now) for treatment in shown),
        counters=tuple(Counter(*one, number=len(asking[one[0]])) for one in COUNTERS),
        page=rows,
        show=show if show in asking else "",
        concerns=clinic.concerns.filter(closed_at=None).count(),
    )


def changed_since(clinic: Clinic, since: datetime) -> int:
    """For how many rows of the board something has changed after `since`, up to `CHANGES`."""
    changed = Reminder.objects.filter(state_at__gt=since).values("treatment").distinct()
    newest = list(changed.values_list("treatment", flat=True)[:CHANGES])
    mine = Treatment.objects.filter(pk__in=newest, patient__clinic=clinic, voided_at=None)
    return mine.count() if newest else 0


def _of(clinic: Clinic) -> ReminderQuerySet:
    return Reminder.objects.filter(treatment__patient__clinic=clinic, treatment__voided_at=None)


def _asking(clinic: Clinic, now: datetime) -> dict[str, set[int]]:
    """For each counter the treatments that ask for a look."""
    asking: dict[str, set[int]] = {key: set() for key, *_ in COUNTERS}
    trouble = Q(state__in=[State.FAILED, State.UNKNOWN]) | Q(skip_reason=Skip.OPTED_OUT.value)
    recent = _of(clinic).filter(trouble, state_at__gte=now - RECENT)
    for treatment, state in recent.values_list("treatment", "state"):
        asking[KEY_OF[State(state)]].add(treatment)
    # Handovers are urgent and leave at once: what is due soon are the others.
    due = _of(clinic).filter(state=State.PLANNED, urgent=False, leaves_at__lte=now + SOON)
    asking["due"].update(due.values_list("treatment", flat=True))
    return asking


def _sorted(treatments: QuerySet[Treatment], trouble: set[int]) -> QuerySet[Treatment]:
    first = Case(When(pk__in=trouble, then=0), default=1) if trouble else Value(1)
    reminders = Prefetch("reminders", queryset=Reminder.objects.order_by("id"))
    return (
        treatments.annotate(after_trouble=first)
        .select_related("patient", "version")
        .defer("version__source")
        .prefetch_related(reminders)
        .order_by("after_trouble", "-treated_at", "-id")
    )


def _columns(treatments: Iterable[Treatment]) -> dict[str, str]:
    """Rule key to name, in the protocols' order; several protocols share columns by key."""
    versions = {treatment.version_id: treatment.version for treatment in treatments}
    columns: dict[str, str] = {}
    for version in sorted(versions.values(), key=lambda one: (one.key, -one.number)):
        texts = version.protocol.words("en").reminders
        for rule in version.protocol.reminders:
            columns.setdefault(rule.key, texts[rule.key].name)
    return columns


def _row(treatment: Treatment, columns: dict[str, str], now: datetime) -> Row:
    patient = treatment.patient
    here = now.astimezone(patient.tz)
    best: dict[str, Reminder] = {}
    for reminder in treatment.reminders.all():
        kept = best.get(reminder.rule)
        if kept is None or _rank(reminder) >= _rank(kept):
            best[reminder.rule] = reminder
    day = recovery_day(treatment.treated_at, now, patient.tz)
    detail = (
        f"day {day}"
        if treatment.session == "maintenance"
        else f"day {day}, no. {treatment.session}"
    )
    if patient.tz.key != patient.clinic.zone:
        detail += f" · {here:%Z} time"
    return Row(
        pk=treatment.pk,
        name=patient.full_name,
        treated=compact(treatment.treated_at.astimezone(patient.tz), here),
        detail=detail,
        cells=tuple(
            _cell(best[key], name, treatment, here) if key in best else None
            for key, name in columns.items()
        ),
    )


def _rank(reminder: Reminder) -> int:
    return LOOKS[State(reminder.state)].rank


def _cell(reminder: Reminder, column: str, treatment: Treatment, here: datetime) -> Cell:
    state = State(reminder.state)
    if state == State.SKIPPED:
        when = SKIPPED_SHORT[Skip(reminder.skip_reason)]
    else:
        at = reminder.leaves_at if state == State.PLANNED else reminder.state_at
        when = compact(at.astimezone(here.tzinfo), here)
    return Cell(
        column=column,
        look=LOOKS[state],
        when=when,
        channel="" if state == State.SKIPPED else reminder.channel,
        earlier=state in OUT and reminder.treated_at != treatment.treated_at,
    )


def compact(at: datetime, here: datetime) -> str:
    """`3:05 pm` today, `Mon 3:05 pm` within six days, else `Dec 22 3:05 pm`, `Dec 2024`."""
    clock = words.clock(at, "en")
    days = (at.date() - here.date()).days
    if days == 0:
        return clock
    if abs(days) <= 6:
        return f"{at:%a} {clock}"
    if abs(days) <= 300:
        return f"{at:%b} {at.day} {clock}"
    return f"{at:%b} {at.day} {at:%Y}"
