"""The whole ledger as a state machine: whatever happens in whatever order, the promises hold.

Everything is ours and real but the network: hypothesis chooses what the provider does with a
call, and `truth` keeps what it then has. The machine claims, begins, records, applies receipts
and settles by the engine's own steps, on the real database, and rolls it back after each example.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from patients.models import Clinic, Patient, StaffUser, Treatment
from patients.models.patient import Channel
from reminders import dispatch, inbox
from reminders import settle as settling
from reminders.amending import correct_time, void_treatment
from reminders.channels import Accepted, Listed, Message, NotSent, Outcome, Rejected, Unknown
from reminders.channels.codes import Means
from reminders.claim import Claim, claim_due
from reminders.leases import release_expired
from reminders.models import MOVES, Attempt, Concern, Reminder, State
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from reminders.treatments import TreatmentRefused
from tests.builders import log, make_clinic, make_patient, make_staff

pytestmark = pytest.mark.thorough

T = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)  # Friday, ten in the morning in Chicago
SHARED, OWN = "+12025550141", "+12025550142"
FINAL = {State.DELIVERED, State.NO_RECEIPT, State.FAILED, State.SKIPPED}
LATER = [
    *(timedelta(seconds=seconds) for seconds in (1, 40, 95)),
    *(timedelta(minutes=minutes) for minutes in (3, 11, 50)),
    *(timedelta(hours=hours) for hours in (4, 24)),
]
REFUSALS: list[Outcome] = [
    Rejected("21211", Means.NUMBER),
    Rejected("21617", Means.NOT_KNOWN),
    Rejected("30007", Means.NEVER_SAME),
    NotSent("20429"),
    NotSent("no connection"),
    NotSent("20003", Means.ACCOUNT),
]
STATUSES = [("queued", ""), ("sending", ""), ("sent", ""), ("delivered", "")]
FAILURES = [("undelivered", "30003"), ("undelivered", "30005"), ("failed", "30008")]
WORDS = st.sampled_from([*STATUSES, *FAILURES])


@dataclass
class Taken:
    """A message as the provider has it."""

    attempt: Attempt
    message: Message
    sid: str
    created_at: datetime
    last_word: tuple[str, str]

    def listed(self) -> Listed:
        return Listed(self.sid, *self.last_word, self.message.text, self.created_at)


class Ledger(RuleBasedStateMachine):
    """`claims`: a worker's; `begun`: calls of which only the provider knows the end."""

    claims: Bundle[Claim] = Bundle("claims")
    begun: Bundle[Result] = Bundle("begun")

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(T, tick=False)
        self.traveller = self.clock.start()
        self.database = transaction.atomic()
        self.database.__enter__()
        self.clinic: Clinic = make_clinic()
        self.staff: StaffUser = make_staff(clinic=self.clinic)
        mail = {"email": "m@example.org", "channel": Channel.EMAIL, "phone": ""}
        ways: list[dict[str, Any]] = [{"phone": SHARED}, {"phone": SHARED}, {"phone": OWN}, mail]
        ways[2]["email"] = "other@example.org"
        self.patients: list[Patient] = [make_patient(clinic=self.clinic, **way) for way in ways]
        self.now = T
        self.truth: list[Taken] = []
        self.stopped: set[str] = set()
        self.states: dict[int, State] = {}

    # --- what people do ---

    @initialize(times=st.integers(1, 4))
    def log_some_treatments(self, times: int) -> None:
        for patient in self.patients[:times]:
            log(patient=patient)

    @rule(act=st.sampled_from(["log", "correct", "correct", "void"]), index=st.integers(0, 9))
    def do_at_the_desk(self, act: str, index: int) -> None:
        rows = list(Treatment.objects.filter(voided_at=None).select_related("patient__clinic"))
        if act == "log" or not rows:
            log(patient=self.patients[index % 4])
        elif act == "void":
            void_treatment(treatment=rows[index % len(rows)], reason="x", by=self.staff)
        else:
            self.correct(rows[index % len(rows)], timedelta(minutes=37 * (index - 5)))

    def correct(self, treatment: Treatment, by: timedelta) -> None:
        ended_at = treatment.treated_at + by
        try:
            correct_time(treatment=treatment, treated_at=ended_at, reason="x", by=self.staff)
        except TreatmentRefused:
            assert ended_at > self.now

    @rule(number=st.sampled_from([SHARED, OWN]), word=st.sampled_from(["STOP", "START", "START"]))
    def text(self, number: str, word: str) -> None:
        sender = self.clinic.sms_sender.as_e164
        inbox.receive_text(provider_id=uuid.uuid4().hex, sender=number, recipient=sender, body=word)
        {"STOP": self.stopped.add, "START": self.stopped.discard}[word](number)

    # --- what workers do, and where they die ---

    @rule(target=claims)
    def tick(self) -> Claim:
        return self.claim()

    def claim(self) -> Claim:
        release_expired(now=self.now)
        self.moves_are_allowed()
        claim = claim_due(now=self.now)
        for row in claim.reminders:
            assert row.treatment.patient.address(row.channel) not in self.stopped
            assert row.treatment.voided_at is None
            assert row.treated_at == row.treatment.treated_at
        self.moves_are_allowed()
        return claim

    @rule(target=begun, claim=consumes(claims), data=st.data())
    def begin_the_calls(self, claim: Claim, data: st.DataObject) -> Any:
        """The calls of a claim: whether the provider took each, and what it answered."""
        return multiple(*self.begin(claim, data))

    def begin(self, claim: Claim, data: st.DataObject) -> list[Result]:
        results = []
        for ready in (one for some in dispatch._begin(claim) for one in some):
            taken, outcome = data.draw(st.sampled_from(self.answers(ready)))
            results.append(Result(ready.attempt, outcome))
            if taken:
                word = data.draw(WORDS)
                self.take(ready, outcome, word)
        return results

    @rule(target=begun, data=st.data())
    def work(self, data: st.DataObject) -> Any:
        """A worker's whole round; what it did not record before it died or slept is left."""
        results = self.begin(self.claim(), data)
        recorded = data.draw(st.integers(0, len(results)))
        record(results[:recorded], now=self.now)
        return multiple(*results[recorded:])

    def answers(self, ready: dispatch.Ready) -> list[tuple[bool, Outcome]]:
        accepted: Outcome = Accepted(f"SM{uuid.uuid4().hex}", "queued")
        refusals = REFUSALS
        if ready.channel == Channel.EMAIL:
            accepted = Accepted(ready.message.message_id, "sent")
            refusals = [Rejected("550", Means.NUMBER), NotSent("451")]
        unknowns: list[tuple[bool, Outcome]] = [(took, Unknown("20500")) for took in (True, False)]
        return [(True, accepted), *unknowns] * 2 + [(False, refusal) for refusal in refusals]

    def take(self, ready: dispatch.Ready, outcome: Outcome, word: tuple[str, str]) -> None:
        sid = outcome.provider_id if isinstance(outcome, Accepted) else f"SM{uuid.uuid4().hex}"
        self.truth.append(Taken(ready.attempt, ready.message, sid, self.now, word))

    @rule(result=consumes(begun))
    def record_the_end(self, result: Result) -> None:
        """At once or late, as by a machine that slept; where it is never done the worker died."""
        record([result], now=self.now)

    # --- what the provider says ---

    @precondition(lambda self: self.truth)
    @rule(index=st.integers(0, 99), words=st.lists(WORDS, min_size=1, max_size=3))
    def call_back(self, index: int, words: list[tuple[str, str]]) -> None:
        message = self.truth[index % len(self.truth)]
        if message.attempt.reminder.channel == Channel.SMS:
            token = message.attempt.token
            for status, code in words:
                record_receipt(token=token, provider_id=message.sid, status=status, error_code=code)
                self.moves_are_allowed()

    @rule(delay=st.sampled_from(LATER), answers=st.sampled_from([True, True, False]))
    def settle(self, delay: timedelta, answers: bool) -> None:
        self.time_passes(delay)
        release_expired(now=self.now)
        self.moves_are_allowed()
        while looks := settling._take_looks(now=self.now):
            for look in looks:
                found = self.found(look) if answers else None
                settling._write(settling.Answer(look, found), now=self.now)
                self.moves_are_allowed()

    def found(self, look: settling.Look) -> list[Listed]:
        attempt, known_as, _ = look
        if attempt.reminder.channel != Channel.SMS:
            return []
        if known_as:
            return [one.listed() for one in self.truth if one.sid == known_as]
        since = attempt.called_at - settling.CLOCKS_DIFFER
        mine = [one for one in self.truth if one.message.to == attempt.to_address]
        return [one.listed() for one in reversed(mine) if one.created_at >= since]

    def time_passes(self, delay: timedelta) -> None:
        self.now += delay
        self.traveller.move_to(self.now)

    # --- what must hold ---

    @invariant()
    def moves_are_allowed(self) -> None:
        rows = Reminder.objects.values_list("pk", "state")
        before, self.states = self.states, {pk: State(state) for pk, state in rows}
        for pk, state in self.states.items():
            was = before.get(pk, state)
            assert state == was or state in MOVES[was], f"{was} became {state}"

    @invariant()
    def each_reminder_is_sent_once(self) -> None:
        sent = Counter(taken.attempt.reminder_id for taken in self.truth)
        assert max(sent.values(), default=0) <= 1, sent

    @invariant()
    def one_attempt_is_open(self) -> None:
        still = Attempt.objects.filter(outcome="open").values_list("reminder", flat=True)
        assert max(Counter(still).values(), default=0) <= 1

    def teardown(self) -> None:
        try:
            self.everything_ends()
        finally:
            transaction.set_rollback(True)
            self.database.__exit__(None, None, None)
            self.clock.stop()

    def everything_ends(self) -> None:
        """No more faults and no more callbacks: within days all that was due is final or told."""
        due_by = self.now
        for minutes in (2, 12, 20, 12 * 60, 80 * 60, 80 * 60):
            self.send_what_is_due()
            self.settle(delay=timedelta(minutes=minutes), answers=True)
        taken = {one.attempt.reminder_id for one in self.truth}
        for row in Reminder.objects.filter(leaves_at__lte=due_by):
            told = Concern.objects.filter(reminder=row, closed_at=None).exists()
            # A mail server gives no receipt.
            final = FINAL | ({State.SENT} if row.channel == Channel.EMAIL else set())
            assert row.state in final or told, f"{row.rule} is still {row.state}"
            assert row.state != State.FAILED or told or row.repeats.exists()
            assert row.pk not in taken or told or row.state != State.SKIPPED

    def send_what_is_due(self) -> None:
        for some in dispatch._begin(self.claim()):
            for ready in some:
                outcome = Accepted(f"SM{uuid.uuid4().hex}", "queued")
                self.take(ready, outcome, ("sent", ""))
                record([Result(ready.attempt, outcome)], now=self.now)
        self.moves_are_allowed()
        self.each_reminder_is_sent_once()


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_no_order_of_events_loses_doubles_or_forgets_a_reminder() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # a failure is told at once; shrinking would take minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
