"""What dumping either database shares: its error, and what the header says of a dump."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection


class DumpError(Exception):
    """Why no backup was made, or none restored, in a sentence for the operator."""


class Contents(NamedTuple):
    """`rows`: how many each table holds."""

    migrations: list[str]
    rows: dict[str, int]


def tables() -> list[str]:
    """Ours and Django's, as far as the database has them."""
    names = connection.introspection.django_table_names(only_existing=True)
    return sorted({*names, "django_migrations"})


def is_empty() -> bool:
    """Whether no clinic, and so no patient, is in the database; it may have its tables."""
    if "patients_clinic" not in connection.introspection.table_names():
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM patients_clinic")
        return not cursor.fetchone()[0]
