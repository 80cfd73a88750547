"""What patients are found by: trigrams, on SQLite (FTS5) and on PostgreSQL (pg_trgm). There they
find the end of a number and the begin of an email; names have an index of their own (`name_index`).

`install` makes the trigrams. On SQLite a later migration that rebuilds the patients' table drops
its triggers: run `install` again after it (`tests/test_migrations.py` insists).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from patients import name_index
from patients.name_index import LEAST_FOR_A_SLIP

TEXT = "patients_patient.search_text"
Condition = tuple[str, list[Any]]  # SQL and its values
BEGIN = " "  # stands before every word of a name
MOST_LETTERS = 40  # of a word: a slip may be at each, and one sign may stand for many letters

# Without `fastupdate = off` a search would first read through all that was saved lately.
ON_POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
CREATE INDEX IF NOT EXISTS patients_search
    ON patients_patient USING gin (search_text gin_trgm_ops) WITH (fastupdate = off)""",
]
ON_SQLITE = ["""
CREATE VIRTUAL TABLE IF NOT EXISTS patients_search USING fts5(
    search_text, content='patients_patient', content_rowid='id', tokenize='trigram')""", """
CREATE TRIGGER IF NOT EXISTS patients_search_new AFTER INSERT ON patients_patient BEGIN
    INSERT INTO patients_search(rowid, search_text) VALUES (new.id, new.search_text);
END""", """
CREATE TRIGGER IF NOT EXISTS patients_search_gone AFTER DELETE ON patients_patient BEGIN
    INSERT INTO patients_search(patients_search, rowid, search_text)
    VALUES ('delete', old.id, old.search_text);
END""", """
CREATE TRIGGER IF NOT EXISTS patients_search_changed
AFTER UPDATE OF search_text ON patients_patient BEGIN
    INSERT INTO patients_search(patients_search, rowid, search_text)
    VALUES ('delete', old.id, old.search_text);
    INSERT INTO patients_search(rowid, search_text) VALUES (new.id, new.search_text);
END""", "INSERT INTO patients_search(patients_search) VALUES ('rebuild')"]  # fmt: skip


def install(schema_editor: BaseDatabaseSchemaEditor) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in ON_SQLITE if is_sqlite else ON_POSTGRESQL:
        schema_editor.execute(statement)


def sweep() -> None:
    """Take out of the index what is no longer in any record.

    SQLite's only marks it until its parts are merged; PostgreSQL's vacuum does it by itself.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO patients_search(patients_search) VALUES ('optimize')")


def holds(pieces: Sequence[str]) -> RawSQL:
    """Patients whose search text holds every one of these pieces."""
    if connection.vendor == "sqlite":
        return _boolean(_all([_holds(piece) for piece in pieces]))
    words = [piece[1:] for piece in pieces if piece.startswith(BEGIN)]
    wanted = [(name_index.MATCHES, [name_index.begin_so(words)])] if words else []
    return _boolean(_all([*wanted, *(_like(one) for one in pieces if one[0] != BEGIN)]))


def resembles(words: Sequence[str]) -> RawSQL:
    """Patients whose name has all these words, but for one slip of the hand in one of them.

    On PostgreSQL also those whose name sounds like them, as "Petrov" does like "petroff".
    """
    words = [word[:MOST_LETTERS] for word in words]
    if connection.vendor != "sqlite":
        return _boolean((name_index.MATCHES, [name_index.nearly(words)]))
    ways = []
    for at, word in enumerate(words):
        others = [_holds(f" {other}") for other in (*words[:at], *words[at + 1 :])]
        ways.append(_all([_fts("LIKE", _patterns(word)), *others]))
    return _boolean((f"({' OR '.join(sql for sql, _ in ways)})", _values(ways)))


def _like(piece: str) -> Condition:
    return f"{TEXT} LIKE %s", ["%" + re.sub(r"([\\%_])", r"\\\1", piece) + "%"]


def _holds(piece: str) -> Condition:
    if len(piece) > 2:
        return _fts("MATCH", ['"' + piece.replace('"', '""') + '"'])
    # FTS5 finds nothing shorter than a trigram; such a piece only narrows what the others find.
    return f"instr({TEXT}, %s)", [piece]


def _patterns(word: str) -> list[str]:
    """For LIKE: a word that begins like this one, or like one that is one slip away."""
    begins = [word]
    for at, letter in enumerate(word if len(word) >= LEAST_FOR_A_SLIP else ""):
        before, after = word[:at], word[at + 1 :]
        begins += [f"{before}_{after}", f"{before}{after}", f"{before}_{letter}{after}"]
        if after:
            begins.append(f"{before}{after[0]}{letter}{after[1:]}")
    return [f"% {begin}%" for begin in begins]


def _fts(operator: str, values: Sequence[str]) -> Condition:
    column = {"MATCH": "patients_search", "LIKE": "search_text"}[operator]
    one = f"SELECT rowid FROM patients_search WHERE {column} {operator} %s"  # noqa: S608
    return f"patients_patient.id IN ({' UNION '.join([one] * len(values))})", list(values)


def _all(conditions: Sequence[Condition]) -> Condition:
    return f"({' AND '.join(sql for sql, _ in conditions)})", _values(conditions)


def _values(conditions: Sequence[Condition]) -> list[Any]:
    return [value for _, values in conditions for value in values]


def _boolean(condition: Condition) -> RawSQL:
    sql, values = condition
    return RawSQL(sql, values, output_field=BooleanField())  # noqa: S611 - nothing typed is in it
