from __future__ import annotations

from django.db import models

from projects.models import Project


class Robot(models.Model):
    """A machine account. Its secret is random and kept as a keyed SHA-256."""

    class Level(models.TextChoices):
        SYSTEM = "system"
        PROJECT = "project"

    name = models.CharField(max_length=255)
    """Without the prefix: the configuration's prefix and, for a project's robot, `project+` are added for display."""
    level = models.CharField(max_length=8, choices=Level.choices)
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="robots")
    """The project it belongs to; null for a system robot."""
    description = models.CharField(max_length=1024, blank=True, default="")
    secret_digest = models.CharField(max_length=64)
    permissions = models.JSONField(default=dict)
    """`{"system": ["resource:action"], "projects": {"<project id>": ["resource:action"]}}`; project id "0" is every project.

    By id, so that a project created anew under an old name inherits nothing.
    """
    duration = models.IntegerField()
    """Days from creation, -1 for never."""
    expires_at = models.DateTimeField(null=True)
    disabled = models.BooleanField(default=False)
    auth_epoch = models.PositiveIntegerField(default=0)
    creator = models.CharField(max_length=255, blank=True, default="")
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(project__isnull=True), name="robot_system_name_unique"
            ),
            models.UniqueConstraint(fields=["project", "name"], name="robot_project_name_unique"),
        ]
