"""`manage.py reseal_factors`: after SECRET_KEY was changed, with the old one in the fallbacks."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError

from patients.factors import reseal


class Command(BaseCommand):
    help = "Seal the secrets of second factors with today's SECRET_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        sealed, lost = reseal(Authenticator.objects.order_by("pk").iterator())
        self.stdout.write(f"Sealed {sealed} anew.")
        if lost:
            raise CommandError(
                f"{lost} cannot be opened by any key: put the old SECRET_KEY into "
                "SECRET_KEY_FALLBACKS and run this again, or reset those people."
            )
