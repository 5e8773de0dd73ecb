from django.db import migrations, models

from configuration.indexes import AddIndexOnline


class Migration(migrations.Migration):
    """For executions of a status."""

    atomic = False
    dependencies = [("jobs", "0002_pools_and_pauses")]
    operations = [
        AddIndexOnline(
            "job",
            models.Index(
                fields=["status", "execution"], condition=models.Q(("status", "Success"), _negated=True), name="job_not_success"
            ),
        ),
    ]
