"""Who did not get one of the plan’s messages, why, and what to do: by cause, commonest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q

from patients.models import Clinic
from patients.models.patient import Channel
from reminders.again import DID_NOT_ARRIVE, Again, agains_of
from reminders.cells import best_of
from reminders.grid import SPAN
from reminders.models import Attempt, Reminder, State
from reminders.moments import Skip
from reminders.provider_errors import ProviderError, explain
from reminders.state_words import CHANNELS, LOOKS, SKIPPED_DO, SKIPPED_WHY, Look
from reminders.story import Way, name_of, said, ways_of

NO_WORD = ProviderError(
    "It was sent, but the phone never confirmed it.", "Call, if it matters today."
)


ON_ITS_WAY, SENT_AGAIN = "sent again, on its way", "sent again already"
SPENT = "too late to send it again"
NO_ADDRESS = {Channel.SMS: "no number", Channel.EMAIL: "no email address"}
CLOSED = {Skip.NO_CONSENT: "has not agreed to it", Skip.OPTED_OUT: "has stopped messages"}


@dataclass(frozen=True, slots=True)
class Person:
    """`closed`: by channel, why it cannot be sent that way; `note`: why by none, where the cause
    does not say it.
    """

    reminder: int
    treatment: int
    patient: int
    name: str
    when: str
    ways: tuple[Way, ...]
    closed: Mapping[str, str]
    note: str


@dataclass(frozen=True, slots=True)
class Bulk:
    """Sending it to all at once who can have it by this way; `others`: who cannot, and why."""

    way: Way
    reminders: tuple[int, ...]
    others: str

    @property
    def named(self) -> str:
        """One field, however many they are: a form of a thousand would be refused."""
        return " ".join(map(str, self.reminders))


@dataclass(frozen=True, slots=True)
class Cause:
    look: Look
    happened: str
    do: str
    people: tuple[Person, ...]
    bulks: tuple[Bulk, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """`due`: how many should have had it by now; `number`: how many of them did not get it."""

    name: str
    causes: tuple[Cause, ...]
    due: int
    number: int


def missed(clinic: Clinic, rule: str, *, now: datetime) -> Missed:
    """For the treatments of the last `SPAN`, what is due by now and was not skipped on purpose."""
    rows, repeated = _best(clinic, rule, now)
    lost = [row for row in rows if _is_missed(row)]
    agains = agains_of((row for row in lost if row.pk not in repeated), now=now)
    causes: dict[ProviderError, list[Reminder]] = {}
    for row in lost:
        causes.setdefault(_why(row), []).append(row)
    commonest = sorted(causes.items(), key=lambda one: -len(one[1]))

    def person(row: Reminder) -> Person:
        return _person(row, agains.get(row.pk), repeated.get(row.pk), now)

    return Missed(
        name=name_of(rows[0]) if rows else rule,
        causes=tuple(_cause(why, those, [*map(person, those)]) for why, those in commonest),
        due=sum(1 for row in rows if _is_missed(row) or State(row.state) not in NOT_YET),
        number=len(lost),
    )


NOT_YET = (State.PLANNED, State.SKIPPED)


def _best(clinic: Clinic, rule: str, now: datetime) -> tuple[list[Reminder], dict[int, State]]:
    """A row for each treatment; and of what was sent again the state of the last repeat."""
    rows = (
        Reminder.objects.filter(
            # One more try that is planned by itself is due in some minutes.
            Q(due_at__lte=now) | Q(again_of__isnull=False),
            rule=rule,
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
    repeated = {row.again_of_id: State(row.state) for row in rows if row.again_of_id}
    return [best_of(those)[rule] for those in by_treatment.values()], repeated


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


def _person(row: Reminder, again: Again | None, repeat: State | None, now: datetime) -> Person:
    again = again or Again()
    ways = ways_of(row, again)
    closed = {way.value: _closed(way, again, repeat) for way in Channel if way not in again.ways}
    tried = State(row.state) in DID_NOT_ARRIVE or repeat is not None
    return Person(
        reminder=row.pk,
        treatment=row.treatment_id,
        patient=row.treatment.patient_id,
        name=row.treatment.patient.full_name,
        when=f"was for {said(row.due_at, row.treatment.patient, now)}",
        ways=ways,
        closed=closed,
        note=closed[row.channel] if tried and not ways else "",
    )


def _closed(way: Channel, again: Again, repeat: State | None) -> str:
    if repeat is not None:
        return ON_ITS_WAY if repeat in (State.PLANNED, State.SENDING) else SENT_AGAIN
    why = again.closed.get(way)
    if why is Skip.NO_CONTACT:
        return NO_ADDRESS[way]
    return CLOSED[why] if why else SPENT


def _cause(why: ProviderError, rows: list[Reminder], people: list[Person]) -> Cause:
    ways = {way.channel: way for one in people for way in one.ways}
    bulks = (_bulk(way, people) for way in ways.values())
    return Cause(
        look=LOOKS[State(rows[0].state)],
        happened=why.happened,
        do=why.do,
        people=tuple(people),
        bulks=tuple(one for one in bulks if len(one.reminders) > 1),
    )


def _bulk(way: Way, people: list[Person]) -> Bulk:
    cannot = Counter(one.closed[way.channel] for one in people if way.channel in one.closed)
    reasons = ", ".join(f"{why} ({number})" for why, number in cannot.most_common())
    return Bulk(
        way=way,
        reminders=tuple(one.reminder for one in people if way.channel not in one.closed),
        others=f"Not to {cannot.total()} {CHANNELS[way.channel]}: {reasons}." if cannot else "",
    )
