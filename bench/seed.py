"""A large installation in a database: rows alone, whose blobs no registry holds.

`DATABASE_URL=postgres://... python -m bench.seed [--scale 1]`

1 is 1,000 projects, 20,000 repositories, 800,000 artifacts, 1.6 million tags and 5 million audit entries. One project
has 5,000 repositories (`project-1`), one repository 500,000 tags (`project-2/busy`), one index a thousand entries.
Every person's password is PASSWORD. The database is PostgreSQL, migrated, and holds no project yet.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harbor.environment import load_files

PASSWORD = "Seeded12345"
BUSY = ("project-2", "busy")
"""The repository with the most tags."""
LARGE = "project-1"
"""The project with the most repositories."""
STATEMENTS = Path(__file__).with_suffix(".sql")


class NotEmpty(Exception):
    """The database holds somebody's projects."""


def sizes(scale: float) -> dict[str, int]:
    """How many of each there are; at least as many as the shapes need."""
    return {
        "users": max(int(2_000 * scale), 60),
        "projects": max(int(1_000 * scale), 10),
        "repositories": max(int(20_000 * scale), 100),
        "large_project": max(int(5_000 * scale), 25) + 1,
        "artifacts": max(int(800_000 * scale), 8_000),
        "busy_artifacts": max(int(100_000 * scale), 1_000),
        "tags": max(int(1_600_000 * scale), 16_000),
        "busy_tags": max(int(500_000 * scale), 5_000),
        "deep_entries": 1_000 if scale >= 0.1 else 100,
        "entries": max(int(5_000_000 * scale), 50_000),
        "executions": max(int(20_000 * scale), 200),
    }


def seed(scale: float = 1.0) -> dict[str, int]:
    """Fill Django's database, in one transaction; what it was filled with. Raises NotEmpty."""
    from django.contrib.auth.hashers import make_password
    from django.db import connection, transaction
    from django.utils import timezone

    from projects.models import Project

    if Project.objects.exists():
        raise NotEmpty("the database holds projects: seed an empty one")
    counts = sizes(scale)
    values: dict[str, Any] = {**counts, "now": timezone.now(), "password": make_password(PASSWORD)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_user CASCADE")
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL jit = off")
        with _bare(cursor):
            for statement in statements():
                # Client-side: functions take no parameters, and the planner knows the numbers.
                cursor.execute(statement, values if "%(" in statement else None)
                _reckon(cursor, statement)
        _continue_ids(cursor)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return counts


def statements() -> list[str]:
    """The statements of seed.sql, without comments."""
    lines = [line for line in STATEMENTS.read_text().splitlines() if not line.startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip(" \n;")]


def _reckon(cursor: Any, statement: str) -> None:
    """Let the planner know a table that the next statements read."""
    words = statement.split()
    if words[:3] == ["CREATE", "TEMP", "TABLE"]:
        cursor.execute(f"ANALYZE {words[3]}")
    elif words[:2] == ["INSERT", "INTO"]:
        cursor.execute(f"ANALYZE {words[2]}")


@contextmanager
def _bare(cursor: Any) -> Iterator[None]:
    """Tables without indexes and constraints but primary keys: made once for all rows, they cost a fraction."""
    cursor.execute(
        "SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', t.relname, c.conname),"
        " format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid))"
        " FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
        " WHERE c.contype IN ('u', 'f') AND t.relnamespace = 'public'::regnamespace ORDER BY c.contype DESC"
    )
    constraints = cursor.fetchall()
    for drop, _ in sorted(constraints, key=lambda one: "FOREIGN" not in one[1]):
        cursor.execute(drop)
    cursor.execute(
        "SELECT format('DROP INDEX %I', i.indexname), i.indexdef FROM pg_indexes i"
        " WHERE i.schemaname = 'public' AND NOT EXISTS"
        " (SELECT 1 FROM pg_constraint c WHERE c.conindid = (i.indexname)::regclass AND c.contype = 'p')"
    )
    indexes = cursor.fetchall()
    for drop, _ in indexes:
        cursor.execute(drop)
    yield
    for _, create in [*indexes, *constraints]:
        cursor.execute(create)


def _continue_ids(cursor: Any) -> None:
    """What is inserted next gets the ids that follow."""
    cursor.execute(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'id' AND is_identity = 'YES'"
    )
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 0) + 1) FROM {table}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "harbor.settings")
    load_files()  # as manage.py does: `bin/up` has left keys and secrets
    django.setup()
    began = time.perf_counter()
    try:
        counts = seed(asked.scale)
    except NotEmpty as error:
        print(error, file=sys.stderr)
        return 1
    print(", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items()))
    print(f"in {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
