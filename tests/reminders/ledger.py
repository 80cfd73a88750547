"""The whole ledger as a state machine: whatever happens in whatever order, the promises hold.

Everything is ours and real but the network: hypothesis chooses what the provider does with a
call, and `Provider` keeps what it then has. The machine claims, begins, records, applies receipts
and settles by the engine's own steps, on the real database, and rolls it back after each example.
"""

from __future__ import annotations

import contextlib
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import time_machine
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, assume, seed, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from patients import acts
from patients.models import Act, Clinic, Patient, StaffUser, Treatment
from patients.models.patient import Channel
from reminders import dispatch, inbox, page_acts
from reminders import settle as settling
from reminders.again import NotSentAgain, send_again
from reminders.amending import correct_time, void_treatment
from reminders.channels import Accepted, Outcome
from reminders.claim import Claim, claim_due
from reminders.heartbeat import declare_restored, in_doubt, set_aside
from reminders.leases import release_expired
from reminders.models import MOVES, Attempt, Concern, Reminder, State
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from reminders.treatments import TreatmentRefused
from tests.builders import log, make_clinic, make_patient, make_staff
from tests.reminders.ledger_provider import WORDS, Provider, answers

T = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)  # Friday, ten in the morning in Chicago
SHARED, OWN = "+12025550141", "+12025550142"
FINAL = {State.DELIVERED, State.NO_RECEIPT, State.FAILED, State.SKIPPED}
LATER = [
    *(timedelta(seconds=seconds) for seconds in (1, 40, 95)),
    *(timedelta(minutes=minutes) for minutes in (3, 11, 50)),
    *(timedelta(hours=hours) for hours in (4, 24)),
]
PAGE_ACTS = ["stop", "start", "start", "by text", "by mail"]
ACTS = [
    *["work"] * 4, *["tick", "begin_the_calls"], *["record_the_end", "call_back", "settle"] * 2,
    *["at_the_desk", "on_the_page"] * 2, *["text", "take_up", "again", "back_up", "restore"],
]  # fmt: skip


class Lost(AssertionError):
    """A due reminder is neither final nor before a nurse."""


class Doubled(AssertionError):
    """The provider has two messages of one reminder."""


@dataclass(frozen=True)
class Backup:
    savepoint: str
    stopped: dict[str, str]


class Ledger(RuleBasedStateMachine):
    """`claims`: a worker's; `begun`: calls of which only the provider knows the end.

    One rule, which draws what is done: of many rules hypothesis leaves most out of an order.
    """

    sent = 0  # messages, in all orders of this process

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
        self.provider = Provider()
        self.stopped: dict[str, str] = {}  # addresses, and how
        self.backup: Backup | None = None
        self.claims: list[Claim] = []
        self.begun: list[Result] = []
        self.states: dict[int, State] = {}

    @rule(act=st.sampled_from(ACTS), data=st.data())
    def do(self, act: str, data: st.DataObject) -> None:
        getattr(self, act)(data)

    # --- what people do ---

    @initialize(times=st.integers(0, 4))
    def log_some_treatments(self, times: int) -> None:
        assume(times)  # hypothesis begins with the simplest order of all: not worth a run
        for patient in self.patients[:times]:
            log(patient=patient)
        self.back_up()

    def at_the_desk(self, data: st.DataObject) -> None:
        act = data.draw(st.sampled_from(["log", "correct", "correct", "void"]))
        index = data.draw(st.integers(0, 9))
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

    def text(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([SHARED, OWN]))
        word = data.draw(st.sampled_from(["STOP", "START", "START"]))
        sender = self.clinic.sms_sender.as_e164
        inbox.receive_text(provider_id=uuid.uuid4().hex, sender=number, recipient=sender, body=word)
        if word == "START":
            self.stopped.pop(number, None)
        else:
            self.stopped[number] = "text"

    def on_the_page(self, data: st.DataObject) -> None:
        """A row only; what follows from it comes with a tick."""
        act, index = data.draw(st.sampled_from(PAGE_ACTS)), data.draw(st.integers(0, 9))
        rows = list(Treatment.objects.filter(voided_at=None).select_related("patient__clinic"))
        if not rows:
            return
        treatment = rows[index % len(rows)]
        addresses = {treatment.patient.address(channel) for channel in Channel} - {""}
        if act == "stop":
            acts.stop_messages(treatment=treatment, now=self.now)
            self.stopped |= dict.fromkeys(addresses, "page")
        elif act == "start":  # what was stopped by text is started by text
            acts.start_messages(treatment=treatment, now=self.now)
            for address in addresses:
                if self.stopped.get(address) == "page":
                    del self.stopped[address]
        else:
            channel = Channel.SMS if act == "by text" else Channel.EMAIL
            acts.choose(
                treatment=treatment, channel=channel, language="en", wants_details=False,
                now=self.now,
            )  # fmt: skip

    def take_up(self, _: st.DataObject | None = None) -> None:
        page_acts.take_up(now=self.now)
        assert not Act.objects.filter(taken_up_at=None).exists()

    def again(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(Channel))
        rows = Reminder.objects.select_related("treatment__patient__clinic", "treatment__version")
        if chosen := list(rows.filter(due_at__lte=self.now).order_by("pk")):
            with contextlib.suppress(NotSentAgain):
                reminder = data.draw(st.sampled_from(chosen))
                send_again(reminder=reminder, channel=channel, by=self.staff, now=self.now)

    # --- a backup, and what it does not know when it is restored ---

    def back_up(self, _: st.DataObject | None = None) -> None:
        self.backup = Backup(transaction.savepoint(), dict(self.stopped))

    def restore(self, _: st.DataObject) -> None:
        """The workers are gone, and the database is as it was; the provider forgets nothing."""
        assert self.backup is not None
        meant = dict(Reminder.objects.values_list("pk", "treated_at"))
        transaction.savepoint_rollback(self.backup.savepoint)
        with connection.cursor() as cursor:
            cursor.execute(declare_restored(now=self.now))
        self.stopped = dict(self.backup.stopped)
        self.claims, self.begun, self.states = [], [], {}
        still = dict(Reminder.objects.values_list("pk", "treated_at"))
        known = set(Attempt.objects.values_list("token", flat=True))
        for taken in self.provider.has:
            reminder = taken.attempt.reminder_id
            if taken.attempt.token not in known:
                taken.forgotten = True
                taken.other |= meant.get(reminder) != still.get(reminder)

    # --- what workers do, and where they die ---

    def tick(self, _: st.DataObject) -> None:
        self.claims.append(self.claim())

    def claim(self) -> Claim:
        release_expired(now=self.now)
        self.moves_are_allowed()
        claim = claim_due(now=self.now)
        for row in claim.reminders:
            assert row.treatment.patient.address(row.channel) not in self.stopped
            assert row.treatment.voided_at is None
            assert row.treated_at == row.treatment.treated_at
        self.moves_are_allowed()
        claim = set_aside(claim, in_doubt(), now=self.now)
        self.moves_are_allowed()
        return claim

    def begin_the_calls(self, data: st.DataObject) -> None:
        """The calls of a claim: whether the provider took each, and what it answered."""
        if self.claims:
            self.begun += self.begin(self.claims.pop(0), data)

    def begin(self, claim: Claim, data: st.DataObject) -> list[Result]:
        results = []
        for ready in (one for some in dispatch._begin(claim) for one in some):
            taken, outcome = data.draw(st.sampled_from(answers(ready)))
            results.append(Result(ready.attempt, outcome))
            if taken:
                word = data.draw(WORDS)
                self.take(ready, outcome, word)
        return results

    def work(self, data: st.DataObject) -> None:
        """A worker's whole round; what it did not record before it died or slept is left."""
        self.time_passes(data.draw(st.sampled_from([timedelta(0), timedelta(0), *LATER])))
        results = self.begin(self.claim(), data)
        recorded = data.draw(st.integers(0, len(results)))
        record(results[:recorded], now=self.now)
        self.begun += results[recorded:]

    def take(self, ready: dispatch.Ready, outcome: Outcome, word: tuple[str, str]) -> None:
        self.provider.take(ready, outcome, word, now=self.now)
        Ledger.sent += 1

    def record_the_end(self, data: st.DataObject) -> None:
        """At once or late, as by a machine that slept; where it is never done the worker died."""
        if self.begun:
            at = data.draw(st.integers(0, len(self.begun) - 1))
            record([self.begun.pop(at)], now=self.now)

    # --- what the provider says ---

    def call_back(self, data: st.DataObject) -> None:
        if not self.provider.has:
            return
        message = self.provider.has[data.draw(st.integers(0, len(self.provider.has) - 1))]
        words = data.draw(st.lists(WORDS, min_size=1, max_size=3))
        if message.attempt.reminder.channel == Channel.SMS:
            token = message.attempt.token
            for status, code in words:
                record_receipt(token=token, provider_id=message.sid, status=status, error_code=code)
                self.moves_are_allowed()

    def settle(self, data: st.DataObject) -> None:
        answers = data.draw(st.sampled_from([True, True, False]))
        self.settle_after(data.draw(st.sampled_from(LATER)), answers=answers)

    def settle_after(self, delay: timedelta, *, answers: bool) -> None:
        self.time_passes(delay)
        release_expired(now=self.now)
        self.moves_are_allowed()
        while looks := settling._take_looks(now=self.now):
            for look in looks:
                found = self.provider.found(look) if answers else None
                settling._write(settling.Answer(look, found), now=self.now)
                self.moves_are_allowed()

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
            # What is found at last, as sent days ago, ends as having no receipt in one transaction.
            by_sent = MOVES[State.SENT] if State.SENT in MOVES[was] else frozenset()
            assert state in {was} | MOVES[was] | by_sent, f"{was} became {state}"

    @invariant()
    def each_reminder_is_sent_once(self) -> None:
        sent = Counter(one.attempt.reminder_id for one in self.provider.has if not one.other)
        if max(sent.values(), default=0) > 1:
            raise Doubled(sent)

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
        self.take_up()
        for minutes in (2, 12, 20, 12 * 60, 80 * 60, 80 * 60):
            self.send_what_is_due()
            self.settle_after(timedelta(minutes=minutes), answers=True)
        # Of what a restored database has forgotten it can only ask while it would still send it.
        taken = {one.attempt.reminder_id for one in self.provider.has if not one.forgotten}
        for row in Reminder.objects.filter(leaves_at__lte=due_by):
            told = Concern.objects.filter(reminder=row, closed_at=None).exists()
            # A mail server gives no receipt.
            final = FINAL | ({State.SENT} if row.channel == Channel.EMAIL else set())
            if not (row.state in final or told):
                raise Lost(f"{row.rule} is still {row.state}")
            if row.state == State.FAILED and not (told or row.repeats.exists()):
                raise Lost(f"{row.rule} failed and nobody knows")
            assert row.pk not in taken or told or row.state != State.SKIPPED

    def send_what_is_due(self) -> None:
        for some in dispatch._begin(self.claim()):
            for ready in some:
                outcome = Accepted(f"SM{uuid.uuid4().hex}", "queued")
                self.take(ready, outcome, ("sent", ""))
                record([Result(ready.attempt, outcome)], now=self.now)
        self.moves_are_allowed()
        self.each_reminder_is_sent_once()


def play(orders: int, steps: int, *, number: int = 0) -> None:
    """So many orders of events, each of a seed of its own, the first of `number`.

    A run of hypothesis for each: in one run most orders would be mutations of a few. Raises what
    did not hold, with the seed.
    """
    for one in range(number, number + orders):
        try:
            run_state_machine_as_test(
                seed(one)(type("Ledger", (Ledger,), {})),
                settings=settings(
                    max_examples=1,
                    stateful_step_count=steps,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],  # to shrink a failure would take minutes
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:
            error.add_note(f"In the order of seed {one}.")
            raise
