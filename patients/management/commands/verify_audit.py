"""`manage.py verify_audit`: is the audit trail as it was written? Ends with 1 if it is not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from patients.audit_chain import head, troubles
from patients.models import AuditRow


class Command(BaseCommand):
    help = "Find every row of the audit trail that was changed, removed or slipped in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--holds",
            metavar="NUMBER:HASH",
            default="",
            help="A link that you know from a log or an earlier run: it must still be there.",
        )

    def handle(self, *, holds: str, **options: Any) -> None:
        found = list(troubles(now=timezone.now(), holds=_link(holds)))
        for sentence in found:
            self.stderr.write(sentence)
        if found:
            raise CommandError(f"The audit trail is not as it was written: {len(found)} findings.")
        number, its_hash = head()
        rows = AuditRow.objects.count()
        self.stdout.write(f"The audit trail is as it was written: {rows} rows, {number} linked.")
        self.stdout.write(f"Its end, to be kept elsewhere: {number}:{its_hash}")


def _link(typed: str) -> tuple[int, str] | None:
    if not typed:
        return None
    number, colon, its_hash = typed.partition(":")
    if not (number.isdecimal() and colon and its_hash):
        raise CommandError("Write --holds like 120:5f1e…, as this command prints it.")
    return int(number), its_hash
