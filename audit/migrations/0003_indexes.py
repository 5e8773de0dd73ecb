from django.db import migrations, models

from configuration.indexes import AddIndexOnline, for_parts_of


class Migration(migrations.Migration):
    """For what failed, and for parts of names, in the log."""

    atomic = False
    dependencies = [("audit", "0002_purged")]
    operations = [
        AddIndexOnline(
            "entry",
            models.Index(fields=["-op_time", "-id"], condition=models.Q(success=False), name="entry_failed_time"),
        ),
        for_parts_of("entry_resource_parts", "audit_entry", "resource"),
        for_parts_of("entry_username_parts", "audit_entry", "username"),
    ]
