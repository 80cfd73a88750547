"""No link, number or address gets into a log line."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.views.debug import get_exception_reporter_class, get_exception_reporter_filter
from pytest_django import Settings

from aftercare.logs import JsonFormatter, MaskingFormatter, masked, set_about
from tests.builders import make_clinic, make_staff
from tests.services.running import Running

TOKEN = "Ab3" * 7 + "x"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"Not Found: /r/{TOKEN}", "Not Found: /r/…"),
        (f"Not Found: /R/{TOKEN}", "Not Found: /R/…"),
        (f"Not Found: /{TOKEN}", "Not Found: /…"),
        ("refused {'maria@example.org': (550, b'no')}", "refused {'…@…': (550, b'no')}"),
        ("The 'To' number +12025550146 is not valid", "The 'To' number +… is not valid"),
        ("Took up 12 due reminders.", "Took up 12 due reminders."),
    ],
)
def test_who_it_was_is_masked_and_the_rest_is_kept(said: str, kept: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, said, (), None)
    assert MaskingFormatter("%(message)s").format(record) == kept


def test_a_long_line_is_gone_through_once_and_not_from_each_of_its_letters() -> None:
    """Gone through anew from every letter, this one would take minutes."""
    assert masked("9" * 200_000) == "9" * 200_000
    long = "a" * 254
    assert masked(f"to {long}@clinic.example") == "to …@…"


def test_a_traceback_is_masked_too() -> None:
    try:
        raise ValueError("no such person: maria@example.org, +12025550146")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "broken", (), info)
    line = MaskingFormatter("%(message)s").format(record)
    assert "ValueError" in line
    assert "maria@example" not in line
    assert "+1202" not in line


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """What the root logger says in the test, as JSON."""
    kept = StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield kept.getvalue
    logging.getLogger().removeHandler(handler)


@pytest.mark.django_db
def test_a_dead_links_token_is_not_logged(logged: Callable[[], str]) -> None:
    assert Client().get(f"/r/{TOKEN}").status_code == 404
    assert "Not Found: /r/…" in logged()
    assert TOKEN not in logged()


def test_every_handler_masks_in_either_form() -> None:
    logging_: Any = settings.LOGGING
    names = {handler["formatter"] for handler in logging_["handlers"].values()}
    assert names == {settings.LOG_FORMAT}
    assert {one["()"] for one in logging_["formatters"].values()} == {
        "aftercare.logs.MaskingFormatter",
        "aftercare.logs.JsonFormatter",
    }
    assert logging.getLogger("django").handlers == []


# --- JSON -----------------------------------------------------------------------------------------


def json_of(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def record_of(
    said: str, *args: object, error: BaseException | None = None, level: int = logging.INFO
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("reminders.dispatch", level, "f", 1, said, args, info)


def raised(error: BaseException, *, by: BaseException | None = None) -> BaseException:
    try:
        if by is None:
            raise error
        raise error from raised(by)
    except type(error) as caught:
        return caught


def test_a_json_line_names_the_request_and_the_reminder() -> None:
    record = record_of("Reminder %d could not be written.", 17, level=logging.ERROR)
    set_about(request="a" * 32)
    found = json_of(record)
    time = datetime.fromisoformat(found.pop("time"))
    assert time.utcoffset() == timedelta()
    assert found == {
        "level": "ERROR",
        "logger": "reminders.dispatch",
        "message": "Reminder 17 could not be written.",
        "request": "a" * 32,
        "reminder": 17,
    }
    set_about(task="drain")
    assert "request" not in json_of(record)
    set_about()


def test_a_json_line_is_masked_as_every_other() -> None:
    found = json_of(record_of("Not Found: /r/%s of maria@example.org, +12025550146", TOKEN))
    assert found["message"] == "Not Found: /r/… of …@…, +…"


@pytest.mark.parametrize("form", [JsonFormatter(), MaskingFormatter("%(message)s")])
@pytest.mark.parametrize(
    "error",
    [
        ValueError("Maria Gomez has no zone"),
        KeyError("Maria"),
        DataError('invalid input syntax for type integer: "Maria"'),
        IntegrityError('null value in column "zone"\nDETAIL:  Failing row contains (1, Maria, …)'),
        raised(RuntimeError("Maria"), by=LookupError("Gomez, Maria")),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_an_error_says_of_somebody_is_left_out(
    form: logging.Formatter, error: BaseException
) -> None:
    record = record_of("raised unexpected: %r", error, error=raised(error))
    record.exc_text = f"as another handler wrote it: {error}"
    line = form.format(record)
    assert "Maria" not in line
    assert "Gomez" not in line
    assert type(error).__name__ in line
    assert "test_logs.py" in line  # where it broke


def test_what_an_error_says_of_machines_is_kept() -> None:
    for error in (
        OperationalError("connection refused"),
        ConnectionRefusedError(111, "Connection refused"),
        AttributeError("'NoneType' object has no attribute 'zone'"),
        IntegrityError("UNIQUE constraint failed: reminders_alarm.kind"),
    ):
        found = json_of(record_of("It broke.", error=raised(error)))
        assert str(error) in found["error"]


def test_a_cause_is_told_before_what_it_led_to() -> None:
    error = raised(OSError("second"), by=TypeError("first"))
    told = json_of(record_of("It broke.", error=error))["error"]
    assert told.index("TypeError: first") < told.index("OSError: second")


# --- requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("0f" * 16, True),
        ("8a6e0804-2bd0-4672-b79d-d97027f9071a", True),
        ("", False),
        ("short", False),
        ("+12025550146", False),
        ("Maria Gomez was here once", False),
        ("f" * 200, False),
        ("0f" * 16 + "\n", False),
    ],
)
def test_a_proxys_request_id_is_taken_only_if_it_is_one(given: str, is_taken: bool) -> None:
    answer = Client().get("/healthz", headers={"X-Request-ID": given})
    assert (answer["X-Request-ID"] == given) is is_taken
    assert re.fullmatch(r"[0-9a-f-]{32,36}", answer["X-Request-ID"])


def test_two_requests_have_two_ids() -> None:
    first, second = (Client().get("/healthz")["X-Request-ID"] for _ in range(2))
    assert first != second


@pytest.mark.django_db
def test_what_a_request_logs_carries_its_id(logged: Callable[[], str]) -> None:
    Client().get(f"/r/{TOKEN}", headers={"X-Request-ID": "ab" * 16})
    assert [json.loads(line)["request"] for line in logged().splitlines()] == ["ab" * 16]


@pytest.mark.django_db
def test_whoever_is_refused_leaves_a_line_with_the_requests_id(
    client: Client, logged: Callable[[], str]
) -> None:
    client.force_login(make_staff(clinic=make_clinic()))
    client.get("/audit/", headers={"X-Request-ID": "cd" * 16})
    found = [json.loads(line) for line in logged().splitlines()]
    assert [(one["message"], one["request"]) for one in found] == [
        ("Forbidden (Permission denied): /audit/", "cd" * 16)
    ]


EVIL = "maria-gomez.evil.example"


@pytest.mark.django_db
@pytest.mark.parametrize("is_https_only", [False, True])
@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"headers": {"Host": EVIL}}, "it names a host that is not ours (ALLOWED_HOSTS)."),
        ({"QUERY_STRING": "evil=%00evil"}, "what is asked cannot be meant."),
    ],
)
def test_of_a_refused_request_one_plain_line_is_logged_with_no_word_of_its_sender(
    logged: Callable[[], str],
    settings: Settings,
    sent: dict[str, Any],
    words: str,
    is_https_only: bool,
) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SECURE_SSL_REDIRECT = is_https_only  # it asks for the host before our gate does
    settings.PUBLIC_BASE_URL = "http://localhost"
    sent = {"headers": {"Host": "localhost"}, "secure": EVIL not in str(sent), **sent}
    assert Client().get("/maria/gomez/evil/", **sent).status_code == 400
    (line,) = map(json.loads, logged().splitlines())
    assert line["message"] == f"Refused with 400: {words}"
    assert line["level"] == "WARNING"
    assert "error" not in line
    assert "evil" not in logged()


# --- error reports --------------------------------------------------------------------------------


def report(rf: RequestFactory) -> tuple[str, str]:
    """What Django would mail of an error in a form with a patient's data."""
    request = rf.post("/desk/?q=Gomez", {"first_name": "Maria"}, HTTP_COOKIE="session=secret")
    patient = "Maria"
    try:
        raise ValueError(patient)
    except ValueError as error:
        make: Any = get_exception_reporter_class(request)
        reporter = make(request, type(error), error, error.__traceback__, is_email=True)
    return reporter.get_traceback_text(), reporter.get_traceback_html()


def test_an_error_report_holds_nobodys_data(rf: RequestFactory) -> None:
    for text in report(rf):
        assert "ValueError" in text
        assert "test_logs.py" in text
        for secret in ("Maria", "Gomez", "secret", settings.SECRET_KEY, settings.LINK_KEY):
            assert secret not in text


def test_nothing_of_a_form_or_a_frame_is_shown_to_whoever_asks(rf: RequestFactory) -> None:
    request = rf.post("/desk/", {"first_name": "Maria"}, HTTP_COOKIE="session=secret")
    hiding: Any = get_exception_reporter_filter(request)
    assert set(hiding.get_post_parameters(request).values()) == {hiding.cleansed_substitute}
    assert set(hiding.get_safe_cookies(request).values()) == {hiding.cleansed_substitute}
    assert hiding.get_traceback_frame_variables(request, sys._getframe()) == []


@login_not_required
def breaks(request: HttpRequest) -> HttpResponse:
    raise ValueError(request.GET["who"])


class Broken:
    """A site with one address, which breaks."""

    urlpatterns = [path("broken/", breaks)]


def test_a_view_that_breaks_mails_nobody_and_logs_no_name(
    client: Client, settings: Settings, mailoutbox: list[object], logged: Callable[[], str]
) -> None:
    settings.ADMINS = [("Ops", "ops@clinic.example")]
    settings.ROOT_URLCONF = Broken
    client.raise_request_exception = False
    assert client.get("/broken/?who=Maria").status_code == 500
    assert mailoutbox == []
    assert "Internal Server Error: /broken/" in logged()
    assert "ValueError" in logged()
    assert "Maria" not in logged()


# --- a real process -------------------------------------------------------------------------------


def test_every_line_of_a_web_server_is_json_from_the_first_on(celery_processes: Running) -> None:
    """gunicorn's own lines, too, which begin before Django's logging is set up."""
    celery_processes.site({"LOG_FORMAT": "json"})
    celery_processes.stop()
    (log,) = celery_processes.logs.glob("site-*.log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["logger"] for line in lines} >= {"gunicorn.error"}
    assert {"time", "level", "message"} <= set.intersection(*map(set, lines))
