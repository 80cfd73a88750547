"""The phone keeps Twilio's promises, judged by Twilio's own SDK over HTTP."""

import json
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.client import HTTPResponse
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.phone.client import Phone, start_phone
from tests.phone.receiver import Site
from tests.phone.sdk import HttpClientToPhone
from tests.phone.segments import count_segments

SID = "AC" + "5" * 32
TOKEN = "a-token"
CLINIC = "+12025550100"
PATIENT = "+12025550123"


@pytest.fixture(scope="module")
def running() -> Iterator[Phone]:
    with start_phone(account_sid=SID, auth_token=TOKEN) as phone:
        yield phone


@pytest.fixture
def phone(running: Phone) -> Phone:
    running.reset()
    running.control(delays=0)
    return running


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def twilio(phone: Phone) -> Client:
    return sdk(phone)


def sdk(phone: Phone, token: str = TOKEN, timeout: float = 5.0) -> Client:
    return Client(SID, token, http_client=HttpClientToPhone(phone.base_url, timeout))


def send(twilio: Client, to: str = PATIENT, body: str = "Hello", **more: Any) -> Any:
    return twilio.messages.create(to=to, from_=more.pop("from_", CLINIC), body=body, **more)


def refusal(twilio: Client, **words: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        send(twilio, **words)
    return caught.value.status, caught.value.code


def test_a_created_message_has_twilios_shape_and_can_be_fetched(twilio: Client) -> None:
    created = send(twilio, body="Cool air helps.")
    assert (created.status, created.direction) == ("queued", "outbound-api")
    assert created.sid.startswith("SM")
    assert len(created.sid) == 34
    assert (created.num_segments, created.error_code, created.price) == ("1", None, None)
    assert created.date_created is not None
    assert created.date_sent is None
    fetched = twilio.messages(created.sid).fetch()
    assert (fetched.body, fetched.to, fetched.from_) == ("Cool air helps.", PATIENT, CLINIC)


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_are_counted_as_carriers_do(body: str, segments: int) -> None:
    assert count_segments(body) == segments


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"to": ""}, 21604),
        ({"body": ""}, 21602),
        ({"to": "12025550123"}, 21211),
        ({"from_": "+0123"}, 21212),
        ({"body": "a" * 1601}, 21617),
        ({"to": CLINIC}, 21266),
    ],
)
def test_a_bad_create_is_refused_with_twilios_code(
    twilio: Client, words: dict[str, str], code: int
) -> None:
    assert refusal(twilio, **words) == (400, code)


def test_a_wrong_token_and_the_auth_knob_answer_20003(phone: Phone, twilio: Client) -> None:
    assert refusal(sdk(phone, "wrong")) == (401, 20003)
    phone.control(auth_fails=True)
    assert refusal(twilio) == (401, 20003)


def test_a_message_through_a_service_is_accepted_first_and_then_has_a_sender(
    phone: Phone, twilio: Client
) -> None:
    service = "MG" + "7" * 32
    created = twilio.messages.create(to=PATIENT, messaging_service_sid=service, body="Hello")
    assert (created.status, created.from_, created.messaging_service_sid) == (
        "accepted",
        None,
        service,
    )
    phone.wait_for(lambda messages: messages[0]["status"] == "delivered")
    assert twilio.messages(created.sid).fetch().from_ == CLINIC


def test_a_text_that_waits_longer_than_its_validity_fails(phone: Phone, twilio: Client) -> None:
    phone.control(delays={"sent": 1.05})
    send(twilio, validity_period=1)
    end = phone.wait_for(lambda messages: messages[0]["status"] == "failed" and messages[0])
    assert end["error_code"] == 30036


def test_an_unknown_message_is_not_found(twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages("SM" + "0" * 32).fetch()
    assert (caught.value.status, caught.value.code) == (404, 20404)


def test_a_list_pages_newest_first_and_stays_stable_while_messages_arrive(twilio: Client) -> None:
    sent = [send(twilio, body=str(number)).sid for number in range(5)]
    send(twilio, to="+12025550124")
    page = twilio.messages.page(to=PATIENT, page_size=2)
    first = [message.sid for message in page]
    send(twilio, body="late")
    rest = [message.sid for message in page.next_page()]
    assert first + rest == sent[:0:-1]
    assert len(twilio.messages.list(to=PATIENT, from_=CLINIC, page_size=2)) == 6


def test_a_date_sent_filter_misses_what_is_still_queued(phone: Phone, twilio: Client) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    sent = send(twilio).sid
    phone.wait_for(lambda messages: messages[0]["status"] == "delivered")
    phone.control(delays={"sent": 60})
    queued = send(twilio).sid
    assert [found.sid for found in twilio.messages.list(date_sent_after=since)] == [sent]
    assert [found.sid for found in twilio.messages.list(date_sent_before=since)] == []
    assert {found.sid for found in twilio.messages.list()} == {sent, queued}


def test_a_list_lags_when_told_to(phone: Phone, twilio: Client) -> None:
    phone.control(list_lag_s=60)
    send(twilio)
    assert twilio.messages.list(to=PATIENT) == []


@pytest.mark.parametrize(
    ("digits", "answer"),
    [
        ("90", (400, 21211)),
        ("91", (400, 21610)),
        ("92", (400, 21614)),
        ("97", (429, 20429)),
        ("98", (500, 20500)),
    ],
)
def test_a_magic_number_is_refused_and_nothing_is_created(
    phone: Phone, twilio: Client, digits: str, answer: tuple[int, int]
) -> None:
    assert refusal(twilio, to="+120255501" + digits) == answer
    assert phone.messages() == []


@pytest.mark.parametrize(
    ("digits", "end"),
    [
        ("93", ("undelivered", 30003)),
        ("94", ("failed", 30005)),
        ("95", ("undelivered", 30007)),
        ("96", ("sent", None)),
    ],
)
def test_a_magic_number_is_accepted_and_ends_badly(
    phone: Phone, twilio: Client, digits: str, end: tuple[str, int | None]
) -> None:
    sid = send(twilio, to="+120255501" + digits).sid
    phone.wait_for(lambda messages: messages[0]["status"] == end[0])
    found = twilio.messages(sid).fetch()
    assert (found.status, found.error_code) == end


def test_a_500_may_come_after_the_message_was_created(phone: Phone, twilio: Client) -> None:
    assert refusal(twilio, to="+12025550199") == (500, 20500)
    assert len(phone.messages("+12025550199")) == 1


@pytest.mark.parametrize(
    ("fault", "error", "created"),
    [
        ("timeout", requests.ReadTimeout, 1),
        ("reset", requests.ConnectionError, 1),
        ("reset_before", requests.ConnectionError, 0),
    ],
)
def test_an_answer_can_be_lost_on_the_way(
    phone: Phone, fault: str, error: type[Exception], created: int
) -> None:
    phone.control(next={fault: 1})
    with pytest.raises(error):
        send(sdk(phone, timeout=0.3))
    assert len(phone.messages()) == created
    assert send(sdk(phone)).status == "queued"


def test_next_faults_are_used_up_in_order_and_counted(phone: Phone, twilio: Client) -> None:
    phone.control(next={"429": 1, "500": 1})
    callback = "http://127.0.0.1:9/status/attempt-7/"
    codes = [refusal(twilio, status_callback=callback)[1] for _ in range(2)]
    send(twilio, status_callback=callback)
    send(twilio, status_callback=callback)
    stats = phone.stats()
    assert codes == [20429, 20500]
    assert stats["attempts"] == {"attempt-7": {"calls": 4, "created": 2, "doubled": 1}}
    assert stats["answers"] == {"429": 1, "500": 1, "201": 2}
    assert (stats["calls"], stats["created"], stats["doubled_texts"]) == (4, 2, 1)


def test_an_unknown_knob_is_refused_and_changes_nothing(phone: Phone) -> None:
    with pytest.raises(HTTPError, match="400"):
        phone.control(latency_ms=5, volume=11)
    assert phone.control()["latency_ms"] == 0


def test_callbacks_come_in_order_and_signed_over_the_url_without_its_fragment(
    twilio: Client, site: Site
) -> None:
    sid = send(twilio, status_callback=site.base + "/status?attempt=1#rc=5&rp=all").sid
    forms = site.wait_for_posts(3)
    assert [form["MessageStatus"] for form in forms] == ["queued", "sent", "delivered"]
    assert {form["MessageSid"] for form in forms} == {sid}
    for path, form, signature in site.posts:
        assert path == "/status?attempt=1"
        assert RequestValidator(TOKEN).validate(site.base + path, form, signature)
        assert not RequestValidator("another").validate(site.base + path, form, signature)


def test_a_callback_is_tried_again_as_its_fragment_asks(
    phone: Phone, twilio: Client, site: Site
) -> None:
    phone.control(retry_wait_s=0.01)
    site.statuses = [500, 503, 200]
    send(twilio, status_callback=site.base + "/status#rc=2&rp=5xx")
    statuses = [form["MessageStatus"] for form in site.wait_for_posts(5)]
    assert statuses == ["queued"] * 3 + ["sent", "delivered"]


def test_without_overrides_a_500_is_not_tried_again(
    phone: Phone, twilio: Client, site: Site
) -> None:
    site.statuses = [500]
    send(twilio, status_callback=site.base + "/status")
    site.wait_for_posts(3)
    phone.wait_for_callbacks()
    assert [form["MessageStatus"] for _, form, _ in site.posts] == ["queued", "sent", "delivered"]


def test_callbacks_can_be_repeated_scrambled_and_dropped(
    phone: Phone, twilio: Client, site: Site
) -> None:
    phone.control(repeat=3, scramble=True)
    send(twilio, status_callback=site.base + "/status")
    assert len(site.wait_for_posts(9)) == 9
    phone.control(drop=1.0)
    send(twilio, status_callback=site.base + "/status")
    phone.wait_for(lambda messages: messages[-1]["status"] == "delivered")
    assert phone.stats()["callbacks"]["dropped"] == 9


def test_a_patients_text_reaches_the_site_signed_and_the_answer_reaches_the_phone(
    phone: Phone, site: Site
) -> None:
    phone.control(public_base=site.base)
    site.twiml = "<Response><Message>A nurse reads this.</Message></Response>"
    answer = phone.inbound(PATIENT, CLINIC, "It itches")
    ((path, form, signature),) = site.posts
    assert path == "/webhooks/twilio/inbound"
    assert (form["From"], form["To"], form["Body"]) == (PATIENT, CLINIC, "It itches")
    assert form["NumMedia"] == "0"
    assert "OptOutType" not in form
    assert RequestValidator(TOKEN).validate(site.base + path, form, signature)
    assert (answer["status"], answer["replies"]) == (200, ["A nurse reads this."])
    phone.wait_for(lambda messages: messages[-1]["body"] == "A nurse reads this.", to=PATIENT)


def test_after_stop_a_create_is_refused_until_start(
    phone: Phone, twilio: Client, site: Site
) -> None:
    phone.control(public_base=site.base)
    phone.inbound(PATIENT, CLINIC, " stop ")
    assert refusal(twilio) == (400, 21610)
    assert send(twilio, from_="+12025550101").status == "queued"
    phone.inbound(PATIENT, CLINIC, "START")
    assert send(twilio).status == "queued"


def test_the_carrier_confirms_stop_itself_when_told_to(phone: Phone, site: Site) -> None:
    phone.control(public_base=site.base, carrier_confirms=True, opt_out_type=True)
    site.twiml = "<Response><Message>The site says so too.</Message></Response>"
    assert phone.inbound(PATIENT, CLINIC, "STOP")["replies"] == []
    assert site.posts[0][1]["OptOutType"] == "STOP"
    assert "unsubscribed" in phone.messages(PATIENT)[-1]["body"]


def look(phone: Phone, path: str) -> HTTPResponse:
    response: HTTPResponse = urlopen(phone.base_url + path, timeout=5)  # noqa: S310 - always http
    return response


def mail_to(address: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "care@clinic.example", address, "Tonight"
    mail["Message-ID"] = "<1@clinic.example>"
    mail.set_content("Hands off: ¡así! See https://clinic.example/r/1")
    mail.add_alternative("<p>Hands off</p>", subtype="html")
    return mail


def test_a_mail_is_kept_with_both_its_parts(phone: Phone) -> None:
    with smtplib.SMTP("127.0.0.1", phone.smtp_port) as smtp:
        smtp.send_message(mail_to("maria@example.com"))
    (mail,) = phone.messages("maria@example.com")
    assert (mail["subject"], mail["html"].strip()) == ("Tonight", "<p>Hands off</p>")
    assert mail["text"].startswith("Hands off: ¡así!")
    assert ["Message-ID", "<1@clinic.example>"] in mail["headers"]
    with look(phone, f"/mail/{mail['id']}.html") as response:
        assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("address", "code"), [("bounce", 550), ("later+7", 451)])
def test_a_magic_mailbox_refuses(phone: Phone, address: str, code: int) -> None:
    refused = pytest.raises(smtplib.SMTPRecipientsRefused)
    with smtplib.SMTP("127.0.0.1", phone.smtp_port) as smtp, refused as caught:
        smtp.send_message(mail_to(f"{address}@example.com"))
    assert caught.value.recipients[f"{address}@example.com"][0] == code
    assert phone.messages() == []


def test_the_page_hears_of_a_message_without_asking(phone: Phone, twilio: Client) -> None:
    with look(phone, "/events") as stream:
        assert stream.readline() == b"retry: 500\n"
        sid = send(twilio).sid
        line = next(line for line in stream if line.startswith(b"data: "))
        assert json.loads(line.removeprefix(b"data: "))[0]["sid"] == sid


def test_the_page_loads_nothing_from_elsewhere(phone: Phone) -> None:
    with look(phone, "/") as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "https://" not in response.read().decode()


def test_the_mailbox_outlives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "phone.jsonl"
    with start_phone(account_sid=SID, auth_token=TOKEN, state=state) as phone:
        phone.control(delays=0)
        send(sdk(phone))
        phone.wait_for(lambda messages: messages[0]["status"] == "delivered")
        phone.inbound(PATIENT, CLINIC, "STOP")
        phone.control(delays={"sent": 60})
        send(sdk(phone), to="+12025550124")
        with smtplib.SMTP("127.0.0.1", phone.smtp_port) as smtp:
            smtp.send_message(mail_to("maria@example.com"))
        before = phone.messages()
    state.write_text(state.read_text() + '{"key": "cut sho')
    with start_phone(account_sid=SID, auth_token=TOKEN, state=state) as phone:
        assert [item["id"] for item in phone.messages()] == [item["id"] for item in before]
        assert refusal(sdk(phone)) == (400, 21610)
        phone.wait_for(lambda found: found[0]["status"] == "delivered", to="+12025550124")


def test_a_taken_port_is_one_plain_sentence_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "tests.phone", f"--port={port}", "--smtp-port=0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 2
    assert f"Port {port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_phone_stops_at_once_even_with_open_streams() -> None:
    with start_phone(account_sid=SID, auth_token=TOKEN) as phone:
        phone.control(next={"timeout": 1})
        with pytest.raises(requests.ReadTimeout):
            send(sdk(phone, timeout=0.1))
        stream = look(phone, "/events")
        asked_at = monotonic()
    assert monotonic() - asked_at < 5  # it waits for no stream: those last for hours
    stream.close()
