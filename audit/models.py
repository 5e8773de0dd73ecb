from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """Something that happened. It refers to people and projects by value: it outlives what it describes."""

    event_id = models.UUIDField(null=True, unique=True)
    """Set where the same event may be delivered twice (batched pulls): the second insert is ignored."""
    op_time = models.DateTimeField()
    username = models.CharField(max_length=255)
    resource_type = models.CharField(max_length=64)
    resource = models.CharField(max_length=512)
    operation = models.CharField(max_length=64)
    operation_description = models.CharField(max_length=1024, blank=True, default="")
    success = models.BooleanField(default=True)
    project_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-op_time", "-id"], name="entry_time"),
            models.Index(fields=["project_id", "-op_time", "-id"], name="entry_project_time"),
            models.Index(fields=["username", "-op_time", "-id"], name="entry_username_time"),
            models.Index(fields=["operation", "-op_time", "-id"], name="entry_operation_time"),
            models.Index(fields=["resource_type", "-op_time", "-id"], name="entry_type_time"),
        ]
