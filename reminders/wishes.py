"""Plain-language wishes to get no more texts, in English and Spanish, by rules one can read.

Pure: no model, no clock; nothing is sent. A text is put into plain words; what it says about
something else ("don't stop", "if I text STOP") is struck out; the rest is held against tables of
phrases, `wish_words`. A missed wish is an unlawful text, a false one costs a patient the safety
messages, so doubt is said: UNSURE stops nothing. Nothing is dropped: the inbox makes a concern of
the rest.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from reminders.wish_words import (
    ANGRY_WISHES,
    COURTESIES,
    GUARDS,
    KEPT,
    KEYWORDS,
    LONE_WISHES,
    LOOSE_WISHES,
    PARTS,
    REAL_WORDS,
    SLIPPED_KEYWORDS,
    SLIPPED_WORDS,
    SMELLS,
    SPOKEN,
    WISHES,
)


class Wish(StrEnum):
    """STOP is acted on at once; UNSURE goes to a nurse as a possible opt-out."""

    STOP = "stop"
    UNSURE = "unsure"
    NONE = "none"


def _table(phrases: str) -> str:
    """One expression for a table of phrases."""
    joined = phrases.strip().replace("\\\n", "").replace("\n", "|").replace("~", "{gap}")
    while (named := re.sub(r"\{([a-z]+)\}", lambda name: PARTS[name[1]], joined)) != joined:
        joined = named
    return rf"(?<!\w)(?:{joined})(?!\w)"


GUARD = re.compile(_table(GUARDS) + r"(?: (?!but |so |pero |please |instead )\w+)*")
TABLES = (ANGRY_WISHES, WISHES, LONE_WISHES, LOOSE_WISHES, KEPT, SMELLS, "{body}", "{booking}")
ANGRY_WISH, WISH, LONE_WISH, LOOSE_WISH, KEEP, SMELL, ON_SKIN, BOOKED = (
    re.compile(_table(table)) for table in TABLES
)
# A phone reports a thumbs-up by quoting our own text, whose last words are "STOP ends texts".
REACTION = re.compile(
    r"^\W*(?:(?:dis)?liked|loved|emphasized|laughed at|questioned|reacted .* to|le \w+|.{1,4} to)"
    r"\s+[“\"].*[”\"]\s*$",
    re.IGNORECASE | re.DOTALL,
)
NOT_ME = re.compile(
    r"\b(?:[Tt]his (?:is not|isn['’]?t)|I(?:['’]?m| am) not|[Nn]o soy) [A-Z][a-zé-ú]+ *(?:[.,!]|$)"
)


def wishes_to_stop(text: str) -> Wish:
    """What one inbound text wishes. Any text is allowed; nothing is raised."""
    said = "" if REACTION.match(text) else _plain_words(text)
    if _is_keyword(said):
        return Wish.STOP
    left = GUARD.sub("~", said)
    wished = ANGRY_WISH.search(said) or WISH.search(left)
    if not wished and not ON_SKIN.search(said):
        loose = LOOSE_WISH.search(left) or NOT_ME.search(text)
        wished = LONE_WISH.search(left) or (None if BOOKED.search(said) else loose)
    if wished and not KEEP.search(said):
        return Wish.STOP
    return Wish.UNSURE if wished or SMELL.search(said) else Wish.NONE


def _plain_words(text: str) -> str:
    """Small letters without accents or emoji; ". , ?" stand alone and at both ends."""
    plain = unicodedata.normalize("NFKD", text.replace("🛑", " stop ")).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"['’‘`´]|sent from my \w+|enviado desde mi \w+", "", plain)
    plain = re.sub(r"\b[a-z](?:[ .*-][a-z]){3,}\b", _joined_letters, plain)
    plain = re.sub(r"\b(do|does|did|is|was|would) ?n ?t\b", r"\1 not", plain)
    plain = re.sub(r"\bi m\b", "im", re.sub(r"#(?!\w)", "number", plain))
    plain = re.sub(r"([a-z])\1{2,}", r"\1", plain)
    plain = re.sub(r"\.{2,}|\s[-–—]+\s|[:;()—]", ",", plain)
    signs = (_meant(sign) for sign in re.findall(r"[^\W_]+|[.,?!\n]", plain))
    return f" . {' '.join(signs)} . "


def _joined_letters(spaced: re.Match[str]) -> str:
    word = re.sub(r"[^a-z]", "", spaced[0])
    return word if word in KEYWORDS else spaced[0]


def _meant(sign: str) -> str:
    """The words a written one stands for: "u" is "you", "texing" is "texting"."""
    if sign in "!\n":
        return "."
    if sign in SPOKEN:
        return SPOKEN[sign].replace("_", " ")
    if sign.startswith(("unsus", "unsub", "unscrib")) and not sign.endswith("ed"):
        return "unsubscribe"
    if len(sign) < 5 or sign in REAL_WORDS or sign in SLIPPED_WORDS:
        return sign
    near = (word for word in SLIPPED_WORDS if word[0] == sign[0] and _is_one_slip(sign, word))
    return next(near, sign)


def _is_one_slip(written: str, meant: str) -> bool:
    """Whether one letter was added, left out, mistaken or swapped with the next."""
    pairs = enumerate(zip(written, meant, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(written), len(meant)))
    one, other = written[same:], meant[same:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] in (other, other[1:]) or one == other[1:]


def _is_keyword(said: str) -> bool:
    """Whether nothing but a keyword was said, once or again and again, with courtesies."""
    words = [word for word in re.findall(r"\w+", said) if word not in COURTESIES]
    whole = "".join(words)
    if whole in KEYWORDS or (len(set(words)) == 1 and words[0] in KEYWORDS):
        return True
    slipped = len(whole) > 2 and whole not in REAL_WORDS
    return slipped and any(_is_one_slip(whole, keyword) for keyword in SLIPPED_KEYWORDS)
