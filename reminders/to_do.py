"""What staff have promised to do: the open tasks of a clinic, of one person, and those too late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, Subquery

from patients import words
from patients.models import StaffUser, Treatment
from reminders.models import Task

MANY = 200
ALL, MINE, LATE = "", "mine", "late"
NOTHING = {
    ALL: "Nothing is to be done. A task is given from a patient’s story.",
    MINE: "Nothing is yours to do.",
    LATE: "Nothing is late.",
}


@dataclass(frozen=True, slots=True)
class ToDo:
    """One open task; `due` on the clinic's clock; `treatment`: whose story tells the rest."""

    pk: int
    text: str
    who: str
    treatment: int | None
    owner: str
    giver: str
    due: str
    late: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A number that is a filter."""

    key: str
    words: str
    number: int
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class ToDos:
    """`more`: how many of them are not listed."""

    show: str
    filters: tuple[Filter, ...]
    tasks: tuple[ToDo, ...]
    patients: tuple[int, ...]
    more: int

    @property
    def nothing(self) -> str:
        return NOTHING[self.show]


def to_dos(user: StaffUser, *, show: str, now: datetime) -> ToDos:
    """The most pressing first, in two questions; of an unknown `show` all of them."""
    open_ = Task.objects.filter(clinic=user.clinic, done_at=None)
    which = {ALL: Q(), MINE: Q(owner=user), LATE: Q(due_at__lt=now)}
    show = show if show in which else ALL
    counted = open_.aggregate(
        all=Count("pk"), mine=Count("pk", filter=which[MINE]), late=Count("pk", filter=which[LATE])
    )
    newest = Treatment.objects.filter(patient=OuterRef("patient")).order_by(
        F("voided_at").asc(nulls_first=True), "-treated_at"
    )
    rows = (
        open_.filter(which[show])
        .select_related("patient", "owner", "made_by")
        .annotate(story=Subquery(newest.values("pk")[:1]))
        .order_by("due_at", "pk")[:MANY]
    )
    tasks = [(row, row.story) for row in rows]
    return ToDos(
        show=show,
        filters=(
            Filter(ALL, "open", counted["all"], "info", "check"),
            Filter(MINE, "mine", counted["mine"], "info", "right"),
            Filter(LATE, "late", counted["late"], "warn", "clock"),
        ),
        tasks=tuple(_to_do(row, story, user, now) for row, story in tasks),
        patients=tuple(row.patient_id for row, _ in tasks),
        more=counted[show or "all"] - len(tasks),
    )


def _to_do(row: Task, story: int | None, user: StaffUser, now: datetime) -> ToDo:
    zone = user.clinic.tz
    return ToDo(
        pk=row.pk,
        text=row.text,
        who=row.patient.full_name,
        treatment=story,
        owner="you" if row.owner_id == user.pk else row.owner.name,
        giver="" if row.made_by_id == row.owner_id else row.made_by.name,
        due=words.moment(row.due_at.astimezone(zone), now.astimezone(zone), "en"),
        late=row.due_at < now,
    )
