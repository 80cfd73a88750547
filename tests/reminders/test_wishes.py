"""Plain-language wishes to stop, judged on two corpora: our own half and one written blind.

The blind half was written by somebody who never saw the rules. Only its figures are asserted, so
that a failure shows a number and no entry: nobody can tune the rules to it by accident.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminders.inbox import meaning_of
from reminders.wish_words import KEYWORDS
from reminders.wishes import Wish, wishes_to_stop

HERE = Path(__file__).parent
OPEN, BLIND = HERE / "wishes_open.toml", HERE / "wishes_blind.toml"
EXACT_KEYWORDS = [
    *("STOP", "QUIT", "END", "REVOKE", "OPT OUT", "OPTOUT", "CANCEL", "UNSUBSCRIBE", "STOPALL"),
    *("ALTO", "PARAR", "PARE", "BASTA", "CANCELAR", "BAJA", "NO MAS", "SALIR"),
]
VERBS = ["stop", "stop sending", "end", "cancel", "discontinue", "turn off", "quit sending"]
OBJECTS = ["my texts", "the messages", "these reminders", "texting me", "all notifications"]
WHOLE = ["unsubscribe me", "opt me out", "take me off your list", "delete my number", "stop"]


def corpus(path: Path) -> dict[str, list[str]]:
    assert path.exists(), f"the corpus {path.name} is missing"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def count(texts: list[str], wish: Wish) -> int:
    return sum(wishes_to_stop(text) is wish for text in texts)


@pytest.mark.parametrize("text", corpus(OPEN)["stop"])
def test_every_wish_of_our_half_stops(text: str) -> None:
    assert wishes_to_stop(text) is Wish.STOP


@pytest.mark.parametrize("text", corpus(OPEN)["not_stop"])
def test_no_lookalike_of_our_half_stops(text: str) -> None:
    assert wishes_to_stop(text) is not Wish.STOP


def test_no_wish_and_no_lookalike_is_taken_for_a_start_or_a_help() -> None:
    texts = [text for half in (OPEN, BLIND) for kind in corpus(half).values() for text in kind]
    assert {meaning_of(text) for text in texts}.isdisjoint({"start", "help"})


def test_of_the_wishes_nobody_tuned_for_99_in_100_stop() -> None:
    texts = corpus(BLIND)["stop"]
    stopped, asked = count(texts, Wish.STOP), len(texts)
    assert stopped / asked >= 0.99


def test_at_most_three_lookalikes_of_the_blind_half_stop() -> None:
    # The first and only look at that half found three of fifty; the rules were not tuned to it.
    falsely_stopped = count(corpus(BLIND)["not_stop"], Wish.STOP)
    assert falsely_stopped <= 3


def test_none_of_either_half_that_asks_us_not_to_stop_does_stop() -> None:
    asking = [
        text
        for half in (OPEN, BLIND)
        for text in corpus(half)["not_stop"]
        if any(
            words in text.casefold() for words in ("n't stop", "dont stop", "no dejen", "no pare")
        )
    ]
    falsely_stopped = count(asking, Wish.STOP)
    assert asking
    assert falsely_stopped == 0


def test_the_corpora_hold_200_different_wishes_and_100_lookalikes() -> None:
    halves = [corpus(OPEN), corpus(BLIND)]
    sizes = [(len(half["stop"]), len(half["not_stop"])) for half in halves]
    assert sizes == [(100, 50), (100, 50)]
    repeated = sum(len(half[key]) - len(set(half[key])) for half in halves for key in half)
    assert repeated == 0


def test_a_wish_that_is_not_acted_on_still_smells_of_one() -> None:
    """And if it did not: the inbox makes a concern of every text that is no exact keyword."""
    silent = sum(count(corpus(path)["stop"], Wish.NONE) for path in (OPEN, BLIND))
    assert silent == 0


@pytest.mark.parametrize("text", ["thank you", "is a little redness normal?", "gracias, todo bien"])
def test_a_text_about_something_else_is_no_wish(text: str) -> None:
    assert wishes_to_stop(text) is Wish.NONE


@pytest.mark.parametrize(
    "text", ["cancel my appointment", "when does it stop", "sus mensajes, baja"]
)
def test_a_text_that_only_smells_of_a_wish_is_left_to_a_nurse(text: str) -> None:
    assert wishes_to_stop(text) is Wish.UNSURE


@given(st.text())
@example("")
@example("\ud83d")
def test_any_text_gets_an_answer(text: str) -> None:
    assert wishes_to_stop(text) in Wish


@given(
    st.sampled_from(EXACT_KEYWORDS),
    st.sampled_from([str.upper, str.lower, str.title]),
    st.sampled_from(["", " ", "\n", "  *", '"', "¡", "#"]),
    st.sampled_from(["", ".", "!!", " :(", "\n", '"', " 🙏", "...", " please", " gracias"]),
)
def test_decoration_does_not_change_a_keyword(
    word: str, case: Callable[[str], str], left: str, right: str
) -> None:
    assert wishes_to_stop(left + case(word) + right) is Wish.STOP


@given(st.sampled_from(["unsubscribe", "stopall", "cancelar", "revoke"]), st.randoms())
def test_a_slip_of_the_thumb_does_not_change_a_long_keyword(
    word: str, chance: random.Random
) -> None:
    at = chance.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for slip in (swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]):
        assert wishes_to_stop(slip) is Wish.STOP


@pytest.mark.parametrize("text", ["step", "shop", "quiet", "cancer", "send", "and", "para que"])
def test_a_word_near_a_keyword_is_no_keyword(text: str) -> None:
    assert wishes_to_stop(text) is not Wish.STOP


WISHED = st.sampled_from(WHOLE) | st.builds(
    "{} {}".format, st.sampled_from(VERBS), st.sampled_from(OBJECTS)
)


@given(
    WISHED,
    st.sampled_from(["please don't", "Please do not", "pls dont", "never", "I don't want to"]),
)
def test_a_negated_wish_never_stops(wish: str, negator: str) -> None:
    assert wishes_to_stop(f"{negator} {wish}") is not Wish.STOP


@given(WISHED)
def test_the_same_wish_without_the_negator_stops(wish: str) -> None:
    assert wishes_to_stop(f"please {wish}") is Wish.STOP


@given(st.sampled_from(["no dejen de", "por favor no dejen de", "nunca dejen de", "no paren de"]))
def test_a_negated_spanish_wish_never_stops(negator: str) -> None:
    for verb in ("mandarme mensajes", "escribirme", "enviar los recordatorios"):
        assert wishes_to_stop(f"{negator} {verb}") is not Wish.STOP


@pytest.mark.parametrize("quoted", ["Liked “{}”", "Disliked “{}”", 'Loved "{}"', "👍 to “{}”"])
def test_a_thumb_on_our_own_text_is_no_wish(quoted: str) -> None:
    ours = "Elm Clinic: your recovery page. Call 202-555-0100. STOP ends texts."
    assert wishes_to_stop(quoted.format(ours)) is not Wish.STOP


def test_every_keyword_stops() -> None:
    assert all(wishes_to_stop(word) is Wish.STOP for word in KEYWORDS)


@pytest.mark.parametrize(
    "part", ["stop ", "do not want to ", "no ", "the ", "a b c d ", ". ", "i "]
)
def test_a_text_of_the_longest_length_is_read_quickly(part: str) -> None:
    assert wishes_to_stop(part * (1600 // len(part))) in Wish  # one that backtracks hangs here
