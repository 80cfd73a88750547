"""Which column of somebody's list holds what: our fields, and a guess by the names of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from patients.models.search_text import fold


class Column(NamedTuple):
    """`names`: what lists call it, folded, with bars between; the first that fits is taken."""

    label: str
    names: str
    required: bool = False


COLUMNS: Mapping[str, Column] = {
    "first_name": Column(
        "First name", "first name|firstname|given name|forename|first|nombre", required=True
    ),
    "last_name": Column(
        "Last name", "last name|lastname|surname|family name|last|apellido|apellidos", required=True
    ),
    "phone": Column(
        "Mobile", "mobile|mobile phone|cell|cell phone|phone|phone number|telephone|tel|movil"
    ),
    "email": Column("Email", "email|e mail|email address|mail|correo"),
    "treated_at": Column(
        "Treated on (day, or day and time)",
        "treated at|treated on|treatment date|ended at|ended|appointment date|appointment"
        "|visit date|date time|date|fecha",
    ),
    "time": Column(
        "Time it ended, if in a column of its own",
        "time it ended|end time|ended time|treatment time|time|hora",
    ),
    "protocol": Column("Treatment", "treatment|protocol|service|procedure|tratamiento"),
    "session": Column("Session (1, 2, 3 or maintenance)", "session|session number|sesion"),
    "practitioner": Column("Treated by", "treated by|practitioner|provider|doctor"),
    "language": Column("Language", "language|idioma"),
    "recovery": Column(
        "Agrees to recovery messages (yes or no)",
        "recovery consent|recovery messages|text consent|sms consent|consent|opt in",
    ),
    "rebooking": Column(
        "Agrees to rebooking messages (yes or no)",
        "rebooking consent|rebooking messages|marketing consent|marketing",
    ),
    "source": Column(
        "Where that consent is from",
        "consent source|source of consent|consent from|consent recorded|source",
    ),
    "said_on": Column(
        "The day that consent was given",
        "consent date|date of consent|consent day|consent given on|consent given|consent on"
        "|consent signed|consent signed on|signed on|date signed|fecha de consentimiento",
    ),
}


def guess_columns(header: Sequence[str]) -> dict[str, int]:
    """For each of our fields the column that very likely holds it; each column once."""
    named = {fold(name): at for at, name in reversed(list(enumerate(header)))}
    guessed: dict[str, int] = {}
    for key, column in COLUMNS.items():
        at = next((named[name] for name in column.names.split("|") if name in named), None)
        if at is not None and at not in guessed.values():
            guessed[key] = at
    return guessed
