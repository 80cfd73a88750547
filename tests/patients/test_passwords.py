"""What is a good password, and that it is taken exactly as it was typed."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from patients.models import StaffUser
from patients.models.clinic import Role
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.sign_in import is_in, type_password
from tests.test_settings import in_production


@pytest.fixture
def nurse(db: None) -> StaffUser:
    cache.clear()
    return make_staff(clinic=make_clinic(), role=Role.NURSE, name="Imani Brooks")


def choose(client: Client, nurse: StaffUser, new: str) -> str:
    """What is said against it; empty if it is taken."""
    type_password(client, nurse.email)
    typed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    page = client.post(reverse("account_change_password"), typed)
    if page.status_code == 302:
        return ""
    return " ".join(re.findall(r"<li>(.*?)</li>", page.content.decode()))


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("eleven-sign", "too short"),
        ("twelve-signs", ""),
        ("qwerty123456", "too common"),  # of the 20,000 that Django has
        ("Qwerty123456", "too common"),
        ("imani.brooks", "too similar to"),
        ("nurse@lakeside.example", "too similar to"),
        ("demo-lakeside-2026", "everybody knows it"),
        ("justsmallletters", ""),  # no rule asks for kinds of signs
        ("nur ein paar Wörter 漢字 🌊", ""),
    ],
)
def test_it_is_judged_by_its_length_and_by_what_others_would_try(
    client: Client, nurse: StaffUser, new: str, said: str
) -> None:
    found = choose(client, nurse, new)
    assert said in found
    assert bool(found) is bool(said)


@pytest.mark.parametrize(
    "new", [" a space before and after ", "Größe und größe", "x" * 63 + "Y" * 65]
)
def test_it_is_taken_as_typed_every_sign_of_it(client: Client, nurse: StaffUser, new: str) -> None:
    assert choose(client, nurse, new) == ""
    for near in (new.strip(), new.lower(), new[:64], new[:-1]):
        if near != new:
            other = Client()
            type_password(other, nurse.email, near)
            assert not is_in(other), near
            cache.clear()
    other = Client()
    type_password(other, nurse.email, new)
    assert is_in(other)


def test_ones_own_is_good_for_years(client: Client, nurse: StaffUser) -> None:
    with time_machine.travel("2029-11-26T12:00:00Z"):
        type_password(client, nurse.email)
        assert is_in(client)


def test_production_hashes_it_with_argon2() -> None:
    said = in_production("PASSWORD_HASHERS")
    assert said == {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"]}


def test_the_session_that_it_opens_has_a_key_of_more_than_128_random_bits(
    client: Client, nurse: StaffUser
) -> None:
    type_password(client, nurse.email)
    assert re.fullmatch(f"[{VALID_KEY_CHARS}]{{32}}", client.cookies["session"].value)
    assert len(VALID_KEY_CHARS) ** 32 > 2**128
