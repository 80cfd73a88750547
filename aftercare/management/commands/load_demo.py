"""`manage.py load_demo`: the made-up clinic, once."""

from typing import Any

from django.core.management.base import BaseCommand

from aftercare import demo


class Command(BaseCommand):
    help = "Make the demo clinic unless it is there already."

    def handle(self, *args: Any, **options: Any) -> None:
        demo.load()
