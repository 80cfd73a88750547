"""The SQLite file: copied in one piece while it is in use, and written back in one transaction."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from aftercare.dump import Contents, DumpError, tables

BLOCK = 1 << 20  # bytes


@contextmanager
def snapshot() -> Iterator[tuple[Contents, Iterator[bytes]]]:
    """What one moment's database holds, and its file, compressed. Holds up no writer."""
    names = tables()
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.VAR) as folder:
        copy = Path(folder, "copy.sqlite3")
        with contextlib.closing(sqlite3.connect(_file(), timeout=60)) as database:
            database.execute("VACUUM INTO ?", [str(copy)])
        with contextlib.closing(sqlite3.connect(copy)) as database:
            contents = Contents(_migrations(database), _count(database, names))
        yield contents, _compressed(copy)


def refuse_company() -> None:
    """Raise DumpError while anybody else has the file open."""
    path = Path(_file())
    if not path.exists():
        return
    connection.close()
    with contextlib.closing(sqlite3.connect(path, timeout=0.5)) as database:
        try:
            # Only who is alone with the file may leave the WAL; whoever comes next enters it again.
            database.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError:
            raise DumpError(
                f"{path} is in use. Stop the site first: web servers, workers and beat."
            ) from None


def load(dump: Path, rows: Mapping[str, int], *, then: Sequence[str]) -> None:
    """Put the dump in the place of all there is. `then` are statements for the restored rows.

    Everything is checked on a copy; the site's own file changes in one transaction at the end.
    """
    copy = dump.with_name("copy.sqlite3")
    _decompress(dump, copy)
    with contextlib.closing(sqlite3.connect(copy)) as source:
        try:
            found = source.execute("PRAGMA integrity_check").fetchone()[0]
            counted = _count(source, rows)
        except sqlite3.DatabaseError as error:
            raise DumpError(f"The dump is no whole database: {error}.") from None
        if found != "ok" or counted != dict(rows):
            raise DumpError("The dump does not hold what its header says.")
        for statement in then:
            source.execute(statement)
        source.commit()
        connection.close()
        with contextlib.closing(sqlite3.connect(_file(), timeout=5)) as target:
            source.backup(target)


def _file() -> str:
    return str(connection.settings_dict["NAME"])


def _migrations(database: sqlite3.Connection) -> list[str]:
    rows = database.execute("SELECT app, name FROM django_migrations ORDER BY id")
    return [f"{app}.{name}" for app, name in rows]


def _count(database: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
    count = 'SELECT count(*) FROM "{}"'
    return {name: database.execute(count.format(name)).fetchone()[0] for name in names}


def _compressed(path: Path) -> Iterator[bytes]:
    squeeze = zlib.compressobj(1, wbits=31)  # as gzip writes it
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield squeeze.compress(block)
    yield squeeze.flush()


def _decompress(path: Path, target: Path) -> None:
    expand = zlib.decompressobj(wbits=31)
    with path.open("rb") as source, target.open("wb") as file:
        try:
            while block := source.read(BLOCK):
                file.write(expand.decompress(block))
        except zlib.error as error:
            raise DumpError(f"The dump cannot be read: {error}.") from None
    if not expand.eof:
        raise DumpError("The dump is cut short.")
