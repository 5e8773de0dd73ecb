from django.db import migrations, models

KIND = [
    ("operation", models.CharField(max_length=64)),
    ("resource_type", models.CharField(max_length=64)),
    ("success", models.BooleanField()),
    ("number", models.BigIntegerField()),
]
KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    """Tallies, empty: the task that looks after them counts what there is by and by. The one row keeps its table."""

    dependencies = [("audit", "0003_indexes")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Purged", "Ledger"),
                migrations.AlterModelTable("ledger", "audit_purged"),
            ]
        ),
        migrations.AddField("ledger", "counted", models.BigIntegerField(default=0)),
        migrations.AddField("ledger", "settled", models.BigIntegerField(default=0)),
        migrations.AddField("ledger", "newest", models.BigIntegerField(default=0)),
        migrations.AddField("ledger", "next_transaction", models.BigIntegerField(default=0)),
        migrations.AddField("ledger", "looked_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "Tally", [KEY, ("day", models.DateField()), ("project_id", models.BigIntegerField()), *KIND]
        ),
        migrations.AddConstraint(
            "tally",
            models.UniqueConstraint(
                fields=["project_id", "day", "operation", "resource_type", "success"], name="tally_unique"
            ),
        ),
        migrations.CreateModel("UserTally", [KEY, ("username", models.CharField(max_length=255)), *KIND]),
        migrations.AddConstraint(
            "usertally",
            models.UniqueConstraint(
                fields=["username", "operation", "resource_type", "success"], name="usertally_unique"
            ),
        ),
    ]
