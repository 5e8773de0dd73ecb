from typing import Any

from django.db import migrations, models, transaction
from django.db.models.deletion import CASCADE, PROTECT

from configuration.indexes import AddIndexOnline, DropForeignKeyIndexOnline, at_leisure

BATCH = 5_000
"""Artifacts of one transaction, which holds their rows and those of their repositories until it is done."""
HOLD = """
    SELECT id FROM artifacts_repository
    WHERE id IN (SELECT repository_id FROM artifacts_artifact WHERE id > %s AND id <= %s)
    ORDER BY id FOR NO KEY UPDATE
"""
"""As pushes and the counting of pulls do before they touch artifacts: else these and we wait for each other in a circle,
and PostgreSQL ends one of us."""
FILL = """
    UPDATE artifacts_artifact SET tagged = {tagged}, listed = {listed}
    WHERE id > %s AND id <= %s AND (tagged <> {tagged} OR listed <> {listed})
"""
TAGGED = "EXISTS (SELECT 1 FROM artifacts_tag t WHERE t.artifact_id = artifacts_artifact.id)"
LISTED = f"""(NOT EXISTS (SELECT 1 FROM artifacts_accessory x WHERE x.artifact_id = artifacts_artifact.id)
    AND ({TAGGED} OR NOT EXISTS (SELECT 1 FROM artifacts_reference r WHERE r.child_id = artifacts_artifact.id)))"""
ORDERS = {
    "push": ["push_time", "id"],
    "tagged": ["tagged", "push_time", "id"],
    "type": ["type", "push_time", "id"],
    "size": ["size", "id"],
    "pull": ["pull_time", "id"],
    "digest": ["digest", "id"],
    "id": ["id"],
}


def fill(_apps: object, schema_editor: Any) -> None:
    """What the new columns say of the artifacts that are there."""
    connection = schema_editor.connection
    with at_leisure(schema_editor), connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM artifacts_artifact")
        last = cursor.fetchone()[0] or 0
        for start in range(0, last, BATCH):
            with transaction.atomic(connection.alias):
                if connection.vendor == "postgresql":
                    cursor.execute(HOLD, [start, start + BATCH])
                cursor.execute(FILL.format(tagged=TAGGED, listed=LISTED), [start, start + BATCH])


def index(scope: str, name: str, order: list[str]) -> AddIndexOnline:
    return AddIndexOnline("artifact", models.Index(fields=[scope, *order], condition=models.Q(listed=True), name=name))


class Migration(migrations.Migration):
    """What lists of artifacts and of an artifact's tags read along, whatever they are sorted by.

    The indexes of the foreign keys alone go last: others begin with the same column.
    """

    atomic = False
    dependencies = [("artifacts", "0005_listed")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        *(index("repository", f"artifact_listed_{name}", order) for name, order in ORDERS.items()),
        *(index("project", f"artifact_shown_{name}", order) for name, order in ORDERS.items()),
        index("project", "artifact_shown_repository", ["repository", "id"]),
        AddIndexOnline("tag", models.Index(fields=["artifact", "push_time", "id"], name="tag_artifact_push")),
        AddIndexOnline("tag", models.Index(fields=["artifact", "name"], name="tag_artifact_name")),
        DropForeignKeyIndexOnline(
            "artifact",
            "project",
            models.ForeignKey(on_delete=PROTECT, related_name="+", to="projects.project", db_index=False),
        ),
        DropForeignKeyIndexOnline(
            "artifact",
            "repository",
            models.ForeignKey(on_delete=PROTECT, related_name="artifacts", to="artifacts.repository", db_index=False),
        ),
        DropForeignKeyIndexOnline(
            "tag",
            "artifact",
            models.ForeignKey(on_delete=CASCADE, related_name="tags", to="artifacts.artifact", db_index=False),
        ),
    ]
