"""A hot path's one query, planned once for each connection where the database can keep a plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connection

ELSEWHERE = ("26000", "42P05", "0A000")
"""SQLSTATEs: no such prepared statement, there is one already, its result would have other types now."""
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
"""What has been prepared on which connection."""


def rows(statement: str, name: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of `statement`; the same `name` must always stand for the same statement.

    PostgreSQL plans a statement with a `name` once for each connection: planning costs more than the answer.
    """
    with connection.cursor() as cursor:
        if name and connection.vendor == "postgresql":
            known = _prepared.setdefault(connection.connection, set())
            try:
                if name not in known:
                    cursor.execute(f"PREPARE {name} AS {_numbered(statement)}")
                    known.add(name)
                cursor.execute(_execution(name, len(parameters)), parameters)
                return list(cursor.fetchall())
            except DatabaseError as error:
                # A pooler gave us another connection than the one that we prepared; or the plan is too old.
                if getattr(error.__cause__, "pgcode", "") not in ELSEWHERE or connection.in_atomic_block:
                    raise
                known.discard(name)
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


@cache
def _numbered(statement: str) -> str:
    """The statement with its parameters as PREPARE wants them: $1, $2."""
    first, *rest = statement.split("%s")
    return first + "".join(f"${number}{text}" for number, text in enumerate(rest, 1))


@cache
def _execution(name: str, count: int) -> str:
    return f"EXECUTE {name} ({', '.join(['%s'] * count)})" if count else f"EXECUTE {name}"
