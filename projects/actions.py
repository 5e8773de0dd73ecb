"""What may be done with projects, their members and their quotas. Authorize, one transaction, one audit entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts import actions as accounts
from accounts.actors import SYSTEM, Actor, Kind
from accounts.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed
from accounts.models import Group, User
from accounts.permissions import require_authenticated, require_system
from audit.actions import record
from configuration import values
from configuration.types import quota as parse_quota
from projects import metadata as rules
from projects import quotas
from projects.models import Member, Project, Quota, Role
from projects.permissions import require

NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)


def create_project(
    actor: Actor,
    *,
    name: str,
    public: bool = False,
    metadata: Mapping[str, str] | None = None,
    storage_limit: int | None = None,
) -> Project:
    """A new project. Its creator administers it; one that a robot creates is owned by the first administrator.

    `storage_limit` in bytes counts for who may update quotas only, as in Harbor; None or 0 is the configured default.
    """
    require_creation(actor)
    if len(name) > 255 or not NAME.fullmatch(name):
        raise BadRequest("a project's name has lower case letters and digits, joined by . _ or -", "project_name")
    given = rules.parse(metadata or {}, at_creation=True)
    public = given.pop("public", "true" if public else "false") == "true"
    owner_id = actor.user_id or User.objects.administrators().order_by("pk").values_list("pk", flat=True).first()
    try:
        with transaction.atomic():
            project = Project.objects.create(name=name, owner_id=owner_id, public=public, metadata=given)
            Quota.objects.create(project=project, hard=_hard(actor, storage_limit))
            if owner_id is not None:
                Member.objects.create(project=project, user_id=owner_id, role=Role.PROJECT_ADMIN)
            record(actor, "create", "project", name, project=project)
    except IntegrityError:
        raise Conflict(f"The project named {name} already exists") from None
    return project


def update_project(actor: Actor, project: Project, *, metadata: Mapping[str, str]) -> Project:
    """Set those of the project's metadata, `public` among them, that are named; the others stay."""
    require(actor, "project", "update", project)
    return _change(actor, project, rules.parse(metadata))


def set_metadata(actor: Actor, project: Project, key: str, value: str) -> Project:
    """Set one key of the metadata, whether it is there already or not."""
    require(actor, "metadata", "update", project)
    return _change(actor, project, rules.parse({key: value}))


def add_metadata(actor: Actor, project: Project, key: str, value: str) -> Project:
    """Set one key of the metadata that is not there yet."""
    require(actor, "metadata", "create", project)
    return _change(actor, project, rules.parse({key: value}), new=True)


def delete_metadata(actor: Actor, project: Project, key: str) -> Project:
    """Take one key of the metadata away, if it is there; without `public` a project is private."""
    require(actor, "metadata", "delete", project)
    rules.require_known(key)
    return _change(actor, project, {key: None})


def shown_metadata(project: Project) -> dict[str, str]:
    """The metadata as Harbor shows it, `public` first; its values are strings."""
    stored: dict[str, str] = project.metadata
    return {"public": "true" if project.public else "false"} | stored


def delete_project(actor: Actor, project: Project) -> None:
    """Delete an empty project, with its members and robots. Its name may be taken again; nothing is inherited."""
    require(actor, "project", "delete", project)
    with transaction.atomic():
        # In a push's order: first the quota, then, for its repository's foreign key, the project.
        lock_quota(project.pk)
        locked = Project.objects.select_for_update().filter(pk=project.pk).first()
        if locked is None:
            raise NotFound(f"project {project.name} not found")
        if not locked.deletable():
            raise PreconditionFailed("the project contains repositories, can not be deleted")
        record(actor, "delete", "project", project.name, project=project)
        try:
            locked.delete()
        except ProtectedError:
            raise PreconditionFailed("the project contains repositories, can not be deleted") from None


def set_member(
    actor: Actor, project: Project, *, user: User | None = None, group: Group | None = None, role: int
) -> Member:
    """Give a user or a group a role in the project; `Conflict` if it is a member already."""
    require(actor, "member", "create", project)
    if (user is None) == (group is None):
        raise BadRequest("a member is a user or a group")
    member = Member(project=project, user=user, group=group, role=_role(role))
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            _record_member(actor, "create", member)
    except IntegrityError:
        raise Conflict(f"{member} is already a member of the project {project.name}") from None
    return member


def change_member(actor: Actor, project: Project, member: Member, role: int) -> Member:
    """Give a member another role."""
    require(actor, "member", "update", project)
    wanted = _role(role)
    with transaction.atomic():
        current = _locked_member(project, member)
        if wanted is not Role.PROJECT_ADMIN:
            _require_another_administrator(actor, project, current)
        current.role = wanted
        current.save(update_fields=["role", "update_time"])
        _record_member(actor, "update", current)
    return current


def remove_member(actor: Actor, project: Project, member: Member) -> None:
    """Take the membership away. What a member pushed stays; tokens already given lose their rights at once."""
    require(actor, "member", "delete", project)
    with transaction.atomic():
        current = _locked_member(project, member)
        _require_another_administrator(actor, project, current)
        _record_member(actor, "delete", current)
        current.delete()


def delete_group(actor: Actor, group: Group) -> None:
    """Delete a group of users, and first its roles: each project's log says that it lost a member."""
    with transaction.atomic():
        for member in Member.objects.filter(group=group).select_related("project", "group").order_by("pk"):
            _record_member(actor, "delete", member)
        accounts.delete_group(actor, group)


def set_quota(actor: Actor, project: Project, hard: int) -> Quota:
    """Let the project store `hard` bytes, -1 for any number. Less than it holds already only stops what comes."""
    require_system(actor, "quota", "update")
    limit = _parsed_quota(hard)
    with transaction.atomic():
        quota = lock_quota(project.pk)
        quota.hard = limit
        quota.save(update_fields=["hard", "update_time"])
        record(actor, "update", "project", project.name, project=project, description=f"set quota to {limit} bytes")
    return quota


def set_used(actor: Actor, project_id: int, used: int) -> None:
    """Let the project's quota say that `used` bytes are used, as its row's keeper has counted under its lock."""
    require_system(actor, "quota", "update")
    with transaction.atomic():
        quota, project = lock_quota(project_id), Project.objects.get(pk=project_id)
        told = f"counted anew what the project uses: {used} bytes, not {quota.used}"
        quota.used = used
        quota.save(update_fields=["used", "update_time"])
        record(actor, "update", "quota", project.name, project=project, description=told)


def lock_quota(project_id: int) -> Quota:
    """The project's quota, locked until the transaction ends: one at a time changes what a project holds."""
    try:
        return Quota.objects.select_for_update().get(project_id=project_id)
    except Quota.DoesNotExist:
        raise NotFound("the project is gone") from None


def charge(project_id: int, amount: int, *, unchanged_since: datetime | None = None, actor: Actor = SYSTEM) -> bool:
    """Book `amount` bytes on the project, or release them if negative, in the caller's transaction: a single update.

    Raises `Denied` when it would be more than the quota, and books nothing. With `unchanged_since`, the row's
    `update_time` as it was seen, it also locks and compares: False, and nothing is booked, if the row has changed.
    Where `actor` thereby fills the project to `quotas.WARNING` per cent, that is written down.
    """
    is_enforced = amount > 0 and bool(values.get("quota_per_project_enable"))
    booked = _book(project_id, amount, unchanged_since, is_enforced)
    if booked is None and unchanged_since is not None:
        return False
    if booked is None:
        quota = Quota.objects.filter(project_id=project_id).first()
        if quota is None:
            raise NotFound("the project is gone")
        raise Denied(quotas.exceeded(amount, quota.used, quota.hard))
    used, hard = booked
    if is_enforced and quotas.crosses_warning(used - amount, used, hard):
        _record_warning(actor, project_id, used, hard)
    return True


def _book(project_id: int, amount: int, unchanged_since: datetime | None, is_enforced: bool) -> tuple[int, int] | None:
    """The update, which asks for what it must know afterwards: bytes used, and the limit. None where no row fits."""
    time = connection.ops.adapt_datetimefield_value
    where, parameters = "project_id = %s", [amount, time(timezone.now()), project_id]
    if unchanged_since is not None:
        where, parameters = f"{where} AND update_time = %s", [*parameters, time(unchanged_since)]
    if is_enforced:
        where, parameters = f"{where} AND (hard < 0 OR hard >= used + %s)", [*parameters, amount]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Quota._meta.db_table} SET used = used + %s, update_time = %s WHERE {where} RETURNING used, hard",
            parameters,
        )
        booked: tuple[int, int] | None = cursor.fetchone()
    return booked


def _record_warning(actor: Actor, project_id: int, used: int, hard: int) -> None:
    project = Project.objects.get(pk=project_id)
    told = f"the project uses {used * 100 // hard}% of its quota: {quotas.readable(used)} of {quotas.readable(hard)}"
    record(actor, "warn", "quota", project.name, project=project, description=told, used=used, hard=hard)


def require_room(project_id: int, amount: int) -> None:
    """Return if the project has room for `amount` bytes now; raise `Denied` if not. It promises nothing for later."""
    if not values.get("quota_per_project_enable"):
        return
    quota = Quota.objects.filter(project_id=project_id).first()
    if quota is None:
        raise NotFound("the project is gone")
    if not quotas.fits(amount, quota.used, quota.hard):
        raise Denied(quotas.exceeded(amount, quota.used, quota.hard))


def _change(actor: Actor, project: Project, changes: Mapping[str, str | None], *, new: bool = False) -> Project:
    """Change the metadata; `Conflict` if they have to be `new` and one is there."""
    with transaction.atomic():
        current = Project.objects.select_for_update(no_key=True).filter(pk=project.pk).first()
        if current is None:
            raise NotFound(f"project {project.name} not found")
        if new and (known := changes.keys() & shown_metadata(current)):
            raise Conflict(f"metadata {min(known)} already exists")
        for key, value in changes.items():
            if key == "public":
                current.public = value == "true"
            elif value is None:
                current.metadata.pop(key, None)
            else:
                current.metadata[key] = value
        current.save(update_fields=["public", "metadata", "update_time"])
        record(actor, "update", "project", current.name, project=current, changes=dict(changes))
    return current


def require_creation(actor: Actor) -> None:
    """Everybody may create projects, if so configured; a robot only if it was given that."""
    require_authenticated(actor)
    if actor.kind is Kind.ROBOT or values.get("project_creation_restriction") == "adminonly":
        require_system(actor, "project", "create")


def _hard(actor: Actor, storage_limit: int | None) -> int:
    if not actor.is_admin or not storage_limit:
        return int(values.get("storage_per_project"))
    return _parsed_quota(storage_limit)


def _parsed_quota(hard: int) -> int:
    try:
        return parse_quota(hard)
    except ValueError as error:
        raise BadRequest(f"the quota {error}", "storage_limit") from None


def _role(role: int) -> Role:
    if role not in Role.values:
        raise BadRequest("role id is not one of 1 to 5", "role_id")
    return Role(role)


def _locked_member(project: Project, member: Member) -> Member:
    """The member as it is now, of this project and no other, behind the project's lock."""
    Project.objects.select_for_update(no_key=True).filter(pk=project.pk).first()
    current = Member.objects.filter(project=project, pk=member.pk).select_related("user", "group").first()
    if current is None:
        raise NotFound(f"member {member.pk} not found")
    return current


def _require_another_administrator(actor: Actor, project: Project, leaving: Member) -> None:
    """A project's own people do not leave it without an administrator; Haven's administrators may."""
    if actor.is_admin or leaving.role != Role.PROJECT_ADMIN:
        return
    if not project.members.listed().filter(role=Role.PROJECT_ADMIN).exclude(pk=leaving.pk).exists():
        raise PreconditionFailed("the project's last administrator must stay one")


def _record_member(actor: Actor, operation: str, member: Member) -> None:
    role = Role(member.role)
    record(actor, operation, "member", str(member), project=member.project, role=role.label)
