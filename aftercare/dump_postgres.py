"""PostgreSQL, by its own programs: `pg_dump` from one snapshot, `pg_restore` in one transaction."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.db import connection, transaction

from aftercare.dump import Contents, DumpError, tables
from patients.audit_wall import ONLY_ADDED_TO

BLOCK = 1 << 20  # bytes
# Everything of the role's own in the schema, but nothing that belongs to an extension.
EMPTY = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT oid::regclass AS name FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_class.oid AND d.deptype = 'e')
  LOOP EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', one.name); END LOOP;
  FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')
  LOOP EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', one.name); END LOOP;
END $$;
"""
CHECK = """
DO $$ BEGIN IF (SELECT count(*) FROM {schema}."{table}") <> {rows} THEN
  RAISE EXCEPTION 'the dump does not hold what its header says of {table}'; END IF; END $$;
"""


@contextmanager
def snapshot() -> Iterator[tuple[Contents, Iterator[bytes]]]:
    """What one moment's database holds, and its dump in the custom format. Holds up nobody."""
    program = _program("pg_dump")
    names = tables()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        options = ["--format=custom", f"--snapshot={cursor.fetchone()[0]}"]
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        migrations = [f"{app}.{name}" for app, name in cursor.fetchall()]
        rows = {}
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}"')  # noqa: S608 (the schema's own names)
            rows[name] = cursor.fetchone()[0]
        yield Contents(migrations, rows), _output([program, *options, "--no-password"])


def refuse_company() -> None:
    """Raise DumpError while anybody else is connected."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        others = cursor.fetchone()[0]
    if others:
        raise DumpError(
            f"{others} other connections to the database are open. "
            "Stop the site first: web servers, workers and beat."
        )


def load(dump: Path, rows: Mapping[str, int], *, then: Sequence[str]) -> None:
    """Put the dump in the place of all there is. `then` are statements for the restored rows.

    One transaction does it all, and ends with a count of every table: it is done, or nothing is.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        schema = cursor.fetchone()[0]
    connection.close()
    checks = [CHECK.format(schema=schema, table=name, rows=number) for name, number in rows.items()]
    after = [f"SET search_path TO {schema};\n", *checks, *(f"{one};\n" for one in then)]
    after += [ONLY_ADDED_TO]  # what this database allows in new tables was added to the dump's
    reading = [_program("pg_restore"), "--file=-", "--no-owner", "--no-comments"]
    writing = [_program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--single-transaction"]
    writing += ["--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-"]
    parts = chain(
        [EMPTY.encode()],
        _output([*reading, str(dump)], connects=False),
        ["".join(after).encode()],
    )
    with tempfile.TemporaryFile() as said:
        command, env = _reach(writing)
        with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stderr=said) as psql:
            _feed(psql, parts)
        if psql.returncode:
            raise DumpError(_refusal(_words(said)))


def _refusal(words: str) -> str:
    """`pg_dump` writes down what each role may do, but no roles: those are the server's."""
    if role := re.search(r'role "([^"]+)" does not exist', words):
        return (
            f"The backup says what the role {role[1]} may do, and this PostgreSQL has no such "
            f"role. Make it first, as it was (CREATE ROLE {role[1]} LOGIN), then restore."
        )
    return f"PostgreSQL refused the dump and kept what it had: {words}"


def _feed(psql: subprocess.Popen[bytes], parts: Iterable[bytes]) -> None:
    entrance = cast("IO[bytes]", psql.stdin)
    try:
        for part in parts:
            entrance.write(part)
        entrance.flush()
    except BrokenPipeError:
        pass  # it has ended, and said why
    except BaseException:
        psql.kill()  # before the end of its input, which it would take for the end of all
        psql.wait()
        raise
    finally:
        with suppress(BrokenPipeError):
            entrance.close()


def _output(command: list[str], *, connects: bool = True) -> Iterator[bytes]:
    """What a program writes; raises DumpError with its own words if it fails."""
    reached, env = _reach(command) if connects else (command, None)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(reached, env=env, stdout=subprocess.PIPE, stderr=said)
        exit_ = cast("IO[bytes]", process.stdout)
        try:
            while block := exit_.read(BLOCK):
                yield block
        finally:
            exit_.close()  # who writes on has nobody to write to, and ends
            process.wait()
        if process.returncode:
            words = _words(said)
            if "version mismatch" in words:
                words += _which_client()
            raise DumpError(f"{Path(command[0]).name} failed: {words}")


def _reach(command: list[str]) -> tuple[list[str], dict[str, str]]:
    """The command for our database. The password goes by the environment: others cannot see it."""
    options, env = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    return [*command, *options[1:]], {**os.environ, **(env or {})}


def _program(name: str) -> str:
    found = shutil.which(name, path=settings.PG_BIN or None)
    if found is None:
        where = f"in {settings.PG_BIN} (PG_BIN)" if settings.PG_BIN else "on this machine"
        raise DumpError(f"There is no {name} {where}.{_which_client()}")
    return found


def _which_client() -> str:
    major = connection.pg_version // 10000  # type: ignore[attr-defined]
    return (
        f" The server is PostgreSQL {major}: install its client "
        f"(Debian: postgresql-client-{major}), or put the client's folder into PG_BIN."
    )


def _words(said: IO[bytes]) -> str:
    """The first error of a program, without the rows it may quote below it."""
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it did not say why."])[0]
