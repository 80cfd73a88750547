"""Every state, reason and provider code has its words for the person at the board."""

from __future__ import annotations

import pytest

from reminders.channels.codes import CODES
from reminders.models import Attempt, State
from reminders.moments import Skip
from reminders.provider_errors import ERRORS, explain
from reminders.state_words import LOOKS, SKIPPED_SHORT, SKIPPED_WHY
from reminders.story import OUTCOMES


def test_every_state_reason_and_outcome_has_its_words() -> None:
    assert set(LOOKS) == set(State)
    assert set(SKIPPED_SHORT) == set(SKIPPED_WHY) == set(Skip)
    assert set(OUTCOMES) == set(Attempt.Outcome)


def test_every_code_the_channels_know_is_explained() -> None:
    assert set(CODES) <= set(ERRORS)


@pytest.mark.parametrize(
    ("code", "channel", "begins"),
    [
        ("30005", "sms", "This number is not in use."),
        ("99999", "sms", "The provider gave a code we have no words for."),
        ("503", "sms", "Twilio had a fault of its own"),
        ("451", "email", "The mail server asked us to come back later."),
        ("571", "email", "The mail server refused the message."),
    ],
)
def test_a_code_always_has_words(code: str, channel: str, begins: str) -> None:
    assert explain(code, channel).happened.startswith(begins)
