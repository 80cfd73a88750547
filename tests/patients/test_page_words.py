"""The words around the plan: calm, short, complete in every language."""

from __future__ import annotations

import re
import string
from dataclasses import asdict

import pytest

from patients.page_words import PAGE_WORDS, page_words


def texts(language: str) -> dict[str, str]:
    """Every text by its name; those of a list one under another."""
    return {
        name: text if isinstance(text, str) else "\n".join(text)
        for name, text in asdict(PAGE_WORDS[language]).items()
    }


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", PAGE_WORDS)
def test_every_text_is_there_and_asks_for_the_same(language: str) -> None:
    for name, text in texts(language).items():
        assert text.strip(), name
        assert placeholders(text) == placeholders(texts("en")[name]), name


@pytest.mark.parametrize("language", PAGE_WORDS)
def test_no_sentence_is_longer_than_twenty_words(language: str) -> None:
    for text in texts(language).values():
        for sentence in re.split(r"[.?!\n]", text):
            assert len(sentence.split()) <= 20, sentence


def test_no_treated_area_is_named() -> None:
    said = " ".join(" ".join(texts(language).values()) for language in PAGE_WORDS).lower()
    assert not re.search(r"\b(face|facial|cara|rostro)\b", said)


def test_a_language_we_lack_is_answered_in_english() -> None:
    assert page_words("tlh") is PAGE_WORDS["en"]
