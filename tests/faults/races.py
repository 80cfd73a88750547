"""A STOP, a correction or a void that races the dispatcher: who committed first decides.

PostgreSQL itself is asked for the order: a trigger of the run keeps one row for each claim, and
the server keeps the time of every commit.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db import connection
from django.db.models import F
from django.utils import timezone

from patients.models import StaffUser, Treatment
from patients.protocol import Session
from reminders.amending import correct_time, void_treatment
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.treatments import Agreed, log_treatment
from tests.builders import SENDER, make_patient, make_staff, shipped
from tests.phone.client import Phone

from . import forks
from .carry_on import wait_until_settled
from .cohort import FIRST_NUMBER, clinic_at_noon, make_due
from .judge import judge
from .stage import Stage
from .table import Finding

PER_SECOND = 25  # how many fall due, and are stopped, in a second
HANDS = 128  # more than write a stop at once in any of the rooms, or the stops would come late
FAIR = 0.02  # of the reminders went the rarer way, at least
WATCH = (
    """CREATE TABLE claim_seen (reminder bigint, treatment bigint, treated_at timestamptz)""",
    """CREATE FUNCTION see_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       INSERT INTO claim_seen VALUES (NEW.id, NEW.treatment_id, NEW.treated_at);
       RETURN NULL; END $$""",
    """CREATE TRIGGER see_claim AFTER UPDATE ON reminders_reminder FOR EACH ROW
       WHEN (NEW.state = 'sending' AND OLD.state <> 'sending') EXECUTE FUNCTION see_claim()""",
)
CLAIMED_AFTER_STOP = """
    SELECT count(*) FROM claim_seen
    JOIN patients_treatment t ON t.id = claim_seen.treatment
    JOIN patients_patient p ON p.id = t.patient_id
    JOIN patients_optout o ON o.address = p.phone
    WHERE pg_xact_commit_timestamp(claim_seen.xmin) > pg_xact_commit_timestamp(o.xmin)"""
CLAIMED_AFTER_VOID = """
    SELECT count(*) FROM claim_seen JOIN patients_treatment t ON t.id = claim_seen.treatment
    WHERE t.voided_at IS NOT NULL
    AND pg_xact_commit_timestamp(claim_seen.xmin) > pg_xact_commit_timestamp(t.xmin)"""
CLAIMED_AFTER_CORRECTION = """
    SELECT count(*) FROM claim_seen JOIN patients_correction c ON c.treatment_id = treatment
    WHERE claim_seen.treated_at = c.old_treated_at
    AND pg_xact_commit_timestamp(claim_seen.xmin) > pg_xact_commit_timestamp(c.xmin)"""


class Room(NamedTuple):
    """How long before and after its moment, in seconds, a change may come; how much more slowly."""

    before: float
    after: float
    slower: float = 1.0


# On a busy machine either side comes late. A race that one of them nearly always lost proves
# nothing, and is run again with more room.
ROOMS = (Room(1.0, 2.0), Room(3.0, 6.0, slower=2), Room(8.0, 12.0, slower=5))


def watch_claims() -> None:
    with connection.cursor() as cursor:
        for statement in WATCH:
            cursor.execute(statement)


def count(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        number: int = cursor.fetchone()[0]
    return number


def due_one_by_one(
    number: int, *, starts_in: float, per_second: float = PER_SECOND
) -> list[datetime]:
    """Moments of falling due, one after the other; the first in so many seconds."""
    first = timezone.now() + timedelta(seconds=starts_in)
    return [first + timedelta(seconds=index / per_second) for index in range(number)]


# --- STOP ---


def stopped(stage: Stage, patients: int) -> Finding:
    """Every patient texts STOP within a moment of their reminder's falling due."""
    return _raced(stage, patients, partial(_stopped, stage, patients))


def _raced(stage: Stage, number: int, play: Callable[[Room], Finding]) -> Finding:
    """Until both sides have won their share of so many, or something did not hold."""
    for room in ROOMS:
        finding = play(room)
        sent = finding.verdict.created
        if not finding.holds or min(sent, number - sent) >= number * FAIR:
            return finding
        stage.fresh()
    finding.problems.append("no race: nearly all went one way")
    return finding


def _stopped(stage: Stage, patients: int, room: Room) -> Finding:
    stage.phone.control(carrier_stop=False, latency_ms=50)
    watch_claims()
    with stage.crew("prefork", "threads", beats=2, calls_in_flight=5):
        begins = 0.4 + room.before + patients / 300
        moments = due_one_by_one(patients, starts_in=begins, per_second=PER_SECOND / room.slower)
        treatments = make_due(patients, due_at=moments)
        numbers = [treatment.patient.phone.as_e164 for treatment in treatments]
        _all_stop(stage.phone, numbers, moments, room)
        wait_until_settled(stage.times.longest * 2 + 60)
    verdict = judge(stage.phone)
    crossed = count(CLAIMED_AFTER_STOP)
    finding = Finding(f"{patients} patients", verdict)
    finding.note = (
        f"{verdict.created} texts claimed before their STOP, {verdict.states['skipped']} stopped; "
        f"{crossed} claims committed after the opt-out was"
    )
    if crossed:
        finding.problems.append("a claim followed an opt-out")
    return finding


def _all_stop(
    phone: Phone, numbers: Sequence[str], moments: Sequence[datetime], room: Room
) -> None:
    def stop(number: str, moment: datetime) -> None:
        _sleep_until(moment + timedelta(seconds=random.uniform(-room.before, room.after)))
        phone.inbound(number, SENDER, "STOP")

    with ThreadPoolExecutor(HANDS) as pool:
        list(pool.map(stop, numbers, moments))


def _sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - timezone.now()).total_seconds()))


# --- corrections and voids ---

CHANGED = 10  # treatments a second
LATER = timedelta(minutes=50)  # the correction: the treatment ended that much later


def corrected(stage: Stage, treatments: int) -> Finding:
    """Half are voided, half corrected to a later time, within a moment of their reminder's time.

    Of either half, what falls due for every other treatment is a repeat.
    """
    return _raced(stage, treatments, partial(_corrected, stage, treatments))


def _corrected(stage: Stage, treatments: int, room: Room) -> Finding:
    stage.phone.control(latency_ms=50)
    watch_claims()
    by = make_staff(clinic=clinic_at_noon())
    with stage.crew("prefork", "threads", beats=2, calls_in_flight=5):
        a_second = CHANGED / room.slower
        moments = due_one_by_one(treatments, starts_in=3600, per_second=a_second)
        stage.do(lambda: _log_all(moments))
        _make_repeats()
        moments = _bring_forward(moments, starts_in=0.4 + room.before)
        changing = [stage.fork(partial(_change, moments, by, part, room)) for part in (0, 1)]
        for child in changing:
            forks.wait(child, within=treatments / a_second + 300)
        wait_until_settled(stage.times.longest * 2 + 60)
    verdict = judge(stage.phone)
    stale = count(CLAIMED_AFTER_VOID) + count(CLAIMED_AFTER_CORRECTION)
    finding = Finding(f"{treatments} treatments", verdict)
    finding.note = (
        f"{verdict.created} texts claimed before the change, {treatments - verdict.created} held "
        f"back; {stale} sent by an old plan"
    )
    if stale:
        finding.problems.append("stale sends")
    return finding


def _log_all(moments: Sequence[datetime]) -> None:
    """Each an hour before its moment, so that the first-hour text falls due at it."""
    clinic = clinic_at_noon()
    for index, moment in enumerate(moments):
        patient = make_patient(clinic=clinic, phone=f"+{FIRST_NUMBER + index}")
        at = moment - timedelta(hours=1)
        log_treatment(
            patient=patient,
            version=shipped(clinic),
            treated_at=at,
            session=Session.FIRST,
            agreed=Agreed(recovery=True, rebooking=True),
            form_key=uuid.uuid4(),
            by=None,
            handover=False,
            now=at,
        )


def _make_repeats() -> None:
    """The third and fourth of each four: the first-hour text was skipped, and is sent again."""
    Reminder.objects.annotate(of_four=F("treatment") % 4).filter(
        rule="first-hour", of_four__gte=2
    ).update(state=State.SKIPPED, skip_reason=Skip.NO_CONTACT.value)
    for row in Reminder.objects.filter(rule="first-hour", state=State.SKIPPED):
        row.pk, row.again_of_id, row.occurrence = None, row.pk, 2
        row.state, row.skip_reason = State.PLANNED, ""
        row.save(force_insert=True)


def _bring_forward(moments: Sequence[datetime], *, starts_in: float) -> list[datetime]:
    """Move all that was logged, so that the first falls due in a moment."""
    by = timezone.now() + timedelta(seconds=starts_in) - moments[0]
    Treatment.objects.update(treated_at=F("treated_at") + by, logged_at=F("logged_at") + by)
    Reminder.objects.update(
        **{name: F(name) + by for name in ("due_at", "leaves_at", "not_after", "treated_at")}
    )
    return [moment + by for moment in moments]


def _drift(share: float, room: Room) -> timedelta:
    """From too early to too late: one after the other, so chance would only let all come late."""
    return timedelta(seconds=(room.before + room.after) * share - room.before)


def _change(moments: Sequence[datetime], by: StaffUser, part: int, room: Room) -> None:
    """Part 0 voids every other treatment, part 1 corrects the rest."""
    treatments = list(Treatment.objects.order_by("id"))
    for index, (treatment, moment) in enumerate(zip(treatments, moments, strict=True)):
        if index % 2 != part:
            continue
        _sleep_until(moment + _drift(index / len(moments), room))
        if part == 0:
            void_treatment(treatment=treatment, reason="Wrong patient", by=by)
        else:
            correct_time(
                treatment=treatment, treated_at=treatment.treated_at + LATER, reason="Typo", by=by
            )
