from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.actors import EVERY_PROJECT, Actor, Kind, Permission
from accounts.models import Group, GroupMembership, User


class Role(models.IntegerChoices):
    """Harbor's project roles by their wire numbers, which do not follow their strength."""

    PROJECT_ADMIN = 1, "projectAdmin"
    DEVELOPER = 2, "developer"
    GUEST = 3, "guest"
    MAINTAINER = 4, "maintainer"
    LIMITED_GUEST = 5, "limitedGuest"

    @property
    def strength(self) -> int:
        """Higher may more."""
        return (Role.LIMITED_GUEST, Role.GUEST, Role.DEVELOPER, Role.MAINTAINER, Role.PROJECT_ADMIN).index(self)


LIST_PROJECTS = Permission("project", "list")


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, actor: Actor) -> ProjectQuerySet:
        """Projects that exist for `actor`: those in which it may do anything at all; all, for who may list all."""
        if actor.is_admin or EVERY_PROJECT in actor.grants or LIST_PROJECTS in actor.system_grants:
            return self
        visible = Q(public=True) | Q(pk__in=list(actor.grants))
        if actor.kind is Kind.USER:
            visible |= Q(pk__in=Member.objects.of(actor).values("project_id"))
        return self.filter(visible)

    def search(self, text: str) -> ProjectQuerySet:
        """Projects whose name contains `text`, taken literally, without regard to case."""
        return self.filter(name__icontains=text)

    def with_counts(self) -> ProjectQuerySet:
        """With `repo_count`, and the owner, in the same query. Only the rows of the page are counted."""
        repositories = Project._meta.get_field("repositories").related_model._default_manager
        counted = (
            repositories.filter(project=OuterRef("pk")).order_by().values("project").annotate(n=models.Count("pk"))
        )
        return self.select_related("owner", "allowlist").annotate(repo_count=Coalesce(Subquery(counted.values("n")), 0))

    def with_roles_of(self, actor: Actor) -> ProjectQuerySet:
        """With `roles` read once for the whole page: those that `actor` has, by itself and by its groups."""
        return self.prefetch_related(Prefetch("members", Member.objects.of(actor), to_attr="own_memberships"))


class Project(models.Model):
    """A namespace of repositories, with its members and rules. `metadata` holds Harbor's strings, but for `public`."""

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

    def __str__(self) -> str:
        return self.name

    def roles_of(self, actor: Actor) -> list[Role]:
        """The roles `actor` has here, by itself and by its groups, strongest first; one query for a person."""
        if actor.kind is not Kind.USER:
            return []
        return by_strength(self.members.of(actor).values_list("role", flat=True))

    @property
    def roles(self) -> list[Role]:
        """What `with_roles_of` read, strongest first."""
        memberships: Iterable[Any] = getattr(self, "own_memberships", ())
        return by_strength(member.role for member in memberships)

    def deletable(self) -> bool:
        """Whether it is empty: only then may it be deleted."""
        return not self.repositories.exists()


def by_strength(roles: Iterable[int]) -> list[Role]:
    """Distinct roles, the strongest first."""
    return sorted({Role(role) for role in roles}, key=lambda role: -role.strength)


class MemberQuerySet(models.QuerySet["Member"]):
    def of(self, actor: Actor) -> MemberQuerySet:
        """Memberships of the user `actor` and of the groups it is in now; none for who is not a user."""
        if actor.user_id is None:
            return self.none()
        groups = GroupMembership.objects.filter(user_id=actor.user_id).values("group_id")
        return self.filter(Q(user_id=actor.user_id) | Q(group_id__in=groups))

    def search(self, text: str) -> MemberQuerySet:
        """Members whose name contains `text`, taken literally, without regard to case."""
        return self.filter(Q(user__username__icontains=text) | Q(group__name__icontains=text))

    def listed(self) -> MemberQuerySet:
        """Members to show, with the name of each in the same query (`entity_name`), in its order."""
        named = self.exclude(user__deleted=True).select_related("user", "group")
        return named.annotate(entity_name=Coalesce("user__username", "group__name")).order_by("entity_name", "pk")


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
            models.CheckConstraint(condition=Q(user__isnull=True) ^ Q(group__isnull=True), name="member_user_or_group"),
        ]

    def __str__(self) -> str:
        return str(self.user or self.group)


class Quota(models.Model):
    """How many bytes a project may store and does. Locking this row serializes what changes a project's contents."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="quota")
    hard = models.BigIntegerField(default=-1)
    """Bytes; -1 is unlimited."""
    used = models.BigIntegerField(default=0)
    """Bytes of the distinct blobs and manifests that the project's artifacts reference."""
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.used} of {self.hard} bytes"


class LabelQuerySet(models.QuerySet["Label"]):
    def everywhere(self) -> LabelQuerySet:
        """The labels that every project may use."""
        return self.filter(project=None)

    def usable_in(self, project: Project) -> LabelQuerySet:
        """The labels that the artifacts of `project` may carry: its own and those for every project."""
        return self.filter(Q(project=None) | Q(project=project))


class Label(models.Model):
    """A coloured word for artifacts: of one project, or, without one, for the artifacts of all."""

    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=128)
    description = models.TextField(blank=True, default="")
    color = models.CharField(max_length=16, blank=True, default="")
    """As CSS writes it: `#0065AB`; empty for none."""
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    objects = LabelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="label_project_unique"),
            models.UniqueConstraint(fields=["name"], condition=Q(project=None), name="label_global_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class Allowlist(models.Model):
    """Vulnerabilities that are put up with: in one project, or, without one, in all that have no list of their own."""

    project = models.OneToOneField(Project, null=True, on_delete=models.CASCADE, related_name="allowlist")
    items = models.JSONField(default=list)
    """Their names: `CVE-2024-1234`."""
    expires_at = models.BigIntegerField(null=True)
    """Seconds of the epoch; None is never."""
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(Coalesce("project_id", 0), name="allowlist_unique")]

    def __str__(self) -> str:
        return f"what {self.project or 'the system'} puts up with"
