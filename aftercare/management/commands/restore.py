"""`manage.py restore FILE`: the database as it was when the backup was made.

Proves the file whole before anything is touched, and changes the database in one transaction.
What may have gone out since the backup is in doubt from its first moment on: the provider is
asked before anything of it is sent (`reminders/heartbeat.py`).
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from aftercare import backups, machine, sealed
from aftercare.dump import DumpError, is_empty
from aftercare.management.commands.backup import find_key
from reminders.heartbeat import declare_restored

# Who has signed out since is not signed in again.
END_SESSIONS = "DELETE FROM django_session"


class Command(BaseCommand):
    help = "Put the database back to a backup. Stop the web servers, workers and beat first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--key", type=Path, metavar="FILE", help="another key file than BACKUP_KEY_FILE"
        )
        parser.add_argument(
            "--check", action="store_true", help="only prove that it could be restored"
        )
        parser.add_argument(
            "--replace", action="store_true", help="what the database holds now is given up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.restore(**options)
        except (DumpError, sealed.SealError, machine.Refusal) as error:
            raise CommandError(f"Nothing was restored. {error}") from None

    def restore(
        self, *, file: Path, key: Path | None, check: bool, replace: bool, **_: Any
    ) -> None:
        began = time.monotonic()
        with backups.opened(file, sealed.read_keys(find_key(key))) as (header, dump):
            backups.refuse_what_does_not_fit(header)
            age = timezone.now() - (parse_datetime(header.made_at) or timezone.now())
            patients = header.rows.get("patients_patient", 0)
            what = f"{patients} patients, made {age.total_seconds() / 3600:.1f} hours ago"
            if check:
                self.stdout.write(f"{file} is whole: {what}.")
                return
            if not replace and not is_empty():
                raise DumpError(
                    "The database already holds a clinic. With --replace it is given up."
                )
            with machine.only_one(settings.VAR / "up.lock"):
                backups.engine().refuse_company()
                mark = declare_restored(now=timezone.now())
                backups.engine().load(dump, header.rows, then=[mark, END_SESSIONS])
                call_command("migrate", interactive=False, verbosity=0)
        seconds = time.monotonic() - began
        self.stdout.write(
            f"Restored: {what}; {seconds:.1f} s. What fell due since then is asked for at the "
            "provider before it is sent. Everybody has to sign in again."
        )
