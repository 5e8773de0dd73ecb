from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether lists show an artifact, and whether a tag names it. The next migration fills them in."""

    dependencies = [("artifacts", "0004_indexes")]
    operations = [
        migrations.AddField("artifact", "listed", models.BooleanField(default=True, db_default=True)),
        migrations.AddField("artifact", "tagged", models.BooleanField(default=False, db_default=False)),
    ]
