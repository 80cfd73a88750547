"""`manage.py publish_protocol FILE`: make a protocol file the clinic's next version."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from patients import audit
from patients.models import AuditAct, AuditRow, Clinic, ProtocolVersion
from patients.models.protocol_version import publish
from patients.protocol_file import parse
from patients.protocol_table import ProtocolError
from reminders.lint import long_texts


class Command(BaseCommand):
    help = "Publish a protocol file as the next version. Treatments already logged keep theirs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", help="The clinic's short name; not needed if there is one.")

    def handle(self, *args: Any, file: Path, clinic: str | None, **options: Any) -> None:
        try:
            source = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from None
        try:
            problems = long_texts(parse(source))
            if problems:
                raise CommandError("\n".join([f"{file} is not published:", *problems]))
            version = _publish(chosen_clinic(clinic), source)
        except ProtocolError as error:
            raise CommandError(f"{file} is not published: {error}") from None
        self.stdout.write(f"Published {version} for {version.clinic}.")


@transaction.atomic
def _publish(clinic: Clinic, source: str) -> ProtocolVersion:
    version = publish(clinic=clinic, source=source)
    audit.record(
        AuditAct.PUBLISHED, clinic=clinic, role=AuditRow.Who.SYSTEM, about=str(version)[:40]
    )
    return version


def chosen_clinic(slug: str | None) -> Clinic:
    clinics = list(Clinic.objects.filter(slug=slug) if slug else Clinic.objects.all()[:2])
    if len(clinics) == 1:
        return clinics[0]
    known = ", ".join(Clinic.objects.values_list("slug", flat=True)) or "none yet"
    raise CommandError(f"Say which clinic with --clinic. Known: {known}.")
