"""Some hundred good rows become patients, consents, treatments and their plans, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from patients import links
from patients.inserting import insert_all
from patients.models import Consent, ImportFile, Patient, Treatment
from patients.models.patient import Channel
from patients.protocol import ConsentScope, Session
from reminders.fields import gets_no_texts
from reminders.import_known import Known, Person, people_of
from reminders.import_rows import Entry
from reminders.planning import plan_many, settle_series

IMPORTED = "imported"  # in place of a version of our own words: the source says which were used


class Saved(NamedTuple):
    patients: int
    treatments: int

    def plus(self, other: Saved) -> Saved:
        return Saved(self.patients + other.patients, self.treatments + other.treatments)


def save_rows(file: ImportFile, rows: Sequence[Known], *, now: datetime) -> Saved:
    """Within a transaction. Consent comes only with its source, and the page only with consent."""
    added = _add_patients(file, rows)
    patients = {one.entry.number: added.get(one.entry.number, one.patient) for one in rows}
    pairs = [(one.entry, patient) for one in rows if (patient := patients[one.entry.number])]
    _add_consents(file, pairs, now)
    treatments = _add_treatments(file, pairs, now)
    with_page = [one for one, entry in treatments if file.handover and entry.recovery]
    without = [one for one, entry in treatments if not (file.handover and entry.recovery)]
    plan_many(with_page, now=now, handover=True)
    plan_many(without, now=now, handover=False)
    settle_series({one.patient_id for one, _ in treatments}, now=now)
    return Saved(len(set(added.values())), len(treatments))


def _add_patients(file: ImportFile, rows: Iterable[Known]) -> dict[int, Patient]:
    """By row number: the new patients; several rows of one person are one patient."""
    new: dict[Person, Patient] = {}
    of_row: dict[int, Patient] = {}
    for entry, patient, _ in rows:
        if patient is not None:
            continue
        people = people_of(entry)
        one = next((new[person] for person in people if person in new), None) or _patient(
            file, entry
        )
        new |= dict.fromkeys(people, one)
        of_row[entry.number] = one
    Patient.objects.bulk_create(list({id(one): one for one in new.values()}.values()))
    return of_row


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


def _add_consents(file: ImportFile, pairs: Iterable[tuple[Entry, Patient]], now: datetime) -> None:
    """A row without a source says nothing: what the patient has said before stands."""
    insert_all(
        [
            Consent(
                patient=patient,
                scope=scope.value,
                channel=channel,
                given=given,
                wording=IMPORTED,
                how=Consent.How.IMPORT,
                source=entry.source,
                recorded_by=file.uploaded_by,
                recorded_at=now,
            )
            for entry, patient in pairs
            if entry.source
            for scope, given in (
                (ConsentScope.RECOVERY, entry.recovery),
                (ConsentScope.REBOOKING, entry.rebooking),
            )
            for channel in Channel
            if patient.address(channel)
        ]
    )


def _add_treatments(
    file: ImportFile, pairs: Iterable[tuple[Entry, Patient]], now: datetime
) -> list[tuple[Treatment, Entry]]:
    pairs = list(pairs)
    sessions = _latest_sessions({patient.pk for _, patient in pairs})
    treatments = []
    for entry, patient in pairs:
        if entry.treated_at is None:
            continue
        series = (patient.pk, entry.protocol)
        session = entry.session or _after(sessions.get(series))
        sessions[series] = session
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
        treatments.append((treatment, entry))
    Treatment.objects.bulk_create([treatment for treatment, _ in treatments])
    return treatments


def _latest_sessions(patients: set[int]) -> dict[tuple[int, str], Session]:
    rows = Treatment.objects.filter(patient__in=patients, voided_at=None).order_by("treated_at")
    return {
        (patient, key): Session(session)
        for patient, key, session in rows.values_list("patient", "version__key", "session")
    }


def _after(session: Session | None) -> Session:
    order = list(Session)
    return order[min(order.index(session) + 1, len(order) - 1)] if session else Session.FIRST
