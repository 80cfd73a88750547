"""One row of a list becomes what the desk would have typed, or the reason why it cannot.

Knows the clinic and one `now`; asks no database: who is known already is `import_known`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from patients.models import Clinic, ProtocolVersion
from patients.models.search_text import fold
from patients.protocol import Session
from reminders.fields import EMAIL_WANTED, LocalTimeField, gets_no_texts, read_phone, region_of
from reminders.treatments import (
    REFUSE_AFTER,
    TreatmentRefused,
    check_time,
    is_over,
    newest_versions,
)

NAMESPACE = uuid.UUID("5b9f4a6e-8f0c-5d35-9c3a-6d1f1b8f7a10")
DATES = {True: ("%d/%m/%Y", "%d/%m/%y"), False: ("%m/%d/%Y", "%m/%d/%y")}
CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p")
NOON = time(12)
YES, NO = ("yes", "y", "true", "1", "x", "si"), ("", "no", "n", "false", "0")
LONGEST_NAME, LONGEST_SOURCE, LONGEST_PRACTITIONER = 60, 120, 80


class RowRefused(ValueError):
    """Why this row is left out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A good row. `source` empty: no consent comes with it, whatever it says of one.

    `visited_at` is the moment that stands in it; `treated_at` the same, unless that is so long
    ago that no treatment comes of it: then only the patient and the consent do.
    `key` is the same for the same treatment in any file: it becomes the treatment's form key.
    """

    number: int
    first_name: str
    last_name: str
    phone: str
    email: str
    language: str
    visited_at: datetime | None
    treated_at: datetime | None
    version: ProtocolVersion | None
    session: Session | None
    practitioner: str
    recovery: bool
    rebooking: bool
    source: str
    said_on: date | None
    key: uuid.UUID

    @property
    def is_over(self) -> bool:
        return self.visited_at is not None and self.treated_at is None

    @property
    def name(self) -> str:
        return fold(f"{self.first_name} {self.last_name}")

    @property
    def protocol(self) -> str:
        return self.version.key if self.version else ""


class Reader:
    """Reads the rows of one file for one clinic."""

    def __init__(
        self, clinic: Clinic, columns: Mapping[str, int], *, day_first: bool, now: datetime
    ) -> None:
        self.clinic, self.columns, self.day_first, self.now = clinic, columns, day_first, now
        self.region, self.versions = region_of(clinic), newest_versions(clinic)
        self.ended = LocalTimeField()
        self.ended.zone, self.ended.now = clinic.tz, now

    @cached_property
    def protocols(self) -> dict[str, ProtocolVersion]:
        """Every way to name one: its key, and its name in each language."""
        named = {}
        for key, version in self.versions.items():
            named[fold(key)] = version
            for language in version.protocol.languages:
                named[fold(version.protocol.words(language).name)] = version
        return named

    def name_in(self, cells: Sequence[str]) -> str:
        """Whom the row is about, as `Entry.name` says it."""
        at = [self.columns.get(key, len(cells)) for key in ("first_name", "last_name")]
        return fold(" ".join(cells[one] for one in at if one < len(cells)))

    def read(self, number: int, cells: Sequence[str]) -> Entry:
        """Raises `RowRefused`."""
        row = {key: cells[at] if at < len(cells) else "" for key, at in self.columns.items()}
        names = {key: _name(row.get(key, ""), key) for key in ("first_name", "last_name")}
        phone, email = self._contact(row)
        visited_at = self._visited_at(row)
        treated_at = None if visited_at and is_over(visited_at, self.now) else visited_at
        version = self._version(row.get("protocol", "")) if treated_at else None
        source = row.get("source", "")[:LONGEST_SOURCE]
        said = [fold(f"{names['first_name']} {names['last_name']}"), phone, email]
        if treated_at and version:
            said += [version.key, treated_at.isoformat()]
        return Entry(
            number=number,
            **names,
            phone=phone,
            email=email,
            language=self._language(row.get("language", "")),
            visited_at=visited_at,
            treated_at=treated_at,
            version=version,
            session=_session(row.get("session", "")),
            practitioner=row.get("practitioner", "")[:LONGEST_PRACTITIONER],
            recovery=_yes(row.get("recovery", "")) and bool(source),
            rebooking=_yes(row.get("rebooking", "")) and bool(source),
            source=source,
            said_on=self._said_on(row.get("said_on", "")),
            key=uuid.uuid5(NAMESPACE, "|".join([str(self.clinic.pk), *said])),
        )

    def _contact(self, row: Mapping[str, str]) -> tuple[str, str]:
        phone, email = row.get("phone", ""), row.get("email", "").lower()
        try:
            phone = read_phone(phone, self.region) if phone else ""
            if email:
                validate_email(email)
        except ValidationError as error:
            raise RowRefused(EMAIL_WANTED if error.code == "invalid" else error.message) from None
        if phone and (kind := gets_no_texts(phone)) and not email:
            raise RowRefused(f"The mobile is {kind}: no text reaches it.")
        if not phone and not email:
            raise RowRefused("It has neither a mobile nor an email.")
        return phone, email

    def _visited_at(self, row: Mapping[str, str]) -> datetime | None:
        written = f"{row.get('treated_at', '')} {row.get('time', '')}".strip()
        if not written:
            return None
        try:
            visited_at = self.ended.to_python(self._local(written).isoformat())
        except ValidationError as error:
            raise RowRefused(error.messages[0]) from None
        if visited_at is None:
            raise RowRefused(f"“{written}” is no day and time we can read.")
        if not is_over(visited_at, self.now):
            try:
                check_time(visited_at, self.now)
            except TreatmentRefused as refused:
                raise RowRefused(str(refused)) from None
        return visited_at

    def _local(self, written: str) -> datetime:
        day, _, clock = written.replace("T", " ").partition(" ")
        clock = clock.strip().upper().replace(".", "")
        if (on := self._day(day)) is None:
            raise RowRefused(f"“{written}” is no day and time we can read.")
        if not clock and on < (self.now - REFUSE_AFTER).date():
            return datetime.combine(on, NOON)  # no plan counts from it
        if not clock:
            raise RowRefused(f"“{written}” has no time: the plan counts hours from it.")
        if (at := _clock(clock)) is None:
            raise RowRefused(f"“{clock.lower()}” is no time of day we can read.")
        return datetime.combine(on, at)

    def _day(self, written: str) -> date | None:
        written = written.replace(".", "/")
        found = (_parsed(written, form) for form in ("%Y-%m-%d", *DATES[self.day_first]))
        return next((one.date() for one in found if one is not None), None)

    def _said_on(self, written: str) -> date | None:
        if not written:
            return None
        if (on := self._day(written.replace("T", " ").partition(" ")[0])) is None:
            raise RowRefused(f"The day of the consent is “{written}”: we cannot read that.")
        if on > self.now.astimezone(self.clinic.tz).date():
            raise RowRefused(f"The consent is of {written}: that day is still to come.")
        return on

    def _version(self, name: str) -> ProtocolVersion:
        if not name and len(self.versions) == 1:
            return next(iter(self.versions.values()))
        if version := self.protocols.get(fold(name)):
            return version
        known = ", ".join(sorted(one.protocol.words("en").name for one in self.versions.values()))
        raise RowRefused(f"“{name}” is no treatment we have a plan for. There is: {known}.")

    def _language(self, name: str) -> str:
        wanted = {"spanish": "es", "espanol": "es", "english": "en"}.get(fold(name), fold(name))
        spoken = {code for one in self.versions.values() for code in one.protocol.languages}
        return wanted if wanted in spoken else self.clinic.default_language


def _name(written: str, key: str) -> str:
    which = "first" if key == "first_name" else "last"
    if not fold(written):
        raise RowRefused(f"The {which} name is missing.")
    if len(written) > LONGEST_NAME:
        raise RowRefused(f"The {which} name is over {LONGEST_NAME} letters long.")
    return written


def _session(written: str) -> Session | None:
    if not written:
        return None
    try:
        return Session(written.lower())
    except ValueError:
        raise RowRefused(f"The session is “{written}”: write 1, 2, 3 or maintenance.") from None


def _yes(written: str) -> bool:
    if (word := fold(written)) in YES:
        return True
    if word not in NO:
        raise RowRefused(f"“{written}” is neither yes nor no.")
    return False


def _parsed(written: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(written, form)  # noqa: DTZ007 - local, the clinic's zone comes next
    except ValueError:
        return None


def _clock(written: str) -> time | None:
    found = (_parsed(written, form) for form in CLOCKS)
    return next((one.time() for one in found if one is not None), None)
