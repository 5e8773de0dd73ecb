from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

from accounts.actors import NOTHING, Actor, Kind, Permission
from configuration import values
from projects.models import Project
from projects.permissions import PULL, PUSH, projects_allowing

ROBOT_LIST = Permission("robot", "list")


class RobotQuerySet(models.QuerySet["Robot"]):
    def visible_to(self, actor: Actor) -> RobotQuerySet:
        """Robots that `actor` may list: a project's, where it holds `robot:list`; the system's by its own. With their
        projects, so that names cost no query.
        """
        named = self.select_related("project")
        if actor.is_admin:
            return named
        visible = Q(project__in=projects_allowing(actor, *ROBOT_LIST))
        if ROBOT_LIST in actor.system_grants:
            visible |= Q(project__isnull=True)
        return named.filter(visible)

    def with_full_names(self) -> RobotQuerySet:
        """With `full_name`, what `display_name` adds the prefix to: `name`, `project+name`."""
        of_project = Concat("project__name", Value("+"), "name")
        return self.annotate(full_name=Case(When(project=None, then="name"), default=of_project))

    def alive(self) -> RobotQuerySet:
        """Robots that may sign in now."""
        return self.filter(disabled=False).exclude(expires_at__lte=timezone.now())


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
    """`{"system": ["resource:action"], "projects": {"<project id>": ["resource:action"]}}`; "0" is every project.

    By id, so that a project created anew under an old name inherits nothing.
    """
    duration = models.IntegerField()
    """Days from creation, -1 for never."""
    expires_at = models.DateTimeField(null=True)
    disabled = models.BooleanField(default=False)
    auth_epoch = models.PositiveIntegerField(default=0)
    creator = models.CharField(max_length=255, blank=True, default="")
    creation_time = models.DateTimeField(default=timezone.now)
    update_time = models.DateTimeField(auto_now=True)

    objects = RobotQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(project__isnull=True), name="robot_system_name_unique"
            ),
            models.UniqueConstraint(fields=["project", "name"], name="robot_project_name_unique"),
        ]

    def __str__(self) -> str:
        return self.display_name()

    def display_name(self, prefix: str | None = None) -> str:
        """What people call it and what it signs in as: `robot$name`, `robot$project+name`."""
        project = f"{self.project.name}+" if self.project else ""
        return f"{values.get('robot_name_prefix') if prefix is None else prefix}{project}{self.name}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def actor(self) -> Actor:
        """This robot as an actor, with its grants; whether it is disabled or expired is not looked at."""
        system, projects = grants_of(self.permissions, self.level)
        return Actor(
            Kind.ROBOT,
            self.display_name(),
            robot_id=self.pk,
            system_grants=system,
            grants=projects,
            auth_epoch=self.auth_epoch,
        )


LAST = datetime(9999, 12, 31, tzinfo=UTC)
"""As far as dates go."""

Grants = tuple[frozenset[Permission], Mapping[int, frozenset[Permission]]]


def grants_of(permissions: Mapping[str, object], level: str) -> Grants:
    """System and project grants out of what a robot's row keeps. For a project's robot, push implies pull."""
    system = permissions.get("system") or ()
    projects = permissions.get("projects") or {}
    assert isinstance(system, Iterable) and isinstance(projects, Mapping)
    granted = {int(pk): _parsed(words) for pk, words in projects.items()}
    if level == Robot.Level.PROJECT:
        granted = {pk: held | {PULL} if PUSH in held else held for pk, held in granted.items()}
    return (_parsed(system) if level == Robot.Level.SYSTEM else NOTHING), granted


def _parsed(words: Iterable[str]) -> frozenset[Permission]:
    return frozenset(Permission(*word.split(":", 1)) for word in words)


def expiry(created: datetime, duration: int) -> datetime | None:
    """When a robot of that age ends; None for never."""
    if duration == -1:
        return None
    try:
        return created + timedelta(days=duration)
    except OverflowError:
        return LAST
