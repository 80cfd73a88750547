"""The triggers that keep the audit trail: a row is added, and then nobody changes or removes it.

They stop a slip and whoever signs in as the application. Who owns the tables can take them away:
on PostgreSQL let another role own them (`manage.py audit_grants`), and see `verify_audit`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("patients_auditrow", "patients_auditmember", "patients_auditlink")
KEYS = dict(zip(TABLES, ("id", "id", "number"), strict=True))
REFUSED = "The audit trail is append-only."

FUNCTION = f"""
CREATE OR REPLACE FUNCTION patients_audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'insufficient_privilege'; END $$"""

# Whoever else may write in a new table by itself (`ALTER DEFAULT PRIVILEGES`) may not in these.
ONLY_ADDED_TO = f"""
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT DISTINCT oid::regclass AS name, grantee FROM pg_class, aclexplode(relacl)
    WHERE oid IN ({", ".join(f"to_regclass('{table}')" for table in TABLES)})
    AND grantee <> relowner
  LOOP EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM %s',
    one.name, CASE one.grantee WHEN 0 THEN 'PUBLIC' ELSE one.grantee::regrole::text END);
  END LOOP;
END $$;
"""  # noqa: S608 - our own names


class Editor(Protocol):
    @property
    def connection(self) -> BaseDatabaseWrapper: ...
    def execute(self, sql: str, params: None = None) -> object: ...


def install(editor: Editor) -> None:
    if editor.connection.vendor != "sqlite":
        editor.execute(FUNCTION)
    for table in TABLES:
        is_sqlite = editor.connection.vendor == "sqlite"
        for statement in _on_sqlite(table) if is_sqlite else [_on_postgresql(table)]:
            editor.execute(statement)
    if editor.connection.vendor != "sqlite":
        editor.execute(ONLY_ADDED_TO, params=None)


def remove(editor: Editor) -> None:
    for table in TABLES:
        if editor.connection.vendor == "sqlite":
            for what in ("update", "delete", "insert"):
                editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{what}")
        else:
            editor.execute(f"DROP TRIGGER IF EXISTS {table}_refuses ON {table}")


@contextmanager
def lowered(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """For a test's own database alone, which is emptied after the test."""
    with connection.schema_editor(atomic=False) as editor:
        remove(editor)
    try:
        yield
    finally:
        with connection.schema_editor(atomic=False) as editor:
            install(editor)


def _on_postgresql(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_refuses BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION patients_audit_refuses()"
    )


def _on_sqlite(table: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    key = KEYS[table]
    # INSERT OR REPLACE removes the row in its way, and asks no DELETE trigger.
    taken = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_insert BEFORE INSERT ON {table} WHEN {taken} {refuse}",
    ]
