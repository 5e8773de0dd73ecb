"""What a login or an administrator takes over from the directory: people, and the groups they are in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.actions.groups import Known, find_or_create_group, refresh_groups
from accounts.actions.onboarding import Identity, find_or_add_ldap_user
from accounts.actors import Actor
from accounts.errors import DomainError, NotFound
from accounts.ldap import directory
from accounts.ldap.directory import FoundGroup, Person
from accounts.models import Group, User
from accounts.permissions import require_authenticated, require_system
from configuration import values

MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """Who could not be imported, and why."""

    uid: str
    error: str


def accept_person(person: Person, name: str, groups: Iterable[FoundGroup], admin: bool) -> User:
    """The user of who just proved to be `person` under `name`, in the groups that the directory says."""
    user = find_or_add_ldap_user(_identity(person, name))
    known = [Known(group.name, group.dn) for group in groups]
    return refresh_groups(user, Group.Type.LDAP, known, admin=admin)


def import_people(actor: Actor, names: Iterable[str]) -> list[Failure]:
    """Make users of these people of the directory, so that they can be given roles before they come; who could not."""
    require_system(actor, "ldap-user", "create")
    failures = []
    with directory.configured() as found:
        for name in list(names)[:MOST_AT_ONCE]:
            try:
                _import(found, name)
            except DomainError as error:
                failures.append(Failure(name, error.message))
    return failures


def import_person(actor: Actor, name: str) -> User:
    """The user of this name, out of the directory; for who may give them a role. `NotFound` where nobody is."""
    require_authenticated(actor)
    if values.get("auth_mode") != "ldap_auth":
        raise NotFound(f"user {name} not found")
    with directory.configured() as found:
        return _import(found, name)


def import_group(actor: Actor, *, dn: str = "", name: str = "") -> Group:
    """A group that Haven has not heard of yet, for who may give it a role.

    One of LDAP's must be in the directory and is called `name`, or as it is called there; a provider of OpenID Connect
    lists no groups, so any name may become one.
    """
    require_authenticated(actor)
    mode = values.get("auth_mode")
    if mode == "oidc_auth" and name and not dn:
        return find_or_create_group(Known(name), Group.Type.OIDC)
    if mode != "ldap_auth" or not dn:
        raise NotFound(f"group {dn or name} not found")
    with directory.configured() as found:
        group = found.group(dn)
    if group is None:
        raise NotFound(f"LDAP Group DN is not found: DN:{dn}")
    return find_or_create_group(Known(name or group.name, group.dn), Group.Type.LDAP)


def _import(found: directory.Directory, name: str) -> User:
    people = found.people(name, limit=2) if name.strip() else []
    if len(people) != 1 or not (written := people[0].named(name)):
        raise NotFound("empty_uid" if not name.strip() else "unknown_user")
    return find_or_add_ldap_user(_identity(people[0], written))


def _identity(person: Person, name: str) -> Identity:
    return Identity(name, person.realname, person.email or (name if "@" in name else ""))
