"""Groups of users, and who is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.actors import SYSTEM, Actor
from accounts.errors import BadRequest, Conflict, NotFound
from accounts.ldap.directory import configured
from accounts.models import Group, GroupMembership, User
from accounts.permissions import require_system
from accounts.rules import is_one_line
from audit.actions import record
from configuration import values
from configuration.types import distinguished_name

MOST = 1000
"""Groups of one person that are heeded; who is in more is in the first of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """A group as the directory or the provider knows it; `dn` is LDAP's."""

    name: str
    dn: str = ""


def create_group(actor: Actor, *, name: str, type: int, ldap_group_dn: str = "") -> Group:
    """A new group. One of LDAP's is known by its distinguished name, the others by their own.

    Where people come from LDAP, `BadRequest` for a group that the directory does not have.
    """
    require_system(actor, "user-group", "create")
    if type not in Group.Type.values:
        raise BadRequest("the group type is not one of 1 to 3", "group_type")
    group = Group(name=_name(name), type=type, ldap_group_dn=_dn(ldap_group_dn) if type == Group.Type.LDAP else "")
    if type == Group.Type.LDAP and values.get("auth_mode") == "ldap_auth":
        with configured() as directory:
            if directory.group(group.ldap_group_dn) is None:
                raise BadRequest(f"LDAP Group DN is not found: DN:{group.ldap_group_dn}", "ldap_group_dn")
    return _add(actor, group)


def rename_group(actor: Actor, group: Group, name: str) -> Group:
    """Give a group another name; members and roles stay."""
    require_system(actor, "user-group", "update")
    group.name = _name(name)
    try:
        with transaction.atomic():
            group.save(update_fields=["name", "update_time"])
            record(actor, "update", "usergroup", group.name)
    except IntegrityError:
        raise Conflict(f"the group {group.name} already exists") from None
    return group


def delete_group(actor: Actor, group: Group) -> None:
    """Delete a group and who is in it. `projects.actions` records the roles that end with it."""
    require_system(actor, "user-group", "delete")
    with transaction.atomic():
        record(actor, "delete", "usergroup", group.name)
        group.delete()


def join_group(actor: Actor, group: Group, user: User) -> None:
    """Put `user` into the group, and so into its roles; nothing if there already."""
    require_system(actor, "user-group", "update")
    try:
        with transaction.atomic():
            _, is_new = GroupMembership.objects.get_or_create(group=group, user=user)
            if is_new:
                record(actor, "update", "usergroup", group.name, description=f"{user.username} joins {group.name}")
    except IntegrityError:
        raise NotFound("the group or the user is gone") from None


def leave_group(actor: Actor, group: Group, user: User) -> None:
    """Take `user` out of the group; its roles end at once."""
    require_system(actor, "user-group", "update")
    with transaction.atomic():
        gone, _ = GroupMembership.objects.filter(group=group, user=user).delete()
        if gone:
            record(actor, "update", "usergroup", group.name, description=f"{user.username} leaves {group.name}")


def find_or_create_group(known: Known, type: int) -> Group:
    """The group that is known like this, new where Haven has not heard of it. For who may give it a role."""
    same = Q(ldap_group_dn__iexact=known.dn) if type == Group.Type.LDAP else Q(name=known.name)
    found = Group.objects.filter(same, type=type).order_by("pk").first()
    if found is not None:
        return found
    group = Group(name=_name(known.name), type=type, ldap_group_dn=_dn(known.dn) if type == Group.Type.LDAP else "")
    try:
        return _add(SYSTEM, group)
    except Conflict:
        return Group.objects.get(name=group.name, type=type, ldap_group_dn=group.ldap_group_dn)


def refresh_groups(user: User, type: int, known: Iterable[Known], *, admin: bool) -> User:
    """Let `user` be in exactly these groups of this type, as a login just told; writes only what has changed.

    `admin`: whether a group makes them an administrator, for as long as it does.
    """
    wanted = {group.dn.lower() if type == Group.Type.LDAP else group.name: group for group in list(known)[:MOST]}
    wanted = {key: group for key, group in wanted.items() if _is_storable(group, type)}
    there = _pks(type, wanted)
    for key, group in wanted.items():
        if key not in there:
            there[key] = [find_or_create_group(group, type).pk]
    pks = {pk for group in there.values() for pk in group}
    mine = GroupMembership.objects.filter(user=user, group__type=type)
    before = set(mine.values_list("group_id", flat=True))
    if before == pks and user.admin_by_group == admin:
        return user
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        mine.exclude(group_id__in=pks).delete()
        rows = [GroupMembership(user=user, group_id=pk) for pk in sorted(pks - before)]
        GroupMembership.objects.bulk_create(rows, ignore_conflicts=True)
        if locked.admin_by_group != admin:
            User.objects.filter(pk=user.pk).update(admin_by_group=admin)
        names = [group.name for group in wanted.values()]
        record(user.actor, "update", "user", user.username, description="groups at login", groups=names, admin=admin)
    user.admin_by_group = admin
    return user


def _pks(type: int, keys: Iterable[str]) -> dict[str, list[int]]:
    """The groups that are here already, by what they are known by; LDAP's may bear several names."""
    rows = Group.objects.filter(type=type)
    if type == Group.Type.LDAP:
        rows = rows.annotate(key=Lower("ldap_group_dn")).filter(key__in=list(keys))
    else:
        rows = rows.annotate(key=F("name")).filter(name__in=list(keys))
    found: dict[str, list[int]] = {}
    for pk, key in rows.values_list("pk", "key"):
        found.setdefault(key, []).append(pk)
    return found


def _is_storable(group: Known, type: int) -> bool:
    """Whether the group can be one here. A provider's is known by its name, so its name must stay what it is."""
    try:
        name = _name(group.name)
        return bool(_dn(group.dn)) if type == Group.Type.LDAP else name == group.name
    except BadRequest:
        return False


def _add(actor: Actor, group: Group) -> Group:
    try:
        with transaction.atomic():
            group.save(force_insert=True)
            record(actor, "create", "usergroup", group.name)
    except IntegrityError:
        raise Conflict(f"the group {group.name} already exists") from None
    return group


def _name(name: str) -> str:
    if not 1 <= len(name.strip()) <= 255 or len(name) > 255 or not is_one_line(name):
        raise BadRequest("the group's name must have 1 to 255 characters", "group_name")
    return name.strip()


def _dn(dn: str) -> str:
    if not (0 < len(dn) <= 512 and is_one_line(dn)):
        raise BadRequest("a group of LDAP needs its distinguished name", "ldap_group_dn")
    try:
        return distinguished_name(dn)
    except ValueError:
        raise BadRequest(f"invalid DN syntax. DN: {dn}", "ldap_group_dn") from None
