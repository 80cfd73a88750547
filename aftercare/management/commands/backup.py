"""`manage.py backup FILE`: the whole database in one encrypted file, while the site runs."""

from __future__ import annotations

import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from aftercare import backups, sealed
from aftercare.dump import DumpError


class Command(BaseCommand):
    help = "Write the whole database into one encrypted file; the site may be running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="a new file; in a folder it gets a name of its own"
        )
        parser.add_argument(
            "--key", type=Path, metavar="FILE", help="another key file than BACKUP_KEY_FILE"
        )
        parser.add_argument(
            "--keep", type=int, metavar="N", help="afterwards delete all but the newest N there"
        )
        parser.add_argument(
            "--new-key", type=Path, metavar="FILE", help="make a key file, and no backup"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # An end asked for from outside, too, takes the half-written file along.
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            if options["new_key"]:
                self.make_key(options["new_key"])
            else:
                self.write(**options)
        except (DumpError, sealed.SealError) as error:
            raise CommandError(str(error)) from None
        finally:
            signal.signal(signal.SIGTERM, before)

    def make_key(self, path: Path) -> None:
        public = sealed.new_key(path)
        self.stdout.write(
            f"{path} is made; its public half is {public}\n"
            "Keep a copy of it away from this machine: without it no backup can be opened."
        )

    def write(self, *, file: Path | None, key: Path | None, keep: int | None, **_: Any) -> None:
        if file is None:
            raise CommandError("Say where to write it: manage.py backup FILE")
        if keep is not None and (keep < 1 or not file.is_dir()):
            raise CommandError("--keep needs a folder and at least 1.")
        began = time.monotonic()
        path, is_read_back = backups.write(
            file, sealed.read_keys(find_key(key)), now=timezone.now()
        )
        size = path.stat().st_size / 1_000_000
        checked = "read back and whole" if is_read_back else "not read back: the key only seals"
        seconds = time.monotonic() - began
        self.stdout.write(f"{path}: {size:.1f} MB in {seconds:.1f} s, {checked}.")
        for old in backups.delete_older(file, keep=keep) if keep else ():
            self.stdout.write(f"{old} deleted.")


def find_key(given: Path | None) -> Path:
    """Raises CommandError, saying how to make one, if no key is named."""
    if given is None and not settings.BACKUP_KEY_FILE:
        raise CommandError(
            "BACKUP_KEY_FILE is not set. Make a key with: manage.py backup --new-key FILE"
        )
    return given or Path(settings.BACKUP_KEY_FILE)
