"""Groups of users, and who is in them."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.errors import BadRequest, Conflict, NotFound
from accounts.models import Group, GroupMembership, User
from accounts.permissions import require_system
from accounts.rules import is_one_line
from audit.actions import record


def create_group(actor: Actor, *, name: str, type: int, ldap_group_dn: str = "") -> Group:
    """A new group. One of LDAP's is known by its distinguished name, the others by their own."""
    require_system(actor, "user-group", "create")
    if type not in Group.Type.values:
        raise BadRequest("the group type is not one of 1 to 3", "group_type")
    if type == Group.Type.LDAP and not (0 < len(ldap_group_dn) <= 512 and is_one_line(ldap_group_dn)):
        raise BadRequest("a group of LDAP needs its distinguished name", "ldap_group_dn")
    group = Group(name=_name(name), type=type, ldap_group_dn=ldap_group_dn if type == Group.Type.LDAP else "")
    try:
        with transaction.atomic():
            group.save(force_insert=True)
            record(actor, "create", "usergroup", group.name)
    except IntegrityError:
        raise Conflict(f"the group {group.name} already exists") from None
    return group


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
    """Delete a group; its roles in projects go with it."""
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


def _name(name: str) -> str:
    if not 1 <= len(name.strip()) <= 255 or len(name) > 255 or not is_one_line(name):
        raise BadRequest("the group's name must have 1 to 255 characters", "group_name")
    return name.strip()
