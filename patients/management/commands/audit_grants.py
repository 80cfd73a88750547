"""`manage.py audit_grants ROLE`: what PostgreSQL's owner of the tables allows the application."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from patients.audit_wall import TABLES


class Command(BaseCommand):
    help = "Print the grants for the role that the site signs in with, as SQL."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role")

    def handle(self, *, role: str, **options: Any) -> None:
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", role):
            raise CommandError("Name the role in small letters, digits and _.")
        self.stdout.write(grants(role))


def grants(role: str) -> str:
    """To be run by the role that owns the tables and migrates; never by `role` itself."""
    trail, later = ", ".join(TABLES), "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
    return "\n".join(
        [
            f"GRANT USAGE ON SCHEMA public TO {role};",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};",
            "-- And of what a later version adds, if whoever runs this migrates.",
            f"{later} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};",
            f"{later} GRANT USAGE, SELECT ON SEQUENCES TO {role};",
            "-- Of the audit trail it may add rows and read them, and nothing else.",
            f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {trail} FROM {role};",
        ]
    )
