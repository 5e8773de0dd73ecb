from django.db import migrations, models

from configuration.indexes import AddIndexOnline, for_parts_of, for_postgresql


class Migration(migrations.Migration):
    """What the lists of a large installation read along: tags in the order of their bytes, parts of names, the newest
    pushes of everywhere."""

    atomic = False
    dependencies = [("artifacts", "0003_labels")]
    operations = [
        AddIndexOnline("tag", models.Index(fields=["-push_time", "-id"], name="tag_push")),
        for_postgresql("tag_repository_bytes", 'artifacts_tag (repository_id, name COLLATE "C")'),
        for_postgresql("tag_bytes", 'artifacts_tag (name COLLATE "C", id)'),
        for_postgresql("repository_bytes", 'artifacts_repository (name COLLATE "C")'),
        for_parts_of("repository_name_parts", "artifacts_repository", "name"),
    ]
