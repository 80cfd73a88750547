"""Who did not get one of the plan’s messages, why, and what to do: by cause, commonest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from patients.models import Clinic
from reminders.again import Again, agains_of
from reminders.cells import best_of
from reminders.grid import SPAN
from reminders.models import Attempt, Reminder, State
from reminders.moments import Skip
from reminders.provider_errors import ProviderError, explain
from reminders.state_words import LOOKS, SKIPPED_DO, SKIPPED_WHY, Look
from reminders.story import Way, name_of, said, ways_of

NO_WORD = ProviderError(
    "It was sent, but the phone never confirmed it.", "Call, if it matters today."
)


@dataclass(frozen=True, slots=True)
class Person:
    reminder: int
    treatment: int
    patient: int
    name: str
    when: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """`ways`: by which channels it can be sent to everybody here at once."""

    look: Look
    happened: str
    do: str
    people: tuple[Person, ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """`due`: how many should have had it by now; `number`: how many of them did not get it."""

    name: str
    causes: tuple[Cause, ...]
    due: int
    number: int


def missed(clinic: Clinic, rule: str, *, now: datetime) -> Missed:
    """For the treatments of the last `SPAN`, what is due by now and was not skipped on purpose."""
    rows = _best(clinic, rule, now)
    lost = [row for row in rows if _is_missed(row)]
    agains = agains_of(lost, now=now)
    causes: dict[ProviderError, list[Reminder]] = {}
    for row in lost:
        causes.setdefault(_why(row), []).append(row)
    commonest = sorted(causes.items(), key=lambda one: -len(one[1]))
    return Missed(
        name=name_of(rows[0]) if rows else rule,
        causes=tuple(_cause(why, those, agains, now) for why, those in commonest),
        due=sum(1 for row in rows if _is_missed(row) or State(row.state) not in NOT_YET),
        number=len(lost),
    )


NOT_YET = (State.PLANNED, State.SKIPPED)


def _best(clinic: Clinic, rule: str, now: datetime) -> list[Reminder]:
    rows = (
        Reminder.objects.filter(
            rule=rule,
            due_at__lte=now,
            treatment__patient__clinic=clinic,
            treatment__voided_at=None,
            treatment__treated_at__gte=now - SPAN,
        )
        .select_related("treatment__patient", "treatment__version")
        .defer("treatment__version__source")
        .prefetch_related(Prefetch("attempts", queryset=Attempt.objects.order_by("pk")))
        .order_by("-treatment__treated_at", "id")
    )
    by_treatment: dict[int, list[Reminder]] = {}
    for row in rows:
        row.treatment.patient.clinic = clinic
        by_treatment.setdefault(row.treatment_id, []).append(row)
    return [best_of(those)[rule] for those in by_treatment.values()]


def _is_missed(row: Reminder) -> bool:
    state = State(row.state)
    if state is State.SKIPPED:
        return Skip(row.skip_reason) in SKIPPED_DO
    return state in (State.FAILED, State.UNKNOWN, State.NO_RECEIPT)


def _why(row: Reminder) -> ProviderError:
    state = State(row.state)
    if state is State.SKIPPED:
        reason = Skip(row.skip_reason)
        return ProviderError(SKIPPED_WHY[reason], SKIPPED_DO[reason])
    if state is State.NO_RECEIPT:
        return NO_WORD
    codes = [attempt.error_code for attempt in row.attempts.all() if attempt.error_code]
    return explain(codes[-1] if codes else "", row.channel)


def _cause(
    why: ProviderError, rows: list[Reminder], agains: dict[int, Again], now: datetime
) -> Cause:
    people = tuple(
        Person(
            reminder=row.pk,
            treatment=row.treatment_id,
            patient=row.treatment.patient_id,
            name=row.treatment.patient.full_name,
            when=f"was for {said(row.due_at, row.treatment.patient, now)}",
            ways=ways_of(row, agains.get(row.pk, Again())),
        )
        for row in rows
    )
    shared = [way for way in people[0].ways if all(way in one.ways for one in people)]
    return Cause(
        look=LOOKS[State(rows[0].state)],
        happened=why.happened,
        do=why.do,
        people=people,
        ways=tuple(shared) if len(people) > 1 else (),
    )
