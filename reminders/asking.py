"""Which treatments ask for a look, and why: the board's counters, each of them a filter.

Trouble (failed, unknown, not seen, opted out) counts for `RECENT`; what is older is in the rows,
but asks for nothing any more. An open concern asks until somebody closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import CharField, Exists, F, OuterRef, Q, Value

from patients.models import Clinic
from patients.models.answers import HOLDING_TIERS
from reminders.models import ANSWER, Concern, Reminder, ReminderQuerySet, State, Task
from reminders.moments import Skip

RECENT = timedelta(days=14)
SOON = timedelta(hours=2)
UNSEEN_AFTER = timedelta(hours=12)
EMERGENCY, PAGE_NURSE = HOLDING_TIERS
ARRIVED = (State.SENT, State.DELIVERED, State.NO_RECEIPT)
KEY_OF = {State.SKIPPED.value: "stopped"}  # of those that ask; the other keys are the states

Found = dict[int, datetime]  # treatment to the moment it ended


@dataclass(slots=True)
class Asking:
    """For each counter the treatments that ask for a look.

    `emergencies` and `urgent` are among `concerns`: the patient ticked a sign that cannot wait.
    `strangers`: open concerns about nobody we know, which have no row. `rowless`: patients with an
    open concern and without a treatment that stands, who have none either. `late_tasks`: tasks past
    their time, by their own numbers.
    """

    emergencies: Found = field(default_factory=dict)
    urgent: Found = field(default_factory=dict)
    concerns: Found = field(default_factory=dict)
    failed: Found = field(default_factory=dict)
    unknown: Found = field(default_factory=dict)
    unseen: Found = field(default_factory=dict)
    due: Found = field(default_factory=dict)
    stopped: Found = field(default_factory=dict)
    late_tasks: Found = field(default_factory=dict)
    strangers: int = 0
    rowless: int = 0

    def of(self, key: str) -> Found:
        found: Found = getattr(self, key)
        return found

    def order(self) -> list[Found]:
        """What comes before what: a row stands with the first of these that it is in."""
        trouble = self.failed | self.unknown
        return [self.emergencies, self.urgent, self.concerns, trouble, self.unseen]


def asking(clinic: Clinic, *, now: datetime) -> Asking:
    """Two questions, however many patients there are."""
    found = Asking()
    _add_concerns(found, clinic)
    every = ("treatment", "treatment__treated_at")
    trouble = _trouble(clinic, now).values_list(*every, F("state"))
    due, unseen = (
        rows.values_list(*every, Value(key, output_field=CharField()))
        for key, rows in (("due", _due(clinic, now)), ("unseen", _unseen(clinic, now)))
    )
    late = Task.objects.filter(clinic=clinic, done_at=None, due_at__lt=now).values_list(
        "pk", "due_at", Value("late_tasks", output_field=CharField())
    )
    for pk, at, key in trouble.union(due, unseen, late, all=True):
        found.of(KEY_OF.get(key, key))[pk] = at
    return found


def _of(clinic: Clinic) -> ReminderQuerySet:
    return Reminder.objects.filter(treatment__patient__clinic=clinic, treatment__voided_at=None)


def _add_concerns(found: Asking, clinic: Clinic) -> None:
    """A concern is about a patient: it stands with the newest treatment."""
    open_ = Concern.objects.filter(clinic=clinic, closed_at=None).order_by(
        "patient__treatments__treated_at"
    )
    rows = open_.values_list(
        "patient", "patient__treatments", "patient__treatments__treated_at",
        "patient__treatments__voided_at", "report__tier",
    )  # fmt: skip
    patients: set[int] = set()
    newest: dict[int, tuple[int, datetime]] = {}
    tiers: dict[str, set[int]] = {EMERGENCY: set(), PAGE_NURSE: set()}
    for patient, treatment, treated_at, voided_at, tier in rows:
        if patient is None:
            found.strangers += 1
            continue
        patients.add(patient)
        if treatment and not voided_at:
            newest[patient] = (treatment, treated_at)
            tiers.get(tier, set()).add(patient)
    found.rowless = len(patients - newest.keys())
    found.concerns.update(newest.values())
    found.emergencies.update(newest[one] for one in tiers[EMERGENCY])
    found.urgent.update(newest[one] for one in tiers[PAGE_NURSE])


def _due(clinic: Clinic, now: datetime) -> ReminderQuerySet:
    """Handovers are urgent and leave at once: what is due soon are the others."""
    return _of(clinic).filter(state=State.PLANNED, urgent=False, leaves_at__lte=now + SOON)


def _trouble(clinic: Clinic, now: datetime) -> ReminderQuerySet:
    trouble = Q(state__in=[State.FAILED, State.UNKNOWN]) | Q(skip_reason=Skip.OPTED_OUT.value)
    return unmended(_of(clinic)).filter(trouble, state_at__gte=now - RECENT)


def unmended(rows: ReminderQuerySet) -> ReminderQuerySet:
    """Without those that went, or go, another way: they ask for nothing any more."""
    later = Reminder.objects.filter(
        treatment=OuterRef("treatment"), rule=OuterRef("rule"), pk__gt=OuterRef("pk")
    ).exclude(state__in=[State.FAILED, State.UNKNOWN, State.SKIPPED])
    return rows.filter(~Exists(later))


def _unseen(clinic: Clinic, now: datetime) -> ReminderQuerySet:
    """The handover arrived 12 hours ago or more, and nobody has pressed "I have read this"."""
    handovers = _of(clinic).filter(
        urgent=True,
        occurrence=1,
        state__in=ARRIVED,
        state_at__lte=now - UNSEEN_AFTER,
        state_at__gte=now - RECENT,
        treatment__reading=None,
    )
    return handovers.exclude(rule=ANSWER)
