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
    key = model._meta.pk
    assert key is not None
    fields = [model._meta.get_field(name) for name in columns]
    everything = [key, *fields]
    assert all(isinstance(field, models.Field) for field in everything)
    prepared = [
        [field.get_db_prep_save(value, connection) for field, value in zip(everything, row, strict=True)]  # type: ignore[union-attr]
        for row in given
    ]
    name = connection.ops.quote_name
    table = name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            names = [name(field.column) for field in everything]  # type: ignore[union-attr]
            types = [field.rel_db_type(connection) if field.is_relation else field.db_type(connection) for field in everything]  # type: ignore[union-attr]
            arrays = ", ".join(f"%s::{_bare(kind)}[]" for kind in types)
            assign = ", ".join(f"{column} = fresh.{column}" for column in names[1:])
            cursor.execute(
                f"UPDATE {table} SET {assign} FROM unnest({arrays}) AS fresh({', '.join(names)}) "  # noqa: S608 -- names from the models
                f"WHERE {table}.{names[0]} = fresh.{names[0]}",
                [list(column) for column in zip(*prepared, strict=True)],
            )
            return
        assign = ", ".join(f"{name(field.column)} = %s" for field in fields)  # type: ignore[union-attr]
        cursor.executemany(
            f"UPDATE {table} SET {assign} WHERE {name(key.column)} = %s",  # noqa: S608 -- names from the models
            [[*row[1:], row[0]] for row in prepared],
        )


def _bare(kind: str | None) -> str:
    """Return a column type without its length, as a cast of an array wants it."""
    return (kind or "text").partition("(")[0]
