"""`manage.py add_clinic`: a clinic, its first admin, and the shipped protocols as version 1."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
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


class Command(BaseCommand):
    help = "Add a clinic with its first admin and the protocols the site ships."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, meaning in FIELDS.items():
            parser.add_argument(f"--{name}", required=True, help=meaning)
        parser.add_argument("--emergency-number", default="911")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        values = {key.replace("-", "_"): options[key.replace("-", "_")] for key in FIELDS}
        email, name = values.pop("admin_email"), values.pop("admin_name")
        clinic = Clinic(**values, emergency_number=options["emergency_number"])
        admin = StaffUser(email=email.lower(), name=name, clinic=clinic, role=Role.ADMIN)
        password = getpass.getpass(f"Password for {email}: ")
        try:
            clinic.full_clean()
            validate_password(password, admin)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from None
        clinic.save()
        admin.clinic = clinic
        admin.set_password(password)
        admin.save()
        versions = ", ".join(str(version) for version in publish_shipped(clinic))
        self.stdout.write(f"Added {clinic} with {versions}. Sign in as {email}.")
