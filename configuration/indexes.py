"""Operations of migrations that make indexes, and drop them, while a large installation goes on working.

Their migration says `atomic = False`: on PostgreSQL an index is made concurrently, which no transaction allows. One
that an earlier attempt left half made is made anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState
from django.db.models.indexes import Index

TRIGRAMS = "pg_trgm"
"""A trusted extension: who owns the database may create it. Without it, `=~` reads what the other filters leave."""
_log = logging.getLogger(__name__)


class AddIndexOnline(migrations.AddIndex):
    """An index of the model's `Meta`."""

    index: Index
    model_name: str

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            statement = str(self.index.create_sql(model, schema_editor, concurrently=True))
            _make(schema_editor, str(self.index.name), statement)


class DropForeignKeyIndexOnline(migrations.AlterField):
    """A foreign key that has an index of its own no more (`db_index=False`); the constraint stays as it is.

    Django would make that anew, too: with both tables locked while each row is checked.
    """

    model_name: str

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        model: Any = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            column, others = model._meta.get_field(self.name).column, {index.name for index in model._meta.indexes}
            editor: Any = schema_editor
            for name in editor._constraint_names(model, [column], index=True, type_=Index.suffix, exclude=others):
                with at_leisure(schema_editor):
                    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)


def for_postgresql(name: str, on: str) -> migrations.RunPython:
    """An index of PostgreSQL alone, for what SQLite's own serve already: `on` is `table (columns)`."""

    def forwards(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            _make(schema_editor, name, f"CREATE INDEX CONCURRENTLY {name} ON {on}")

    return migrations.RunPython(forwards, _dropping(name))


def for_parts_of(name: str, table: str, column: str) -> migrations.RunPython:
    """An index for `column__icontains`, on PostgreSQL where it has, or lets us have, trigrams."""

    def forwards(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql" and _has_trigrams(schema_editor):
            on = f"{table} USING gin (UPPER({column}::text) gin_trgm_ops)"
            _make(schema_editor, name, f"CREATE INDEX CONCURRENTLY {name} ON {on}")

    return migrations.RunPython(forwards, _dropping(name))


def _has_trigrams(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    """Whether the extension is there, created now if need be."""
    try:
        schema_editor.execute(f"CREATE EXTENSION IF NOT EXISTS {TRIGRAMS}")
    except DatabaseError as error:
        _log.warning("no index for parts of names: the extension %s cannot be created: %s", TRIGRAMS, error)
        return False
    return True


def _make(schema_editor: BaseDatabaseSchemaEditor, name: str, statement: str) -> None:
    with at_leisure(schema_editor):
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute(statement, params=None)


@contextmanager
def at_leisure(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """What is executed within takes as long as it takes, whatever limit PostgreSQL has for other statements."""
    if schema_editor.connection.vendor != "postgresql":
        yield
        return
    schema_editor.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        schema_editor.execute("RESET statement_timeout")


def _dropping(name: str) -> Any:
    def backwards(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            with at_leisure(schema_editor):
                schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

    return backwards
