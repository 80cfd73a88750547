"""`manage.py demo_links`: where the patient, the staff and the phone begin."""

from typing import Any

from django.core.management.base import BaseCommand

from aftercare import demo


class Command(BaseCommand):
    help = "Print the demo's addresses and sign-ins."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in demo.lines():
            self.stdout.write(line)
