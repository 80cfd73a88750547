"""Some hundred rows become patients, consents, treatments and their plans, ready to be inserted.

Nothing is saved here, so nobody waits. What is ready rests on the facts it was made from: who
saves it asks for them once more, and has it made anew if they have changed.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from patients import links
from patients.inserting import Prepared, prepare, reserve
from patients.models import Consent, ImportFile, ImportRow, Patient, Treatment
from patients.models.patient import Channel
from patients.protocol import ConsentScope, Session
from reminders.fields import gets_no_texts
from reminders.import_known import (
    Asked,
    Facts,
    Known,
    Person,
    Word,
    asked_by,
    facts_of,
    judge,
    latest_sessions,
    people_of,
)
from reminders.import_rows import Entry, Reader, RowRefused
from reminders.planning import Said, plan_new

IMPORTED = "imported"  # in place of a version of our own words: the source says which were used

Pair = tuple[Entry, Patient]


@dataclass(frozen=True, slots=True)
class Judged:
    """Some rows, all of whose people are among them: what is known of the good ones; `bad`: by the
    row's id why the others are left out.
    """

    good: list[Known]
    bad: dict[int, str]
    asked: Asked
    facts: Facts


@dataclass(frozen=True, slots=True)
class Ready:
    """`inserts` in their order; `several`: patients with more than one treatment, of which only
    the newest goes on; `touched`: every patient of these rows.
    """

    rows: list[int]
    bad: dict[int, str]
    asked: Asked
    facts: Facts
    inserts: list[Prepared]
    several: set[int]
    touched: set[int]
    patients: int
    treatments: int

    def put_on(self, pile: IO[bytes]) -> None:
        packed = zlib.compress(pickle.dumps(self), level=1)
        pile.write(len(packed).to_bytes(8))
        pile.write(packed)

    @staticmethod
    def taken_from(pile: IO[bytes]) -> Iterator[Ready]:
        """What was put on it, in that order and one at a time."""
        pile.seek(0)
        while length := pile.read(8):
            packed = pile.read(int.from_bytes(length))
            yield pickle.loads(zlib.decompress(packed))  # noqa: S301 - of this process


def judge_rows(file: ImportFile, rows: Iterable[ImportRow], reader: Reader) -> Judged:
    entries, bad, ids = [], {}, {}
    for row in rows:
        try:
            entries.append(reader.read(row.number, row.cells))
            ids[row.number] = row.pk
        except RowRefused as refused:
            bad[row.pk] = str(refused)
    asked = asked_by(entries)
    facts = facts_of(file.clinic, asked)
    known = judge(entries, facts, file.clinic)
    bad |= {ids[one.entry.number]: one.problem for one in known if one.problem}
    return Judged([one for one in known if not one.problem], bad, asked, facts)


def make_ready(file: ImportFile, rows: Sequence[ImportRow], reader: Reader) -> Ready:
    """Consent comes only with its source, and the page only with consent."""
    judged = judge_rows(file, rows, reader)
    new, pairs = _pairs(file, judged.good)
    consents, said = _consents(file, pairs, judged.facts, reader.now)
    treatments = _treatments(file, pairs, judged.facts, reader.now)
    with_page = [one for entry, one in treatments if file.handover and entry.recovery]
    without = [one for entry, one in treatments if not (file.handover and entry.recovery)]
    reminders = [
        *plan_new(with_page, said, now=reader.now, handover=True),
        *plan_new(without, said, now=reader.now, handover=False),
    ]
    made = [one for _, one in treatments]
    return Ready(
        rows=[row.pk for row in rows],
        bad=judged.bad,
        asked=judged.asked,
        facts=judged.facts,
        inserts=[one for some in (new, consents, made, reminders) for one in prepare(some)],
        several=_several(made, judged.facts),
        touched={one.pk for _, one in pairs},
        patients=len(new),
        treatments=len(made),
    )


def _pairs(file: ImportFile, rows: Iterable[Known]) -> tuple[list[Patient], list[Pair]]:
    """The new patients, and each row with its own; several rows of one person are one patient."""
    new: dict[Person, Patient] = {}
    made: list[Patient] = []
    pairs: list[Pair] = []
    for entry, patient, _ in rows:
        people = people_of(entry)
        one = patient or next((new[person] for person in people if person in new), None)
        if one is None:
            one = _patient(file, entry)
            made.append(one)
        if patient is None:
            new |= dict.fromkeys(people, one)
        pairs.append((entry, one))
    for one, pk in zip(made, reserve(Patient, len(made)), strict=True):
        one.pk = pk
    return made, pairs


def _patient(file: ImportFile, entry: Entry) -> Patient:
    by_text = entry.phone and not gets_no_texts(entry.phone)
    return Patient(
        clinic=file.clinic,
        first_name=entry.first_name,
        last_name=entry.last_name,
        phone=entry.phone,
        email=entry.email,
        channel=Channel.SMS if by_text else Channel.EMAIL,
        language=entry.language,
    )


def _consents(
    file: ImportFile, pairs: Iterable[Pair], facts: Facts, now: datetime
) -> tuple[list[Consent], Said]:
    """The words that are newer than what is known, and what all patients have then said.

    A row without a source says nothing: what the patient has said before stands.
    """
    words = dict(facts.words)
    consents = []
    for entry, patient in sorted(pairs, key=lambda pair: pair[0].said_on or date.max):
        said = {ConsentScope.RECOVERY: entry.recovery, ConsentScope.REBOOKING: entry.rebooking}
        for scope, given in said.items() if entry.source else ():
            for channel in Channel:
                place = (patient.pk, scope.value, channel.value)
                if not patient.address(channel) or not _holds(entry, given, words.get(place)):
                    continue
                words[place] = Word(given, entry.said_on or now.astimezone(file.clinic.tz).date())
                consents.append(_consent(file, entry, patient, scope, channel, given, now))
    agreed = frozenset(place for place, word in words.items() if word.given)
    return consents, Said(agreed, frozenset(facts.stopped))


def _holds(entry: Entry, given: bool, before: Word | None) -> bool:
    """Whether what the row says comes after what was said before.

    Without a day nobody knows: then a "no" ends a "yes", and no "yes" ends a "no".
    """
    if before is None:
        return True
    if entry.said_on is None:
        return before.given and not given
    return entry.said_on > before.on


def _consent(
    file: ImportFile,
    entry: Entry,
    patient: Patient,
    scope: ConsentScope,
    channel: Channel,
    given: bool,
    now: datetime,
) -> Consent:
    return Consent(
        patient=patient,
        scope=scope.value,
        channel=channel.value,
        given=given,
        wording=IMPORTED,
        how=Consent.How.IMPORT,
        source=entry.source,
        said_on=entry.said_on,
        recorded_by=file.uploaded_by,
        recorded_at=now,
    )


def _treatments(
    file: ImportFile, pairs: Iterable[Pair], facts: Facts, now: datetime
) -> list[tuple[Entry, Treatment]]:
    sessions = latest_sessions(facts)
    treatments = []
    for entry, patient in pairs:
        if entry.treated_at is None:
            continue
        series = (patient.pk, entry.protocol)
        session = sessions[series] = entry.session or _after(sessions.get(series))
        treatment = Treatment(
            patient=patient,
            version=entry.version,
            treated_at=entry.treated_at,
            session=session.value,
            practitioner=entry.practitioner,
            logged_at=now,
            logged_by=file.uploaded_by,
            form_key=entry.key,
            import_file=file,
        )
        links.prepare(treatment)
        treatments.append((entry, treatment))
    for (_, treatment), pk in zip(treatments, reserve(Treatment, len(treatments)), strict=True):
        treatment.pk = pk
    return treatments


def _after(session: Session | None) -> Session:
    order = list(Session)
    return order[min(order.index(session) + 1, len(order) - 1)] if session else Session.FIRST


def _several(treatments: Iterable[Treatment], facts: Facts) -> set[int]:
    seen = {visit.patient for visit in facts.visits}
    several = set()
    for treatment in treatments:
        if treatment.patient_id in seen:
            several.add(treatment.patient_id)
        seen.add(treatment.patient_id)
    return several
