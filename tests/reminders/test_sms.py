"""What goes to Twilio and what its answer is taken for, beyond what the stand-in phone says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from patients.models import Clinic
from reminders.channels import Accepted, Message, NotSent, Outcome, Rejected, Unknown, sms
from reminders.channels.codes import Means
from reminders.channels.told import fit
from reminders.dispatch import drain
from reminders.models import Reminder, State
from tests.builders import log, make_patient
from tests.reminders.test_kept import Server

TEXT = Message(
    to="+12025550146",
    sender="+12025550100",
    subject="",
    text="Día 2: ¿todo bien? 100 % + más = https://a.example/r/x",
    html="",
    callback_url="https://a.example/webhooks/1#rc=5&rp=all",
    message_id="",
    valid_for=100_000,
)


@pytest.fixture
def twilio(settings: Settings) -> Iterator[Server]:
    server = Server()
    settings.TWILIO_API_BASE = server.url.partition("/messages")[0]
    sms.client.cache_clear()
    with closing(server.listener), closing(sms.client().http_client):
        yield server
    sms.client.cache_clear()


def answer(body: object, status: int = 201) -> bytes:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %d So\r\nContent-Length: %d\r\n\r\n%b" % (status, len(said), said)


def test_every_word_of_the_form_arrives_as_it_was_written(
    twilio: Server, settings: Settings
) -> None:
    twilio.scripts = [answer({"sid": "SM1", "status": "queued"})]
    assert sms.send(TEXT) == Accepted("SM1", "queued")
    ((_, request),) = twilio.requests
    head, _, body = request.partition(b"\r\n\r\n")
    account = settings.TWILIO_ACCOUNT_SID
    assert head.startswith(f"POST /2010-04-01/Accounts/{account}/Messages.json HTTP/1.1".encode())
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert parse_qs(body.decode()) == {
        "To": [TEXT.to],
        "From": [TEXT.sender],
        "Body": [TEXT.text],
        "StatusCallback": [TEXT.callback_url],
        "ValidityPeriod": ["36000"],
    }


@pytest.mark.parametrize(
    "said",
    [
        *({}, [], "SM1", None, 5, {"sid": "SM1"}, {"sid": None, "status": "queued"}),
        *({"sid": sid, "status": "queued"} for sid in ("", 5, ["SM1"], "SM\0", "x" * 65, "\ud800")),
        *({"sid": "SM1", "status": status} for status in (None, 5, ["queued"])),
        b"[" * 100_000,
    ],
    ids=lambda said: repr(said)[:40],
)
def test_an_answer_that_names_no_message_leaves_it_unknown(twilio: Server, said: object) -> None:
    twilio.scripts = [answer(said)]
    assert sms.send(TEXT) == Unknown("no answer")


@given(st.text())
def test_a_form_is_written_as_the_library_writes_it(text: str) -> None:
    form = {"Body": text, "n": 5}
    assert urlencode(form, doseq=True, quote_via=sms._quoted) == urlencode(form)


RFC_9457 = {"type": "t", "title": "t", "detail": "d"}


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (400, {"code": 21211}, Rejected("21211", Means.NUMBER)),
        (400, {"code": "21211"}, Rejected("21211", Means.NUMBER)),
        (400, {"code": "x" * 17}, Rejected("x" * 16, Means.NOT_KNOWN)),
        (400, {"code": "\0"}, Rejected("400", Means.NOT_KNOWN)),
        (429, {"code": None}, NotSent("429")),
        (429, b"slow down", NotSent("429")),
        (400, {**RFC_9457, "status": 400, "code": 21211}, Rejected("21211", Means.NUMBER)),
        (429, {**RFC_9457, "status": 429, "code": 20429}, NotSent("20429")),
        (500, {**RFC_9457, "status": 500, "code": 20500}, Unknown("20500")),
        (400, {**RFC_9457, "status": "bad", "code": 21211}, Unknown("no answer")),
    ],
    ids=str,
)
def test_a_refusal_is_read_in_both_of_twilios_forms(
    twilio: Server, status: int, said: object, outcome: Outcome
) -> None:
    twilio.scripts = [answer(said, status)]
    assert sms.send(TEXT) == outcome


# Anything JSON can say, and words that no database keeps.
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80)
    | st.sampled_from(["\0", "SM\0", "\ud800", "x" * 300, "21211", "queued"]),
    lambda some: st.lists(some, max_size=3)
    | st.dictionaries(st.text(max_size=5), some, max_size=3),
    max_leaves=4,
)  # fmt: skip


def odd_things(*names: str, **sound: object) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the names with odd values, some as they should be, some missing."""
    usual = dict.fromkeys(names, ODD) | {
        name: st.just(value) | ODD for name, value in sound.items()
    }
    return st.fixed_dictionaries({}, optional=usual)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(
    status=st.sampled_from([200, 201, 301, 400, 401, 404, 429, 500, 503]),
    said=ODD | odd_things("type", "title", code=21211, status="queued", sid="SM1"),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True
)
def test_whatever_the_provider_answers_can_be_kept(
    twilio: Server, status: int, said: object
) -> None:
    twilio.scripts = [answer(said, status)]
    outcome = sms.send(TEXT)
    if isinstance(outcome, Accepted):
        assert 0 < len(outcome.provider_id) <= 64
        words = [outcome.provider_id, outcome.status]
    else:
        assert outcome.code
        words = [outcome.code]
    for word in words:
        assert fit(word, 64) == word
    assert len(words[-1]) <= 16


SOUND = {"sid": "SM1", "status": "sent", "body": "Hello", "error_code": None}
WHEN = "Fri, 20 Nov 2026 18:00:00 +0000"


@given(row=odd_things(**SOUND, date_created=WHEN) | ODD, as_list=st.booleans())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True
)
def test_a_message_that_the_provider_has_is_read_or_asked_for_again(
    twilio: Server, row: object, as_list: bool
) -> None:
    twilio.scripts = [answer({"messages": [row]} if as_list else row, 200)]
    since = datetime(2026, 11, 20, tzinfo=UTC)
    try:
        found = sms.listed(to=TEXT.to, since=since) if as_list else [sms.fetch("SM1")]
    except sms.NoAnswer:
        return
    for one in filter(None, found):
        assert fit(one.provider_id, 64) == one.provider_id
        assert fit(one.status, 16) == one.status
        assert fit(one.error_code, 16) == one.error_code
        assert isinstance(one.text, str)
        assert one.created_at >= since


def test_a_list_in_which_one_message_cannot_be_read_proves_no_absence(twilio: Server) -> None:
    sound = {**SOUND, "date_created": WHEN}
    twilio.scripts = [answer({"messages": [sound, {**sound, "sid": None}]}, 200)]
    with pytest.raises(sms.NoAnswer):
        sms.listed(to=TEXT.to, since=datetime(2026, 11, 20, tzinfo=UTC))


# --- one among others ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("status", "said", "state"),
    [
        (201, {"sid": "SM1", "status": None}, State.UNKNOWN),
        (201, {"sid": 5, "status": "queued"}, State.UNKNOWN),
        (201, {"sid": "SM\0", "status": "queued"}, State.UNKNOWN),
        (201, {"sid": "SM1", "status": "partially_delivered"}, State.SENT),
        (201, {"sid": "SM1", "status": "queued\0"}, State.SENT),
        (400, {"code": "an error of very many words"}, State.FAILED),
        (400, {"code": "\0"}, State.FAILED),
    ],
)
def test_an_odd_answer_for_one_leaves_the_record_of_the_others_alone(
    twilio: Server, clinic: Clinic, status: int, said: object, state: State
) -> None:
    sound = [answer({"sid": f"SM2{number}", "status": "queued"}) for number in range(2)]
    twilio.scripts = [answer(said, status), *sound]
    for number in range(3):
        log(patient=make_patient(clinic=clinic, phone=f"+1202555010{number}"))
    drain()
    rows = Reminder.objects.filter(rule="handover", occurrence=1)
    states = sorted(rows.values_list("state", flat=True))
    assert states == sorted([State.SENT, State.SENT, state])
