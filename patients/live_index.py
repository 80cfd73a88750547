"""An index on a table that people are using: built beside them, on PostgreSQL concurrently.

Django's own `AddIndex` holds up every writer until the index is built: on a table of millions,
minutes. Use it only in the migration that makes the table (`tests/test_migrations.py` insists).
The migration must say `atomic = False` and hold nothing else: what is half done there is not
taken back, and only this can be done twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex
from django.db.migrations.state import ProjectState


@contextmanager
def _patience(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """It waits for whoever is writing, but nobody waits for it. Behind the next change somebody
    would: for that one `migrate`'s own limit stands again.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (limit,) = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [limit])


class AddLiveIndex(AddIndex):
    atomic = False
    elsewhere = True  # whether other databases get it, too, as Django builds it

    def describe(self) -> str:
        return f"{super().describe()}, while the table is in use"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            if self.elsewhere:
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        with _patience(schema_editor):
            self._drop(schema_editor)  # what an interrupted run left behind is no index
            model = to_state.apps.get_model(app_label, self.model_name)
            schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            self._drop(schema_editor)
        elif self.elsewhere:
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def _drop(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        name = schema_editor.quote_name(self.index.name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


class AddLiveIndexOnPostgresql(AddLiveIndex):
    """One that no model names: SQLite could not build it."""

    elsewhere = False

    def describe(self) -> str:
        return f"{super().describe()}, on PostgreSQL"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass
