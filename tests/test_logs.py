"""No link, number or address gets into a log line."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from aftercare.logs import MaskingFormatter

TOKEN = "Ab3" * 7 + "x"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"Not Found: /r/{TOKEN}", "Not Found: /r/…"),
        ("refused {'maria@example.org': (550, b'no')}", "refused {'…@…': (550, b'no')}"),
        ("The 'To' number +12025550146 is not valid", "The 'To' number +… is not valid"),
        ("Took up 12 due reminders.", "Took up 12 due reminders."),
    ],
)
def test_who_it_was_is_masked_and_the_rest_is_kept(said: str, kept: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, said, (), None)
    assert MaskingFormatter("%(message)s").format(record) == kept


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


@pytest.mark.django_db
def test_a_dead_links_token_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    assert Client().get(f"/r/{TOKEN}").status_code == 404
    assert TOKEN not in capfd.readouterr().err


def test_every_handler_masks() -> None:
    logging_: Any = settings.LOGGING
    names = {handler["formatter"] for handler in logging_["handlers"].values()}
    assert {logging_["formatters"][name]["()"] for name in names} == {
        "aftercare.logs.MaskingFormatter"
    }
