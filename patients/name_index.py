"""The index of names on PostgreSQL: who is written one slip of the hand away is looked up.

Two words are a slip apart where they are the same once each has lost a letter, or one of them has.
So the index holds for every word of a name the word, the word without each of its letters in turn,
and how it sounds. A search for "gmoez" asks for "gmoez", "moez", "goez" and so on: each is found
in an ordered index, and nobody else has to be read. A function makes these keys of the patient's
search text, so that whoever writes a patient fills the index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LEAST_FOR_A_SLIP = 4  # letters: in shorter words one slip makes any other word
LEAST_BY_EAR = 3  # sounds
WORD, SHORTER, SOUND = "=-~"  # what a key begins with

# Letters that are taken for one another by ear, and one that is not heard.
HEARD = str.maketrans("vwcqgxzdyjeiou", "ffkkkkstaaaaaa", "h")
TWICE = re.compile(r"(.)\1+")

# `sound` below, of which this is the other half, changes only together with it, by a migration.
# In PL/pgSQL, which is five times as quick here as SQL is; and not parallel: a search is over
# before helpers have been called in.
FUNCTION = r"""
CREATE OR REPLACE FUNCTION patients_name_keys(search_text text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE COST 1000 AS $$
DECLARE
    keys text[] := '{}';
    word text;
BEGIN
    FOREACH word IN ARRAY string_to_array(split_part(search_text, chr(10), 1), ' ') LOOP
        CONTINUE WHEN word = '';
        keys := keys || ('=' || word) || ('~' || regexp_replace(translate(
            replace(replace(word, 'ph', 'f'), 'sch', 's'), 'vwcqgxzdyjeiouh', 'ffkkkkstaaaaaa'
        ), '(.)\1+', '\1', 'g'));
        FOR place IN 1..length(word) LOOP
            keys := keys || ('-' || overlay(word PLACING '' FROM place FOR 1));
        END LOOP;
    END LOOP;
    RETURN array_to_tsvector(keys);
END $$"""
MATCHES = "patients_name_keys(patients_patient.search_text) @@ %s::tsquery"


def begin_so(words: Iterable[str]) -> str:
    """For `MATCHES`: names in which some word begins with each of these."""
    return " & ".join(_key(WORD, word) for word in words)


def nearly(words: Sequence[str]) -> str:
    """For `MATCHES`: with one slip in one of the words, or sounding like all of them."""
    ways = [" & ".join(_heard(word) for word in words)]
    for at, word in enumerate(words):
        others = [_key(WORD, other) for other in (*words[:at], *words[at + 1 :])]
        ways.append(" & ".join([_slipped(word), *others]))
    return " | ".join(ways)


def sound(word: str) -> str:
    """`petroff` and `petrov` → `patraf`."""
    plain = word.replace("ph", "f").replace("sch", "s").translate(HEARD)
    return TWICE.sub(r"\1", plain)


def _heard(word: str) -> str:
    begin = sound(word).rstrip("a")  # "smithe" is heard as "smith"
    return _key(SOUND, begin) if len(begin) >= LEAST_BY_EAR else _key(WORD, word)


def _slipped(word: str) -> str:
    keys = [_key(WORD, word)]
    if len(word) >= LEAST_FOR_A_SLIP:
        keys.append(_key(SHORTER, word))
        for shorter in sorted({word[:at] + word[at + 1 :] for at in range(len(word))}):
            keys += [_key(WORD, shorter), _key(SHORTER, shorter)]
    return f"({' | '.join(keys)})"


def _key(kind: str, begin: str) -> str:
    """A word may still be in the typing: what begins so is meant too."""
    return "'{}':*".format((kind + begin).replace("\\", "\\\\").replace("'", "''"))
