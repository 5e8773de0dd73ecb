"""Migrations that change what is indexed, on tables that others go on working with."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AlterField

pytestmark = pytest.mark.django_db(transaction=True)
CONSTRAINTS = "SELECT conname, oid FROM pg_constraint WHERE conrelid = 'artifacts_artifact'::regclass AND contype = 'f'"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'artifacts_%_like_before'"


def test_a_foreign_key_loses_its_index_and_stays_as_it_is() -> None:
    """A constraint made anew is checked for every row, with both tables locked; until then nothing is checked at all.
    SQLite makes the table anew in any case."""
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX artifacts_project_like_before ON artifacts_artifact (project_id)")
        cursor.execute("CREATE INDEX artifacts_tag_like_before ON artifacts_tag (artifact_id)")
        cursor.execute(CONSTRAINTS)
        constraints = set(cursor.fetchall())
        assert len(constraints) == 2

        take_away_indexes()

        cursor.execute(CONSTRAINTS)
        assert set(cursor.fetchall()) == constraints
        cursor.execute(INDEXES)
        assert cursor.fetchone() == (0,)


def take_away_indexes() -> None:
    """What the migration does to foreign keys."""
    loader = MigrationLoader(connection)
    before = loader.project_state(("artifacts", "0005_listed"))
    for operation in loader.get_migration("artifacts", "0006_listed_indexes").operations:
        after = before.clone()
        operation.state_forwards("artifacts", after)
        if isinstance(operation, AlterField):
            with connection.schema_editor(atomic=False) as editor:
                operation.database_forwards("artifacts", editor, before, after)
        before = after
