"""`manage.py reset_staff EMAIL`: let somebody in again who lost their password or second factor.

For the last admin, whom no colleague can help; every other colleague is helped on the clinic's
page. Their second factors and sessions are gone, and the new password is changed at the sign-in.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from patients import audit
from patients.models import AuditAct, AuditRow, StaffUser
from patients.starting_anew import start_anew
from reminders import notices
from reminders.models import Notice


class Command(BaseCommand):
    help = "Give somebody of the staff a new first password, and remove their second factors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--open", action="store_true", help="let them sign in again at all")

    def handle(self, *args: Any, **options: Any) -> None:
        person = StaffUser.objects.filter(email=options["email"].lower()).first()
        if person is None:
            raise CommandError(f"Nobody signs in with {options['email']}.")
        if not person.is_active and not options["open"]:
            raise CommandError("This account is closed. Add --open to open it again.")
        person.is_active = True
        with transaction.atomic():
            password = start_anew(person)
            audit.record(
                AuditAct.STAFF_RESET,
                clinic=person.clinic_id,
                role=AuditRow.Who.SYSTEM,
                about=f"user {person.pk}",
            )
            notices.note(person, Notice.Kind.STARTED_ANEW, now=timezone.now())
        self.stdout.write(f"{person.email} signs in with {password}")
        self.stdout.write("It is good for 3 days and is changed at the first sign-in.")
