from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.actors import EVERY_PROJECT, Actor, Kind
from accounts.models import Group, User

if TYPE_CHECKING:
    from collections.abc import Iterable


class Role(models.IntegerChoices):
    """Harbor's project roles by their wire numbers; their strength is PROJECT_ADMIN > MAINTAINER > DEVELOPER > GUEST > LIMITED_GUEST."""

    PROJECT_ADMIN = 1
    DEVELOPER = 2
    GUEST = 3
    MAINTAINER = 4
    LIMITED_GUEST = 5


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, actor: Actor) -> ProjectQuerySet:
        """Projects that exist for `actor`: the same answer as `permissions.allowed`, in SQL."""
        if actor.is_admin or EVERY_PROJECT in actor.grants:
            return self
        visible = Q(public=True)
        if actor.kind is Kind.ROBOT:
            visible |= Q(pk__in=list(actor.grants))
        elif actor.kind is Kind.USER:
            visible |= Q(pk__in=Member.objects.of(actor).values("project_id"))
        return self.filter(visible)


class Project(models.Model):
    """A namespace of repositories, with its members and rules. `metadata` holds Harbor's string values, `public` apart."""

    name = models.CharField(max_length=255, unique=True)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    public = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict)
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["public", "name"], name="project_public_name"),
            models.Index(fields=["-creation_time", "-id"], name="project_creation"),
        ]

    def roles_of(self, actor: Actor) -> list[Role]:
        """The roles `actor` has here, by itself and by its groups; one query."""
        if actor.kind is not Kind.USER:
            return []
        roles: Iterable[int] = self.members.of(actor).values_list("role", flat=True)
        return [Role(role) for role in roles]


class MemberQuerySet(models.QuerySet["Member"]):
    def of(self, actor: Actor) -> MemberQuerySet:
        """Memberships of the user `actor` and of its groups."""
        return self.filter(Q(user_id=actor.user_id) | Q(group_id__in=actor.group_ids))


class Member(models.Model):
    """A user's or a group's role in a project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey(Group, null=True, on_delete=models.CASCADE, related_name="+")
    role = models.SmallIntegerField(choices=Role.choices)
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="member_user_unique"),
            models.UniqueConstraint(fields=["project", "group"], name="member_group_unique"),
            models.CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(group__isnull=True), name="member_user_or_group"
            ),
        ]


class Quota(models.Model):
    """How many bytes a project may store and does. Locking this row serializes what changes a project's contents."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="quota")
    hard = models.BigIntegerField(default=-1)
    """Bytes; -1 is unlimited."""
    used = models.BigIntegerField(default=0)
    """Bytes of the distinct blobs and manifests that the project's artifacts reference."""
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)
