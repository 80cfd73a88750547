"""A refusal that is nobody's fault holds its scope and no more, is told once and tried again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import parseaddr
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from patients.models import Clinic
from patients.models.patient import Channel
from reminders import circuits
from reminders.channels import Accepted, NotSent, Outcome
from reminders.channels.codes import Means
from reminders.claim import claim_due
from reminders.dispatch import drain
from reminders.models import Alert, Attempt, Circuit, Concern, Reminder, State
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from reminders.refusals import refused_at_desk, refused_now
from tests.builders import SENDER, log, make_clinic, make_patient
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

NUMBERS = ["+12025550101", "+12025550102", "+12025550103"]
LONDON = "+447700900123"  # from the range reserved for fiction
MARGIN = timedelta(seconds=1)

REFUSALS = [
    ("20003", "account", ""),
    ("30002", "account", ""),
    ("21606", "sender", SENDER),
    ("21611", "sender", SENDER),
    ("21408", "country", "1"),
]


@pytest.fixture(autouse=True)
def no_tick() -> None:
    """What another test's clock has left in the cache would stand beside what is refused."""
    cache.clear()


@pytest.fixture
def provider(provider: Phone) -> Phone:
    provider.control(delays=0, receipts=False)
    return provider


def log_all(clinic: Clinic, numbers: list[str] = NUMBERS) -> None:
    for number in numbers:
        log(patient=make_patient(clinic=clinic, phone=number))


def handovers() -> list[Reminder]:
    return list(Reminder.objects.filter(rule="handover").order_by("id"))


def states() -> list[State]:
    return [State(row.state) for row in handovers()]


def calls(provider: Phone) -> int:
    made: int = provider.stats(brief=True)["calls"]
    return made


def drain_at(moment: datetime) -> None:
    with time_machine.travel(moment):
        drain()


@pytest.mark.parametrize(("code", "scope", "key"), REFUSALS)
def test_a_refusal_holds_its_scope_fails_nobody_and_is_told_once(
    clinic: Clinic, provider: Phone, code: str, scope: str, key: str
) -> None:
    provider.control(rates={code: 1})
    log_all(clinic)
    drain()
    circuit = Circuit.objects.get()
    assert (circuit.channel, circuit.scope, circuit.key, circuit.code) == ("sms", scope, key, code)
    assert states() == [State.PLANNED] * 3
    assert {row.leaves_at for row in handovers()} == {circuit.closes_at}
    assert Alert.objects.count() == 1
    log_all(clinic, ["+12025550104"])  # somebody new is held before any call
    drain()
    assert calls(provider) == 3


@pytest.mark.parametrize("code", ["20003", "21606", "21408"])
def test_after_the_pause_one_tries_and_when_it_passes_all_go(
    clinic: Clinic, provider: Phone, code: str
) -> None:
    provider.control(rates={code: 1})
    log_all(clinic)
    drain()
    drain_at(Circuit.objects.get().closes_at + MARGIN)
    assert calls(provider) == 4
    provider.control(rates={})
    drain_at(Circuit.objects.get().closes_at + MARGIN)
    assert states().count(State.SENT) == 1
    assert not Circuit.objects.exists()
    drain_at(timezone.now() + timedelta(minutes=5))
    assert states() == [State.SENT] * 3
    assert Alert.objects.count() == 1
    assert calls(provider) == 7


def test_the_pause_doubles_up_to_a_quarter_of_an_hour(clinic: Clinic, provider: Phone) -> None:
    provider.control(auth_fails=True)
    log_all(clinic)
    drain()
    pauses = []
    for _ in range(7):
        tried_at = Circuit.objects.get().closes_at + MARGIN
        drain_at(tried_at)
        pauses.append(round((Circuit.objects.get().closes_at - tried_at).total_seconds()))
    assert pauses == [60, 120, 240, 480, 900, 900, 900]
    assert Alert.objects.count() == 1
    assert calls(provider) == 10


def test_an_account_refused_for_a_whole_day_is_still_tried_every_quarter_of_an_hour(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(auth_fails=True)
    log_all(clinic)
    drain()
    Circuit.objects.update(failures=100)
    tried_at = Circuit.objects.get().closes_at + MARGIN
    drain_at(tried_at)
    pause = Circuit.objects.get().closes_at - tried_at
    assert round(pause.total_seconds()) == 900
    assert states() == [State.PLANNED] * 3


def test_another_sender_is_not_held(clinic: Clinic, provider: Phone) -> None:
    other = make_clinic(slug="harbour", sms_sender="+12025550110")
    provider.control(next={"21606": 1})
    log_all(clinic, NUMBERS[:1])
    drain()
    log_all(other, NUMBERS[1:2])
    log_all(clinic, NUMBERS[2:])
    drain()
    assert states() == [State.PLANNED, State.SENT, State.PLANNED]
    assert Circuit.objects.get().key == SENDER


def test_another_country_is_not_held(clinic: Clinic, provider: Phone) -> None:
    log_all(clinic, ["+12025550180"])  # always 21408
    drain()
    log_all(clinic, [NUMBERS[0], LONDON])
    drain()
    assert states() == [State.PLANNED, State.PLANNED, State.SENT]


def test_a_refused_account_holds_every_sender(clinic: Clinic, provider: Phone) -> None:
    other = make_clinic(slug="harbour", sms_sender="+12025550110")
    provider.control(next={"20003": 1})
    log_all(clinic, NUMBERS[:1])
    drain()
    log_all(other, NUMBERS[1:2])
    drain()
    assert calls(provider) == 1


@pytest.mark.parametrize("number", ["+12025550190", "+12025550198"])
def test_a_try_that_ends_in_another_way_leaves_the_circuit_to_the_next(
    clinic: Clinic, provider: Phone, number: str
) -> None:
    log_all(clinic, [number, *NUMBERS])
    with time_machine.travel(timezone.now() - timedelta(minutes=2)):
        circuits.trip(("sms", "account", ""), code="20003", clinics=[clinic], now=timezone.now())
    drain()
    assert calls(provider) == 1
    assert Circuit.objects.exists()
    drain_at(timezone.now() + timedelta(minutes=1))
    assert not Circuit.objects.exists()


def test_what_is_held_beyond_its_use_is_skipped(clinic: Clinic, provider: Phone) -> None:
    provider.control(auth_fails=True)
    log_all(clinic)
    drain()
    Reminder.objects.update(not_after=timezone.now())
    drain_at(timezone.now() + timedelta(minutes=5))
    assert states() == [State.SKIPPED] * 3


def test_a_message_that_was_under_way_when_others_were_refused_closes_nothing(
    clinic: Clinic,
) -> None:
    log_all(clinic)
    now = timezone.now()
    claimed = claim_due(now=now).reminders
    attempts = [
        Attempt.objects.create(reminder=row, called_at=now, lease_until=now, to_address=NUMBERS[0])
        for row in claimed
    ]
    refused = NotSent("21611", Means.SENDER)
    answers: list[Outcome] = [Accepted("SM" + "5" * 32, "queued"), refused, refused]
    record([Result(a, b) for a, b in zip(attempts, answers, strict=True)], now=now)
    assert Circuit.objects.count() == 1


@pytest.mark.parametrize(("code", "scope"), [("30002", "account"), ("30034", "account")])
def test_a_refusal_that_comes_as_a_receipt_opens_the_circuit_as_well(
    clinic: Clinic, provider: Phone, code: str, scope: str
) -> None:
    log_all(clinic)
    drain()
    for attempt in Attempt.objects.all():
        (receipt,) = attempt.receipts.all()
        record_receipt(
            token=attempt.token,
            provider_id=receipt.provider_id,
            status="undelivered",
            error_code=code,
        )
    assert Circuit.objects.get().scope == scope
    assert Alert.objects.count() == 1


def test_what_the_account_refused_later_goes_on_until_it_is_put_right(
    clinic: Clinic, provider: Phone
) -> None:
    log_all(clinic, NUMBERS[:1])
    for minutes in (0, 5, 40):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            drain()
            circuits.close_delivered()
            say(Attempt.objects.latest("id"), "undelivered", "30034")
    assert Attempt.objects.count() == 3
    assert not Concern.objects.exists()
    assert Circuit.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=58)):
        drain()
        say(Attempt.objects.latest("id"), "delivered")
        circuits.close_delivered()
    assert not Circuit.objects.exists()
    assert handovers()[-1].state == State.DELIVERED


def say(attempt: Attempt, status: str, code: str = "") -> None:
    (receipt, *_) = attempt.receipts.all()
    record_receipt(
        token=attempt.token, provider_id=receipt.provider_id, status=status, error_code=code
    )


# --- the mail server has circuits of its own ---


@pytest.fixture
def closed_mail(settings: Settings) -> Iterator[Settings]:
    """A mail server that refuses our sign-in."""

    def refuse(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with listening(settings, object(), authenticator=refuse, auth_require_tls=False):
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "care", "wrong"
        yield settings


@contextmanager
def listening(settings: Settings, handler: object, **more: Any) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, **more)
    controller.start()
    settings.EMAIL_PORT = port
    yield
    controller.stop()


def log_mail(clinic: Clinic, address: str = "maria@example.org") -> None:
    log(patient=make_patient(clinic=clinic, phone="", email=address, channel=Channel.EMAIL))


def test_a_mail_server_that_refuses_our_sign_in_holds_mail_and_not_texts(
    clinic: Clinic, provider: Phone, closed_mail: Settings
) -> None:
    log_mail(clinic)
    log_all(clinic, NUMBERS[:1])
    drain()
    circuit = Circuit.objects.get()
    assert (circuit.channel, circuit.scope, circuit.code) == ("email", "account", "535")
    assert states() == [State.PLANNED, State.SENT]
    assert Alert.objects.count() == 1


def test_a_refused_texting_account_does_not_hold_mail(clinic: Clinic, provider: Phone) -> None:
    provider.control(auth_fails=True)
    log_all(clinic, NUMBERS[:1])
    drain()
    log_mail(clinic)
    drain()
    assert states() == [State.PLANNED, State.SENT]
    assert Circuit.objects.get().channel == "sms"


class Post:
    """A mail server that knows only some senders; aiosmtpd finds its hooks by their names."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.asked: list[str] = []

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        if address not in self.known:
            return "550 5.7.1 This sender is not verified"
        envelope.mail_from = address
        return "250 OK"


def test_a_mail_server_that_refuses_our_sender_fails_nobody_and_is_told_once(
    clinic: Clinic, provider: Phone, settings: Settings
) -> None:
    own = "care@harbour.example"
    harbour = make_clinic(slug="harbour", name="Harbour Skin", sms_sender="+12025550110")
    Clinic.objects.filter(pk=harbour.pk).update(email_sender=own)
    post = Post(own)
    with listening(settings, post):
        log_mail(clinic, "maria@example.org")
        log_mail(clinic, "ana@example.org")
        drain()
        log_mail(clinic, "eva@example.org")  # held before any call
        harbour.refresh_from_db()
        log_mail(harbour, "zoe@example.org")
        drain()
        sender = settings.DEFAULT_FROM_EMAIL
        assert post.asked == [sender, sender, own]
        assert states() == [State.PLANNED] * 3 + [State.SENT]
        circuit = Circuit.objects.get()
        assert (circuit.channel, circuit.scope, circuit.key) == ("email", "sender", sender)
        assert circuit.code == "sender 550"
        assert Alert.objects.count() == 1
        assert not Concern.objects.exists()
        post.known += (sender,)
        for _ in range(2):  # one tries, and all go
            drain_at(max(row.leaves_at for row in handovers()) + MARGIN)
    assert states() == [State.SENT] * 4
    assert not Circuit.objects.exists()


class Late:
    """A mail server that says what it has to say once it has the mail."""

    def __init__(self, says: str) -> None:
        self.says = says

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return self.says


@pytest.mark.parametrize(
    "says",
    [
        "550 The from address does not match a verified Sender Identity. Mail cannot be sent",
        "554 Message rejected: Email address is not verified.",
        "554 5.2.252 SendAsDenied; care@lakeside.example not allowed to send as",
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    ],
)
def test_a_sender_refused_only_after_the_mail_fails_nobody(
    clinic: Clinic, provider: Phone, settings: Settings, says: str
) -> None:
    with listening(settings, Late(says)):
        log_mail(clinic)
        drain()
    assert states() == [State.PLANNED]
    assert (Circuit.objects.get().scope, Circuit.objects.get().code) == (
        "sender",
        f"sender {says[:3]}",
    )
    assert not Concern.objects.exists()


def test_a_mail_refused_for_its_reader_holds_nobody_elses(
    clinic: Clinic, provider: Phone, settings: Settings
) -> None:
    with listening(settings, Late("554 5.7.1 This message looks like spam to us")):
        log_mail(clinic)
        drain()
    assert states() == [State.FAILED]
    assert not Circuit.objects.exists()


def test_a_mail_server_that_refuses_our_greeting_fails_nobody(
    clinic: Clinic, provider: Phone, settings: Settings
) -> None:
    with listening(settings, Strange()):
        log_mail(clinic)
        drain()
    assert states() == [State.PLANNED]
    assert not Concern.objects.exists()


class Strange:
    """A mail server that knows no such machine as ours."""

    async def handle_HELO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str
    ) -> str:
        return "550 5.7.1 We know no such machine"

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        return ["550 5.7.1 We know no such machine"]


def test_a_refused_sender_is_the_admins_to_put_right_and_not_the_patients_address(
    clinic: Clinic,
) -> None:
    scope = circuits.scope_of(Means.SENDER, "email", circuits.sender_of(clinic, "email"), "")
    circuits.trip(scope, code="sender 550", clinics=[], now=timezone.now())
    (said,) = [one.happened for one in refused_now(clinic, now=timezone.now())]
    assert said == "The mail server refuses the address the clinic's emails come from."
    (at_desk,) = refused_at_desk(clinic, now=timezone.now())
    assert at_desk.startswith("Email does not leave right now")


@pytest.mark.parametrize(
    ("channel", "code", "own"), [("sms", "21606", "+12025550110"), ("email", "sender 550", "a@b.c")]
)
def test_another_clinics_refused_sender_stands_on_no_board_but_its_own(
    clinic: Clinic, channel: str, code: str, own: str
) -> None:
    harbour = make_clinic(slug="harbour", sms_sender="+12025550110")
    Clinic.objects.filter(pk=harbour.pk).update(email_sender="a@b.c")
    harbour.refresh_from_db()
    now = timezone.now()
    circuits.trip((channel, "sender", own), code=code, clinics=[], now=now)
    assert len(refused_now(harbour, now=now)) == 1
    assert refused_now(clinic, now=now) == []


class Letters:
    """A mail server that keeps whom each mail says it is from: on the envelope, and inside."""

    def __init__(self) -> None:
        self.senders: list[tuple[str | None, tuple[str, str]]] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        inside = message_from_bytes(envelope.original_content or b"")
        self.senders.append((envelope.mail_from, parseaddr(inside["From"])))
        return "250 OK"


@pytest.mark.parametrize("name", ['Dr. "Sunny" Smith', 'The "Glow"', "Back\\slash, Inc."])
def test_a_clinics_name_with_quotation_marks_is_a_sender_like_any_other(
    clinic: Clinic, provider: Phone, settings: Settings, name: str
) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(name=name)
    clinic.refresh_from_db()
    letters = Letters()
    with listening(settings, letters):
        log_mail(clinic)
        drain()
    sender = settings.DEFAULT_FROM_EMAIL
    assert letters.senders == [(sender, (name, sender))]
    assert states() == [State.SENT]
