"""Guessing a password is slow, tells nothing, and slows nobody but whose account it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from patients.models import Clinic, StaffUser
from patients.models.clinic import Role
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.services.valkey import Valkey
from tests.sign_in import is_in, type_password

SLOWED = "Too many tries. Wait five minutes, or use your passkey."
WRONG = "The email address and the password are not correct."


@pytest.fixture(autouse=True)
def fresh(db: None) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def nurse(clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic, role=Role.NURSE)


def said(answer: HttpResponseBase) -> str:
    found = re.search(r'role="alert">\s*<p>(.*?)</p>', answer.content.decode(), re.DOTALL)  # type: ignore[attr-defined]
    return found[1] if found else ""


def guess(client: Client, email: str, times: int) -> list[str]:
    return [said(type_password(client, email, f"wrong-{number}")) for number in range(times)]


def test_the_sixth_bad_try_is_slowed_and_a_colleague_at_the_same_address_is_not(
    client: Client, nurse: StaffUser
) -> None:
    colleague = make_staff(clinic=nurse.clinic)
    assert guess(client, nurse.email, 6) == [WRONG] * 5 + [SLOWED]
    assert said(type_password(client, nurse.email)) == SLOWED  # the right one waits as well
    assert said(type_password(Client(REMOTE_ADDR="203.0.113.9"), nurse.email)) == SLOWED
    beside = Client()
    type_password(beside, colleague.email)
    assert is_in(beside)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        type_password(client, nurse.email)
        assert is_in(client)


def test_slowed_or_not_an_unknown_person_gets_the_same_answers(
    client: Client, nurse: StaffUser
) -> None:
    assert guess(client, "nobody@lakeside.example", 6) == guess(Client(), nurse.email, 6)


def test_an_unknown_person_costs_as_much_as_a_wrong_password(
    client: Client, nurse: StaffUser
) -> None:
    """The hash is what takes long; it is made once for both."""
    made: list[int] = []
    make = MD5PasswordHasher.encode

    def count(self: MD5PasswordHasher, password: str, salt: str) -> str:
        made[-1] += 1
        return make(self, password, salt)

    with patch.object(MD5PasswordHasher, "encode", count):
        for email in (nurse.email, "nobody@lakeside.example"):
            made.append(0)
            type_password(client, email, "wrong")
        StaffUser.objects.update(is_active=False)
        made.append(0)
        type_password(client, nurse.email, "wrong")
    assert made == [1, 1, 1]


def test_the_email_is_the_same_account_however_it_is_written(
    client: Client, nurse: StaffUser
) -> None:
    guess(client, nurse.email.upper(), 3)
    guess(client, f" {nurse.email} ", 2)
    assert guess(client, nurse.email, 1) == [SLOWED]


def test_from_one_address_not_everybodys_password_is_tried(client: Client, clinic: Clinic) -> None:
    answers = {said(type_password(client, f"{n}@lakeside.example", "spring")) for n in range(60)}
    assert answers == {WRONG}
    assert said(type_password(client, "60@lakeside.example", "spring")) == SLOWED
    other = Client(REMOTE_ADDR="203.0.113.9")
    assert said(type_password(other, "61@lakeside.example", "spring")) == WRONG


def test_a_forged_address_is_not_believed_unless_a_proxy_of_ours_wrote_it(
    client: Client, clinic: Clinic, settings: Settings
) -> None:
    def tries(count: int, **headers: str) -> set[str]:
        return {
            said(
                client.post(
                    reverse("account_login"),
                    {"login": f"{n}-{len(headers)}@lakeside.example", "password": "x"},
                    headers={"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.7"},
                )
            )
            for n in range(count)
        }

    tries(60)
    assert said(type_password(client, "a@lakeside.example", "x")) == SLOWED
    cache.clear()
    settings.TRUSTED_PROXIES = 1
    tries(60)  # all from the address our proxy wrote, the last
    assert tries(1) == {SLOWED}
    assert said(type_password(client, "a@lakeside.example", "x")) == WRONG


@pytest.mark.parametrize(
    "said", ["", "x", "1.2.3.4", "a, b, c", "é" * 9, "1" * 4000, "::1, ]", ","]
)
@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_no_forged_address_breaks_the_sign_in(
    nurse: StaffUser, settings: Settings, proxies: int, said: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    for address in ("127.0.0.1", ""):
        client = Client(REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=said)
        assert type_password(client, nurse.email, "wrong").status_code == 200
        cache.clear()


@pytest.mark.services
def test_every_web_server_counts_the_same_tries(
    nurse: StaffUser, client: Client, settings: Settings, valkey: Valkey
) -> None:
    """By the shared cache that production has; here by two caches over one server."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL + "?db=1",
        }
    }
    cache.clear()
    guess(client, nurse.email, 3)
    settings.CACHES = {"default": {**settings.CACHES["default"], "TIMEOUT": 299}}
    assert guess(client, nurse.email, 3) == [WRONG, WRONG, SLOWED]
    cache.clear()


def test_while_nobody_counts_nobody_can_try_and_is_told_so(
    nurse: StaffUser, client: Client, settings: Settings
) -> None:
    signed_in = Client()
    signed_in.force_login(nurse)
    away = "unix:///nowhere/valkey.sock"
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": away}}
    assert client.get(reverse("account_login")).status_code == 200
    for answer in (
        type_password(client, nurse.email),
        client.post(reverse("mfa_login_webauthn"), {"credential": "{}"}),
    ):
        assert answer.status_code == 503
        assert "Signing in is not possible now" in answer.content.decode()  # type: ignore[attr-defined]
    assert is_in(signed_in)
    signed_in.post(reverse("lock"))
    assert signed_in.post(reverse("locked"), {"password": PASSWORD}).status_code == 503
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    signed_in.post(reverse("locked"), {"password": PASSWORD})
    assert is_in(signed_in)


def test_a_successful_sign_in_does_not_give_the_guesser_new_tries(
    client: Client, nurse: StaffUser
) -> None:
    guess(client, nurse.email, 4)
    type_password(Client(), nurse.email)
    assert guess(client, nurse.email, 2) == [WRONG, SLOWED]


def test_a_whole_shift_signs_in_with_passkeys_from_one_address(client: Client, db: None) -> None:
    tries = [client.post(reverse("mfa_login_webauthn"), {"credential": "{}"}) for _ in range(61)]
    assert [one.status_code for one in tries] == [302] * 60 + [429]


def test_the_demos_password_cannot_be_chosen_in_production(
    client: Client, nurse: StaffUser
) -> None:
    type_password(client, nurse.email)
    typed = {"oldpassword": PASSWORD, "password1": "demo-lakeside-2026"}
    page = client.post(
        reverse("account_change_password"), typed | {"password2": typed["password1"]}
    )
    assert "This is the demo’s password" in page.content.decode()
