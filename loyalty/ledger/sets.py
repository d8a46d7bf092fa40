"""Set-based updates: one statement per table and batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def update_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Update ``columns`` (field names) of many rows; each row is (primary key, value, value, …).

    On PostgreSQL one UPDATE from unnested arrays; on SQLite, which runs in this process, one prepared statement.
    """
    given = list(rows)
    if not given:
        return
    fields = [_field(model, name) for name in ("pk", *columns)]
    prepared = [
        [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)] for row in given
    ]
    names = [connection.ops.quote_name(str(field.column)) for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
            assign = ", ".join(f"{name} = fresh.{name}" for name in names[1:])
            cursor.execute(
                f"UPDATE {table} SET {assign} FROM unnest({arrays}) AS fresh({', '.join(names)}) "  # noqa: S608 -- names from the models
                f"WHERE {table}.{names[0]} = fresh.{names[0]}",
                [list(column) for column in zip(*prepared, strict=True)],
            )
            return
        assign = ", ".join(f"{name} = %s" for name in names[1:])
        cursor.executemany(
            f"UPDATE {table} SET {assign} WHERE {names[0]} = %s",  # noqa: S608 -- names from the models
            [[*row[1:], row[0]] for row in prepared],
        )


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    found = model._meta.pk if name == "pk" else model._meta.get_field(name)
    assert isinstance(found, models.Field)
    return found


def _type(field: models.Field[Any, Any]) -> str:
    """Return a column's type as a cast of an array wants it: without its length."""
    found = field.rel_db_type(connection) if field.is_relation else field.db_type(connection)
    return (found or "text").partition("(")[0]
