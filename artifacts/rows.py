"""Inserting any number of rows by one statement. Django's `bulk_create` cuts them into batches on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def insert(rows: Sequence[models.Model], *, on_conflict: str = "", returning: str = "id") -> list[tuple[Any, ...]]:
    """Insert `rows`, all of one model and without ids; what the database returns, in no particular order.

    `on_conflict` is what SQL says after ON CONFLICT. Both databases take more than 30,000 values at once.
    """
    if not rows:
        return []
    table = rows[0]._meta
    fields = [field for field in table.concrete_fields if not (field.primary_key and field.auto_created)]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in fields]
    marks = f"({', '.join(['%s'] * len(fields))})"
    statement = (
        f"INSERT INTO {table.db_table} ({', '.join(str(field.column) for field in fields)})"
        f" VALUES {', '.join([marks] * len(rows))}"
        f"{f' ON CONFLICT {on_conflict}' if on_conflict else ''} RETURNING {returning}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        returned: list[tuple[Any, ...]] = cursor.fetchall()
    return returned
