"""A number on a page stands on one line; in the browser `tests.browser.patient.judge` looks."""

from __future__ import annotations

import pytest

from patients.templatetags.numbers import in_one_piece


@pytest.mark.parametrize(
    "number",
    ["(855) 383-7546", "+1 855-383-7546", "020 7946 0958", "+49 30 901820", "01 23 45 67 89"],
)
def test_a_number_is_one_piece_within_its_sentence(number: str) -> None:
    said = in_one_piece(f"Call {number}. Or {number}, at night.")
    piece = f'<span class="number">{number}</span>'
    assert said == f"Call {piece}. Or {piece}, at night."


@pytest.mark.parametrize(
    "text",
    ["Call 911 now.", "At 9:00 am on Nov 24, 2026", "2 to 3 months", "SM00112233445566778899aa"],
)
def test_what_is_no_phone_number_is_left_alone(text: str) -> None:
    assert in_one_piece(text) == text


def test_the_text_around_it_is_escaped() -> None:
    assert in_one_piece("<b>&'") == "&lt;b&gt;&amp;&#x27;"
