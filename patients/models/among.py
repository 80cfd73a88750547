"""`field__among=values`: what `__in` means, as one value of one statement.

`IN` has a placeholder for each of its values. With hundreds of them, Django and psycopg take longer
to write the statement than the database to answer it.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, ForeignObject, Lookup


class Among(Lookup):
    """For numbers and words. On PostgreSQL `= ANY(array)`, elsewhere the values of a JSON list."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        lhs, parameters = self._lhs(compiler, connection)
        values = json.dumps([*self.rhs])
        return f"{lhs} IN (SELECT value FROM json_each(%s))", [*parameters, values]  # noqa: S608

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        lhs, parameters = self._lhs(compiler, connection)
        if isinstance(next(iter(self.rhs)), int):
            # As one word: an adapter would look at each number by itself.
            numbers = ",".join(map(str, self.rhs))
            return f"{lhs} = ANY(%s::bigint[])", [*parameters, f"{{{numbers}}}"]
        return f"{lhs} = ANY(%s::text[])", [*parameters, [*self.rhs]]

    def _lhs(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        if not self.rhs:
            raise EmptyResultSet  # as `__in`: nothing is asked
        lhs, parameters = self.process_lhs(compiler, connection)
        return lhs, list(parameters)


Field.register_lookup(Among)
ForeignObject.register_lookup(Among)
