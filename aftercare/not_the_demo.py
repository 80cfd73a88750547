"""What the whole world knows of the demo must not reach a site with patients."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection

PASSWORD = "demo-lakeside-2026"  # noqa: S105 - only ever set in the demo, which binds to this machine
PEOPLE = "@lakeside.example"  # no such mail domain can exist
HINT = (
    "The demo's data and password are printed in its source. Start production with a database of "
    "its own (DATABASE_URL, or another VAR_DIR)."
)


class NotTheDemos:
    """A password validator."""

    def validate(self, password: str, user: object = None) -> None:
        if password == PASSWORD and not settings.DEMO:
            raise ValidationError("This is the demo’s password, and everybody knows it.")

    def get_help_text(self) -> str:
        return ""


def traces() -> list[str]:
    """What of the demo is in the database, in sentences; none if it cannot be asked yet."""
    from patients.models import StaffUser

    try:
        people = list(StaffUser.objects.filter(email__endswith=PEOPLE).select_related("clinic"))
    except DatabaseError:  # not there, or not migrated: whoever starts next asks again
        return []
    finally:
        if not connection.in_atomic_block:
            connection.close()  # whoever asked may fork
    known = [one.email for one in people if one.check_password(PASSWORD)]
    found = []
    if people:
        found.append(f"The database holds the demo’s clinic: somebody signs in with {PEOPLE}.")
    if known:
        found.append(f"{len(known)} of its people still have the demo’s password.")
    return found
