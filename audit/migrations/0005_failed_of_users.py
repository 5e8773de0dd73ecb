from django.db import migrations, models

from configuration.indexes import AddIndexOnline


class Migration(migrations.Migration):
    """For what failed of somebody: a handful of entries, among the many thousands of a busy robot."""

    atomic = False
    dependencies = [("audit", "0004_tallies")]
    operations = [
        AddIndexOnline(
            "entry",
            models.Index(
                fields=["username", "-op_time", "-id"],
                condition=models.Q(success=False),
                name="entry_failed_username_time",
            ),
        ),
    ]
