"""`manage.py add_clinic`: a clinic, its first admin, and the shipped protocols as version 1."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from patients.models import Clinic, StaffUser
from patients.models.clinic import Role
from patients.models.protocol_version import publish_shipped

FIELDS = {
    "name": "the clinic's name",
    "slug": "its short name, for commands (lakeside)",
    "sms-name": "its name in texts, at most 20 characters",
    "zone": "its time zone (America/Chicago)",
    "office-phone": "the office number, in international form (+18553837546)",
    "after-hours-phone": "the number that reaches the on-call nurse",
    "sms-sender": "the Twilio number that texts come from",
    "admin-email": "the first admin's email address",
    "admin-name": "the first admin's name",
}
# Whom a patient's report alerts, day and night; the second after 15 minutes without an answer.
CONTACTS = {
    "nurse-phone": "who is texted when a patient reports a warning sign",
    "nurse-email": "who is mailed then",
    "second-nurse-phone": "who is texted when nobody has answered for 15 minutes",
    "second-nurse-email": "who is mailed then",
}


class Command(BaseCommand):
    help = "Add a clinic with its first admin and the protocols the site ships."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, meaning in FIELDS.items():
            parser.add_argument(f"--{name}", required=True, help=meaning)
        for name, meaning in CONTACTS.items():
            parser.add_argument(f"--{name}", default="", help=meaning)
        parser.add_argument("--emergency-number", default="911")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        names = [key.replace("-", "_") for key in (*FIELDS, *CONTACTS)]
        values = {name: options[name] for name in names}
        email, name = values.pop("admin_email"), values.pop("admin_name")
        clinic = Clinic(**values, emergency_number=options["emergency_number"])
        admin = StaffUser(email=email.lower(), name=name, clinic=clinic, role=Role.ADMIN)
        password = getpass.getpass(f"Password for {email}: ")
        problems = [
            # No hours yet; an empty table of them would count as blank.
            *_problems(lambda: clinic.full_clean(exclude=["opening_hours"]), "--"),
            *_problems(lambda: admin.full_clean(exclude=["clinic", "password"]), "--admin-"),
            *_problems(lambda: validate_password(password, admin), ""),
        ]
        if problems:
            raise CommandError("\n".join(problems))
        clinic.save()
        admin.clinic = clinic
        admin.set_password(password)
        admin.save()
        versions = ", ".join(str(version) for version in publish_shipped(clinic))
        self.stdout.write(f"Added {clinic} with {versions}. Sign in as {email}.")


def _problems(check: Callable[[], None], prefix: str) -> list[str]:
    """What a check complains of, each line beginning with the option it is about."""
    try:
        check()
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            return error.messages
        return [
            f"{prefix}{name.replace('_', '-')}: {' '.join(said)}"
            for name, said in error.message_dict.items()
        ]
    return []
