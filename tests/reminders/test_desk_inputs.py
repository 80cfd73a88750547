"""The desk's form refuses what cannot be, in words, and loses nothing of what was typed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client

from patients.models import StaffUser, Treatment
from reminders.fields import read_phone
from tests.reminders.conftest import CHICAGO
from tests.reminders.desk_form import filled, save, text_of

REFUSED = {
    "no first name": ({"first_name": " "}, "Write the first name."),
    "no last name": ({"last_name": ""}, "Write the last name."),
    "a short number": (
        {"phone": "(202) 555-01"},
        "“(202) 555-01” is too short for a US number: 8 digits, it needs 10.",
    ),
    "a long number": (
        {"phone": "202 555 0146 99"},
        "“202 555 0146 99” is too long for a US number: 12 digits, it needs 10.",
    ),
    "no area code": ({"phone": "555-0146"}, "“555-0146” lacks its area code."),
    "letters": ({"phone": "ask her"}, "“ask her” is not a phone number."),
    "an impossible area": (
        {"phone": "(100) 555-0146"},
        "“(100) 555-0146” is not given to anybody as a US number: check its first digits.",
    ),
    "an unknown country": (
        {"phone": "+999 123456"},
        "“+999 123456” begins with no country code we know.",
    ),
    "a toll-free number": (
        {"phone": "(855) 383-7546"},
        "This is a toll-free number: no text reaches it. Or send to email.",
    ),
    "a British landline": (
        {"phone": "+44 20 7946 0958"},
        "This is a landline: no text reaches it. Or send to email.",
    ),
    "texts without a number": (
        {"phone": ""},
        "Texts need a mobile number. Or send to email instead.",
    ),
    "email without an address": (
        {"channel": "email"},
        "Email needs an address. Or send to the mobile instead.",
    ),
    "a bad email": (
        {"email": "maria@"},
        "This is not an email address. One looks like ana@example.org.",
    ),
    "no time": (
        {"ended": "other"},
        "Say on which day and at what time it ended.",
    ),
    "an unreadable time": (
        {"ended": "other", "ended_at": "yesterday"},
        "Write the day and the time, like 11/23/2026, 2:05 pm.",
    ),
    "a time ahead": (
        {"ended": "other", "ended_at": "2026-11-23T12:06"},
        "That time is in the future. When did the treatment end?",
    ),
    "a time long ago": (
        {"ended": "other", "ended_at": "2026-10-20T12:00"},
        "That is more than 30 days ago. The plan is over: nothing is left to remind of.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_input_is_refused_in_words_and_nothing_typed_is_lost(desk: Client, case: str) -> None:
    changes, sentence = REFUSED[case]
    page = text_of(save(desk, filled(last_name="O’Hara-Lindqvist") | changes))
    assert sentence in page
    assert "Nothing you typed is lost." in page
    assert "O’Hara-Lindqvist" in page or "last_name" in changes
    assert Treatment.objects.count() == 0


def test_a_local_time_that_the_clocks_skipped_is_explained(
    desk: Client, noon: time_machine.Traveller
) -> None:
    noon.move_to(datetime(2027, 3, 14, 12, 0, tzinfo=CHICAGO))
    desk.force_login(StaffUser.objects.get())
    page = text_of(save(desk, filled(ended="other", ended_at="2027-03-14T02:30")))
    assert "There was no 2:30 am that day: the clocks went forward. Was it 3:30 am?" in page
    assert Treatment.objects.count() == 0


def test_of_a_local_time_that_came_twice_the_later_is_taken(
    desk: Client, noon: time_machine.Traveller
) -> None:
    noon.move_to(datetime(2026, 11, 1, 12, 0, tzinfo=CHICAGO))
    desk.force_login(StaffUser.objects.get())
    save(desk, filled(ended="other", ended_at="2026-11-01T01:30"))
    assert Treatment.objects.get().treated_at == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_five_minutes_ahead_is_still_taken(desk: Client) -> None:
    save(desk, filled(ended="other", ended_at="2026-11-23T12:05"))
    assert Treatment.objects.count() == 1


@pytest.mark.parametrize(
    ("region", "typed", "sentence"),
    [
        ("GB", "020 79", "“020 79” is too short for a UK number."),
        ("AU", "0491", "“0491” is too short for an AU number."),
    ],
)
def test_a_number_is_read_as_in_the_clinics_country(region: str, typed: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        read_phone(typed, region)
