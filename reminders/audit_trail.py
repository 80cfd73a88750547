"""The audit trail as it is read: by patient, by colleague, by what was done; the latest first."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import Q, QuerySet

from patients.models import AuditAct, AuditMember, AuditRow, Clinic, Patient
from reminders.export import Echo, defuse

PAGE = 50
NAMED = 3  # patients of a group whose names stand in the row
CHUNK = 500
HEADS = ("When", "Who", "Role", "What", "Records", "About", "Address", "Request")
ROLES = {"patient": "the patient", "system": "the site itself", "": "nobody signed in"}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; 0 and "" for all of it. `before`: rows older than this one."""

    patient: int = 0
    user: int = 0
    act: str = ""
    before: int = 0

    @property
    def query(self) -> str:
        """As it stands in the address; numbers and our own words, never a name."""
        said = {"patient": self.patient, "user": self.user, "act": self.act}
        return "".join(f"{key}={value}&" for key, value in said.items() if value)


@dataclass(frozen=True, slots=True)
class Whom:
    pk: int
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """`more`: how many others were shown with those who are named."""

    when: str
    who: str
    role: str
    what: str
    whom: tuple[Whom, ...]
    more: int
    about: str
    address: str


@dataclass(frozen=True, slots=True)
class Trail:
    lines: tuple[Line, ...]
    earlier: int
    patients: frozenset[int]


def rows_of(clinic: Clinic, wanted: Filter) -> QuerySet[AuditRow]:
    rows = AuditRow.objects.filter(clinic=clinic)
    if wanted.patient:
        groups = AuditMember.objects.filter(patient=wanted.patient).values("group")
        rows = rows.filter(Q(patient=wanted.patient) | Q(group__in=groups))
    if wanted.user:
        rows = rows.filter(user=wanted.user)
    if wanted.act:
        rows = rows.filter(act=wanted.act)
    if wanted.before:
        rows = rows.filter(pk__lt=wanted.before)
    return rows.select_related("user").order_by("-pk")


def trail(clinic: Clinic, wanted: Filter) -> Trail:
    """One page of it, in four questions however long it is."""
    found = list(rows_of(clinic, wanted)[: PAGE + 1])
    rows, members = found[:PAGE], _members(found[:PAGE])
    named = {
        row.pk: _first(_whom(row, members), wanted.patient)[:NAMED] for row in rows
    }  # fmt: skip
    ids = frozenset(pk for those in named.values() for pk in those)
    names = {one.pk: one.full_name for one in Patient.objects.filter(pk__in=ids, clinic=clinic)}
    lines = [
        Line(
            when=f"{row.at.astimezone(clinic.tz):%b %-d, %Y, %-I:%M:%S %p}",
            who=row.user.name if row.user else ROLES.get(row.role, row.role),
            role=row.role if row.user else "",
            what=row.said,
            whom=tuple(Whom(pk, names.get(pk, "")) for pk in named[row.pk]),
            more=len(_whom(row, members)) - len(named[row.pk]),
            about=row.about,
            address=row.address,
        )
        for row in rows
    ]
    return Trail(tuple(lines), rows[-1].pk if len(found) > PAGE else 0, ids)


def csv_lines(clinic: Clinic, wanted: Filter) -> Iterator[str]:
    """All of it as a file, line by line; patients by the number of their record alone."""
    writer = csv.writer(Echo())
    yield "\ufeff"
    yield writer.writerow(HEADS)
    rows = rows_of(clinic, wanted).iterator(chunk_size=CHUNK)
    while some := list(islice(rows, CHUNK)):
        members = _members(some)
        for row in some:
            yield writer.writerow(defuse(_cells(row, members, clinic)))


def _cells(row: AuditRow, members: dict[int, list[int]], clinic: Clinic) -> Iterable[str]:
    return (
        f"{row.at.astimezone(clinic.tz):%Y-%m-%d %H:%M:%S %z}",
        row.user.name if row.user else "",
        row.role,
        row.said,
        " ".join(map(str, _whom(row, members))),
        row.about,
        row.address,
        row.request,
    )


def _members(rows: Iterable[AuditRow]) -> dict[int, list[int]]:
    groups = {row.group for row in rows if row.group is not None}
    members: dict[int, list[int]] = {}
    for group, patient in AuditMember.objects.filter(group__in=groups).values_list(
        "group", "patient"
    ):
        members.setdefault(group, []).append(patient)
    return members


def _whom(row: AuditRow, members: dict[int, list[int]]) -> list[int]:
    if row.patient_id is not None:
        return [row.patient_id]
    return sorted(members.get(row.group or 0, []))


def _first(ids: list[int], wanted: int) -> list[int]:
    """Whoever was asked for stands first."""
    return sorted(ids, key=lambda pk: pk != wanted)


def acts() -> list[tuple[str, str]]:
    return AuditAct.choices


def read_filter(typed: dict[str, str]) -> Filter:
    """From an address: what is no number, or no act of ours, asks for everything."""

    def number(key: str) -> int:
        said = typed.get(key, "")
        return int(said) if said.isascii() and said.isdecimal() and len(said) < 18 else 0

    act = typed.get("act", "")
    known = act if act in AuditAct else ""
    return Filter(number("patient"), number("user"), known, number("before"))
