from __future__ import annotations

import pytest

from accounts.actions import create_group, delete_group, join_group, leave_group, rename_group
from accounts.actors import ANONYMOUS, SYSTEM
from accounts.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthenticated
from accounts.models import Group, GroupMembership
from audit.models import Entry
from projects.models import Member, Role
from projects.permissions import allowed
from tests.cast import Cast

HTTP, LDAP = Group.Type.HTTP, Group.Type.LDAP


def test_a_life(cast: Cast) -> None:
    group = create_group(cast.admin.actor, name="team", type=HTTP)
    Member.objects.create(project=cast.private, group=group, role=Role.GUEST)
    join_group(SYSTEM, group, cast.stranger)
    join_group(SYSTEM, group, cast.stranger)
    assert allowed(cast.stranger.actor, cast.private)
    rename_group(cast.admin.actor, group, "crew")
    leave_group(SYSTEM, group, cast.stranger)
    leave_group(SYSTEM, group, cast.stranger)
    assert not allowed(cast.stranger.actor, cast.private)
    delete_group(cast.admin.actor, group)
    assert not Group.objects.exists()
    assert "crew" not in [str(member) for member in cast.private.members.listed()]
    assert [entry.operation for entry in Entry.objects.order_by("pk")] == [
        "create",
        "update",
        "update",
        "update",
        "delete",
    ]


@pytest.mark.parametrize(
    ("name", "type", "dn"),
    [("", HTTP, ""), (" ", HTTP, ""), ("x" * 256, HTTP, ""), ("a\nb", HTTP, ""), ("a", 4, ""), ("a", LDAP, "")],
)
def test_what_makes_no_sense(cast: Cast, name: str, type: int, dn: str) -> None:
    with pytest.raises(BadRequest):
        create_group(SYSTEM, name=name, type=type, ldap_group_dn=dn)
    assert not Group.objects.exists()


def test_a_name_that_looks_like_sql_is_a_name(cast: Cast) -> None:
    group = create_group(SYSTEM, name="x') or 1=1--", type=HTTP)
    join_group(SYSTEM, group, cast.stranger)
    assert not allowed(cast.stranger.actor, cast.private)


def test_no_two_alike(cast: Cast) -> None:
    create_group(SYSTEM, name="a", type=LDAP, ldap_group_dn="cn=a")
    create_group(SYSTEM, name="a", type=LDAP, ldap_group_dn="cn=b")
    with pytest.raises(Conflict):
        create_group(SYSTEM, name="a", type=LDAP, ldap_group_dn="cn=a")
    other = create_group(SYSTEM, name="b", type=LDAP, ldap_group_dn="cn=a")
    with pytest.raises(Conflict):
        rename_group(SYSTEM, other, "a")


def test_who_may_not(cast: Cast) -> None:
    group = Group.objects.create(name="team", type=HTTP)
    for actor, error in ((ANONYMOUS, Unauthenticated), (cast.alice.actor, Forbidden)):
        for action in (
            lambda actor=actor: create_group(actor, name="new", type=HTTP),
            lambda actor=actor: rename_group(actor, group, "new"),
            lambda actor=actor: delete_group(actor, group),
            lambda actor=actor: join_group(actor, group, cast.alice),
            lambda actor=actor: leave_group(actor, group, cast.alice),
        ):
            with pytest.raises(error):
                action()
    assert [row.name for row in Group.objects.all()] == ["team"]
    assert not GroupMembership.objects.exists()


def test_a_group_that_is_gone(transactional_db: None) -> None:
    from tests.cast import make_user

    group = Group.objects.create(name="team", type=HTTP)
    gone = Group(pk=group.pk, name="team")
    delete_group(SYSTEM, group)
    with pytest.raises(NotFound):
        join_group(SYSTEM, gone, make_user("somebody"))
