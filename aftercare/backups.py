"""A backup: one sealed file with a header and the database's own dump.

What is inside, once opened: a line of JSON (`Header`), then an SQLite file or PostgreSQL's custom
format, compressed. `age -d -i KEY FILE | tail -n +2` gives the dump without us.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import IO

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from aftercare import dump_postgres, dump_sqlite, sealed
from aftercare.dump import DumpError

FORMAT = 1
LONGEST_HEADER = 1_000_000  # bytes
NAME = "aftercare-{:%Y-%m-%d-%H%M%S}.age"


@dataclass(frozen=True, slots=True)
class Header:
    """`made_at`: ISO 8601, UTC. `rows`: how many each table holds. `migrations`: those applied."""

    format: int
    database: str
    made_at: str
    migrations: list[str]
    rows: dict[str, int]


def engine() -> ModuleType:
    """How this site's database is dumped and loaded."""
    return dump_sqlite if connection.vendor == "sqlite" else dump_postgres


# --- writing ------------------------------------------------------------------------------------


def write(target: Path, keys: sealed.Keys, *, now: datetime) -> tuple[Path, bool]:
    """Write a backup to a file, or into a folder under a name of its own (`NAME`).

    Returns the file, and whether it has been read back and compared: that takes the secret half
    of the key. The site may be running. Raises DumpError or SealError.
    """
    path = target / NAME.format(now) if target.is_dir() else target
    if path.exists():
        raise DumpError(f"{path} exists already.")
    part = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    try:
        with engine().snapshot() as (contents, dump):
            header = Header(FORMAT, connection.vendor, now.isoformat(), *contents)
            with _private(part) as file:
                sealed.seal(_hashed(_whole(header, dump), digest), file, keys)
                file.flush()
                os.fsync(file.fileno())
        if keys.identities:
            _compare(part, keys, digest.hexdigest())
        part.rename(path)
    except OSError as error:
        raise DumpError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return path, bool(keys.identities)


def delete_older(folder: Path, *, keep: int) -> list[Path]:
    """Delete all but the newest `keep` backups that were named by us; returns the deleted."""
    old = sorted(folder.glob("aftercare-*-*-*-*.age"))[:-keep]
    for path in old:
        path.unlink()
    return old


def _private(path: Path) -> IO[bytes]:
    """Nobody else may read it, whatever the umask; a left-over is not written into."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _whole(header: Header, dump: Iterator[bytes]) -> Iterator[bytes]:
    yield json.dumps(asdict(header)).encode() + b"\n"
    yield from dump


def _hashed(parts: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for part in parts:
        digest.update(part)
        yield part


class _Sum:
    """A file that keeps nothing but its digest."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, part: bytes) -> int:
        self.digest.update(part)
        return len(part)

    def flush(self) -> None:
        pass


def _compare(path: Path, keys: sealed.Keys, digest: str) -> None:
    read = _Sum()
    with path.open("rb") as file:
        sealed.unseal(file, read, keys)  # type: ignore[arg-type]
    if read.digest.hexdigest() != digest:
        raise DumpError("What was written does not read back as it was. Is the disk well?")


# --- reading ------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path, keys: sealed.Keys) -> Iterator[tuple[Header, Path]]:
    """The header and the dump as a private file, both proved whole; the file goes afterwards.

    Raises SealError or DumpError, and has touched nothing else by then.
    """
    settings.VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        sealed_file = path.open("rb")
    except OSError as error:
        raise DumpError(f"{path} cannot be read: {error.strerror}.") from None
    # Beside the site's own data: what is opened needs the same walls.
    with (
        sealed_file,
        tempfile.TemporaryDirectory(prefix="restore-", dir=settings.VAR) as folder,
    ):
        whole, dump = Path(folder, "whole"), Path(folder, "dump")
        with whole.open("wb") as file:
            sealed.unseal(sealed_file, file, keys)
        with whole.open("rb") as file:
            header = _header(file)
            with dump.open("wb") as rest:
                while block := file.read(1 << 20):
                    rest.write(block)
        whole.unlink()
        yield header, dump


def _header(file: IO[bytes]) -> Header:
    try:
        return Header(**json.loads(file.readline(LONGEST_HEADER)))
    except (ValueError, TypeError):
        raise DumpError("It is sealed, but no backup of Aftercare.") from None


def refuse_what_does_not_fit(header: Header) -> None:
    """Raise DumpError if this site's code or database cannot take the backup."""
    if header.format > FORMAT or (newer := _unknown(header)):
        name = "" if header.format > FORMAT else f" (it knows {newer[0]}, this one does not)"
        raise DumpError(
            f"The backup was made by a newer Aftercare{name}. Install that one, then restore."
        )
    if header.database != connection.vendor:
        raise DumpError(
            f"The backup is of {header.database}, and DATABASE_URL names {connection.vendor}."
        )


def _unknown(header: Header) -> list[str]:
    loader = MigrationLoader(None)
    every = [*loader.disk_migrations]
    every += [name for one in loader.disk_migrations.values() for name in one.replaces]
    known = {f"{app}.{name}" for app, name in every}
    return [name for name in header.migrations if name not in known]
