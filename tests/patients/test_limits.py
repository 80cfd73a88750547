"""Personal links are opened as often as people need, and no oftener; guessing is put off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.cache import cache, caches
from django.test import Client

from patients import limits, links
from patients.models import Report, Treatment
from patients.seal import seal_of
from tests.builders import log, make_clinic, make_patient
from tests.services.valkey import Valkey

T = datetime(2026, 11, 23, 20, 20, 10, tzinfo=UTC)
UNKNOWN = "0" * links.TOKEN_LENGTH


@pytest.fixture(autouse=True)
def few(settings: Any) -> Iterator[time_machine.Traveller]:
    """Three openings and two misses a minute; the clock stands still."""
    settings.LINK_OPENINGS_A_MINUTE, settings.LINK_MISSES_A_MINUTE = 3, 2
    cache.clear()
    limits._rest.ends_at = 0.0
    with time_machine.travel(T, tick=False) as clock:
        yield clock
    limits._rest.ends_at = 0.0


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic()), treated_at=T)


def opened(token: str, *, address: str = "198.51.100.7") -> Any:
    return Client().get(f"/r/{token}", REMOTE_ADDR=address)


def test_after_too_many_openings_one_is_asked_to_wait_with_the_emergency_signs(
    treatment: Treatment, few: time_machine.Traveller
) -> None:
    token = links.token_of(treatment)
    assert [opened(token).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = opened(token)
    page = answer.content.decode()
    assert "Please wait a minute" in page
    assert "Call 911 now if" in page
    assert "tel:+18553837546" in page
    assert int(answer["Retry-After"]) == 50  # the minute began ten seconds ago
    assert answer["Cache-Control"] == "private, no-store"
    assert not answer.cookies
    assert token not in page
    few.shift(int(answer["Retry-After"]))
    assert opened(token).status_code == 200


def test_who_is_elsewhere_is_not_held_up(treatment: Treatment) -> None:
    token = links.token_of(treatment)
    for _ in range(5):
        opened(token)
    assert opened(token, address="203.0.113.9").status_code == 200


def test_whoever_guesses_is_put_off_and_a_patient_on_the_same_network_is_not(
    treatment: Treatment, settings: Any
) -> None:
    settings.LINK_OPENINGS_A_MINUTE = 1000
    assert [opened(UNKNOWN).status_code for _ in range(4)] == [404, 404, 429, 429]
    assert opened(links.token_of(treatment)).status_code == 200


def test_one_household_of_ipv6_counts_as_one(treatment: Treatment) -> None:
    found = [opened(UNKNOWN, address=f"2001:db8:1:2::{n:x}").status_code for n in range(1, 5)]
    assert found == [404, 404, 429, 429]
    assert opened(UNKNOWN, address="2001:db8:1:3::1").status_code == 404


def test_a_warning_sign_is_taken_however_many_pages_were_opened(treatment: Treatment) -> None:
    token = links.token_of(treatment)
    for _ in range(9):
        opened(token)
    sign = next(iter(treatment.version.protocol.words("en").signs))
    answer = Client().post(
        f"/r/{token}/wrong", {"sign": sign, "seal": seal_of(token)}, REMOTE_ADDR="198.51.100.7"
    )
    assert answer.status_code == 303
    assert Report.objects.count() == 1


def test_an_end_of_the_mails_is_never_put_off(treatment: Treatment) -> None:
    treatment.patient.email = "maria@example.org"
    treatment.patient.save()
    token = links.token_of(treatment)
    asked = [Client().get(f"/u/{token}", REMOTE_ADDR="198.51.100.7").status_code for _ in range(5)]
    assert asked == [200, 200, 200, 429, 429]
    assert Client().post(f"/u/{token}", REMOTE_ADDR="198.51.100.7").status_code == 200


def test_without_an_address_nobody_is_counted(treatment: Treatment) -> None:
    token = links.token_of(treatment)
    assert {opened(token, address="").status_code for _ in range(6)} == {200}


def test_a_cache_that_is_away_leaves_the_pages_open_and_is_asked_seldom(
    treatment: Treatment, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/valkey.sock",
        }
    }
    began = time.monotonic()
    token = links.token_of(treatment)
    assert {opened(token).status_code for _ in range(6)} == {200}
    assert opened(UNKNOWN).status_code == 404
    assert caplog.text.count("The cache did not answer") <= 1 + int(time.monotonic() - began) // 5


@pytest.mark.services
def test_all_web_servers_count_together(
    treatment: Treatment, settings: Any, valkey: Valkey
) -> None:
    """The counters are in the shared cache: another process's connection goes on counting."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL,
            "KEY_PREFIX": f"limits-{treatment.ref}",
        }
    }
    token = links.token_of(treatment)
    assert [opened(token).status_code for _ in range(3)] == [200, 200, 200]
    caches["default"].close()
    del caches["default"]
    assert opened(token).status_code == 429
