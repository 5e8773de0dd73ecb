from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actions import (
    INITIAL_ADMIN,
    configure,
    create_first_admin,
    create_user,
    delete_user,
    set_active,
    set_admin,
    set_password,
    update_user,
)
from accounts.actors import ANONYMOUS, SYSTEM, Actor, Kind, Permission
from accounts.basic import authenticate
from accounts.errors import (
    BadRequest,
    Conflict,
    DomainError,
    Forbidden,
    Locked,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from accounts.models import Group, GroupMembership, User
from audit.models import Entry
from projects.models import Project
from projects.permissions import allowed
from tests.cast import PASSWORD, Cast, make_user

NEW = "Another-Horse-9"
HERE = "192.0.2.1"


def manager(*actions: str) -> Actor:
    """A robot that may do these with users."""
    grants = frozenset(Permission("user", action) for action in actions)
    return Actor(Kind.ROBOT, "robot$hr", robot_id=1, system_grants=grants)


def recorded() -> list[tuple[str, str, str]]:
    """What was done to users: who, what, whom."""
    entries = Entry.objects.filter(resource_type="user").order_by("pk")
    return [(entry.username, entry.operation, entry.resource) for entry in entries]


def refused(error: type[DomainError], action: Callable[[], Any]) -> str:
    """The sentence with which `action` fails; no user is another, and nothing is recorded."""

    def everything() -> list[Any]:
        return [list(User.everyone.order_by("pk").values()), list(Entry.objects.values())]

    before = everything()
    with pytest.raises(error) as refusal:
        action()
    assert refusal.type is error
    assert everything() == before
    return refusal.value.message


def create(actor: Actor = SYSTEM, /, **changes: str) -> User:
    fields = {"username": "new", "password": NEW, "email": "new@haven.test", "realname": "New"}
    return create_user(actor, **{**fields, **changes})


class TestCreating:
    def test_a_new_user_signs_in_and_may_nothing(self, cast: Cast) -> None:
        create(cast.admin.actor, comment="hello")
        actor = authenticate("new", NEW, HERE)
        assert actor
        assert not actor.is_admin
        assert allowed(actor, cast.private) == frozenset()
        assert recorded() == [("admin", "create", "new")]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", ""),
            ("username", "x" * 256),
            *(("username", f"a{letter}b") for letter in ',"~#%$:\n\x00\u202e\ud800'),
            ("username", " a"),
            ("username", "robot$a"),
            ("username", "anonymous"),
            ("username", "System"),
            ("email", ""),
            ("email", "nobody"),
            ("email", "a@b"),
            ("email", "a b@haven.test"),
            ("email", "a@haven.test\n"),
            ("email", "a" * 250 + "@haven.test"),
            ("realname", ""),
            ("realname", "x" * 256),
            ("realname", "a\nb"),
            ("comment", "x" * 31),
            ("password", ""),
            ("password", "Short-1"),
            ("password", "no-upper-case-1"),
            ("password", "NO-LOWER-CASE-1"),
            ("password", "No-Digit-Here"),
            ("password", "Ünï-Ødd-٣٤"),
            ("password", "Aa1" + "x" * 126),
            ("password", "Harbor12345"),
            ("password", "Zero-Byte-1\x00"),
            ("password", "Half-1-\ud800"),
        ],
    )
    def test_fields_are_checked(self, cast: Cast, field: str, value: str) -> None:
        refused(BadRequest, lambda: create(SYSTEM, **{field: value}))

    def test_passwords_of_any_letters_are_fine(self, cast: Cast) -> None:
        create(password="Aa1 pässwörd 密码 ")
        assert authenticate("new", "Aa1 pässwörd 密码 ", HERE)
        assert authenticate("new", "Aa1 pässwörd 密码", HERE) is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [("username", "guest"), ("username", "GUEST"), ("username", "ｇuest"), ("email", "Guest@Haven.Test")],
    )
    def test_nobody_twice(self, cast: Cast, field: str, value: str) -> None:
        refused(Conflict, lambda: create(SYSTEM, **{field: value}))

    @pytest.mark.parametrize(
        ("actor", "error"),
        [(ANONYMOUS, Unauthenticated), (manager("read", "list", "update"), Forbidden)],
        ids=["anonymous", "robot"],
    )
    def test_who_may_not(self, cast: Cast, actor: Actor, error: type[DomainError]) -> None:
        refused(error, lambda: create(actor))
        refused(Forbidden, lambda: create(cast.alice.actor))

    def test_a_robot_that_may(self, cast: Cast) -> None:
        assert not create(manager("create")).is_admin

    def test_anybody_where_so_configured(self, cast: Cast) -> None:
        configure(SYSTEM, {"self_registration": True})
        user = create(ANONYMOUS)
        assert not user.is_admin
        assert recorded() == [("new", "create", "new")]
        refused(Forbidden, lambda: create(user.actor, username="newer", email="newer@haven.test"))


class TestProfile:
    def test_ones_own(self, cast: Cast) -> None:
        update_user(cast.guest.actor, cast.guest, email="g@haven.test", realname="G", comment="c")
        user = User.objects.get(pk=cast.guest.pk)
        assert (user.email, user.realname, user.comment) == ("g@haven.test", "G", "c")
        assert recorded() == [("guest", "update", "guest")]

    def test_not_anothers(self, cast: Cast) -> None:
        fields = {"email": "g@haven.test", "realname": "G", "comment": ""}
        refused(Forbidden, lambda: update_user(cast.alice.actor, cast.guest, **fields))
        refused(Unauthenticated, lambda: update_user(ANONYMOUS, cast.guest, **fields))
        refused(Forbidden, lambda: update_user(manager("create"), cast.guest, **fields))

    def test_a_robot_that_may_manage_users_does_not_reach_administrators(self, cast: Cast) -> None:
        robot, fields = manager("create", "read", "update", "delete"), {"realname": "G", "comment": ""}
        update_user(robot, cast.guest, email="g@haven.test", **fields)
        refused(Forbidden, lambda: update_user(robot, cast.admin, email="mine@haven.test", **fields))
        refused(Forbidden, lambda: set_password(robot, cast.admin, NEW))
        refused(Forbidden, lambda: set_admin(robot, cast.guest, True))
        refused(Forbidden, lambda: set_admin(robot, cast.admin, False))
        refused(Forbidden, lambda: delete_user(robot, cast.admin))

    def test_an_address_that_is_taken(self, cast: Cast) -> None:
        fields = {"realname": "G", "comment": ""}
        refused(Conflict, lambda: update_user(cast.guest.actor, cast.guest, email="ALICE@haven.test", **fields))


class TestPassword:
    def test_ones_own_needs_the_old_one(self, cast: Cast) -> None:
        refused(Forbidden, lambda: set_password(cast.guest.actor, cast.guest, NEW))
        refused(Forbidden, lambda: set_password(cast.guest.actor, cast.guest, NEW, "wrong"))
        refused(Forbidden, lambda: set_password(cast.admin.actor, cast.admin, NEW))
        set_password(cast.guest.actor, cast.guest, NEW, PASSWORD)
        assert authenticate("guest", NEW, HERE)
        assert recorded() == [("guest", "update", "guest")]

    def test_anothers_does_not(self, cast: Cast) -> None:
        set_password(cast.admin.actor, cast.guest, NEW)
        assert authenticate("guest", NEW, HERE)
        refused(Forbidden, lambda: set_password(cast.alice.actor, cast.guest, PASSWORD, NEW))

    def test_a_new_one(self, cast: Cast) -> None:
        refused(BadRequest, lambda: set_password(cast.guest.actor, cast.guest, PASSWORD, PASSWORD))
        refused(BadRequest, lambda: set_password(SYSTEM, cast.guest, PASSWORD))
        refused(BadRequest, lambda: set_password(SYSTEM, cast.guest, "Harbor12345"))
        refused(BadRequest, lambda: set_password(SYSTEM, cast.guest, "weak"))

    def test_the_old_one_is_not_guessed(self, cast: Cast) -> None:
        for _ in range(5):
            refused(Forbidden, lambda: set_password(cast.guest.actor, cast.guest, NEW, "wrong"))
        refused(Locked, lambda: set_password(cast.guest.actor, cast.guest, NEW, PASSWORD))

    def test_it_raises_the_epoch(self, cast: Cast) -> None:
        set_password(SYSTEM, cast.guest, NEW)
        assert User.objects.get(pk=cast.guest.pk).auth_epoch == 1

    def test_two_at_once(self, cast: Cast) -> None:
        stale = User.objects.get(pk=cast.guest.pk)
        set_password(SYSTEM, cast.guest, NEW)
        with pytest.raises(Conflict):
            set_password(SYSTEM, stale, "Third-Horse-9")
        assert authenticate("guest", NEW, HERE)

    def test_no_audit_entry_knows_it(self, cast: Cast) -> None:
        set_password(cast.guest.actor, cast.guest, NEW, PASSWORD)
        entries = str(list(Entry.objects.values()))
        assert NEW not in entries
        assert PASSWORD not in entries


class TestAdministrators:
    def test_made_and_unmade_by_administrators(self, cast: Cast) -> None:
        set_admin(cast.admin.actor, cast.guest, True)
        assert authenticate("guest", PASSWORD, HERE).is_admin  # type: ignore[union-attr]
        set_admin(cast.guest.actor, cast.admin, False)
        assert not authenticate("admin", PASSWORD, HERE).is_admin  # type: ignore[union-attr]
        assert recorded() == [("admin", "update", "guest"), ("guest", "update", "admin")]

    def test_and_by_nobody_else(self, cast: Cast) -> None:
        refused(Forbidden, lambda: set_admin(cast.alice.actor, cast.alice, True))
        refused(Unauthenticated, lambda: set_admin(ANONYMOUS, cast.alice, True))

    def test_the_last_one_stays(self, cast: Cast) -> None:
        refused(PreconditionFailed, lambda: set_admin(cast.admin.actor, cast.admin, False))
        refused(PreconditionFailed, lambda: set_active(SYSTEM, cast.admin, False))
        second = last_administrator()
        refused(PreconditionFailed, lambda: delete_user(SYSTEM, second))

    def test_one_that_is_disabled_does_not_count(self, cast: Cast) -> None:
        make_user("sleeper", is_admin=True, is_active=False)
        refused(PreconditionFailed, lambda: set_admin(SYSTEM, cast.admin, False))

    def test_the_first_is_made_once(self, db: None) -> None:
        assert create_first_admin(NEW) is not None
        assert create_first_admin(NEW) is None
        assert create_first_admin("weak") is None
        assert [user.username for user in User.objects.administrators()] == ["admin"]

    def test_the_first_has_no_known_password(self, db: None) -> None:
        with pytest.raises(BadRequest):
            create_first_admin("Harbor12345")
        assert not User.objects.exists()


def last_administrator() -> User:
    """The one that is left, under an id that may be deleted."""
    other = make_user("second", is_admin=True)
    User.objects.exclude(pk=other.pk).update(is_admin=False)
    return other


class TestDeleting:
    def test_the_row_stays_without_the_person(self, cast: Cast) -> None:
        group = Group.objects.create(name="g", type=Group.Type.HTTP)
        GroupMembership.objects.create(group=group, user=cast.guest)
        authenticate("guest", PASSWORD, HERE)
        delete_user(cast.admin.actor, cast.guest)
        assert recorded() == [("admin", "delete", "guest")]
        row = User.everyone.get(pk=cast.guest.pk)
        assert (row.username, row.email) == (f"guest#{row.pk}", f"guest@haven.test#{row.pk}")
        assert (row.realname, row.comment, row.is_admin, row.is_active) == ("", "", False, False)
        assert authenticate("guest", PASSWORD, HERE) is None
        assert authenticate(row.username, PASSWORD, HERE) is None
        assert not User.objects.filter(pk=row.pk).exists()
        assert not GroupMembership.objects.exists()

    def test_the_name_is_free_and_inherits_nothing(self, cast: Cast) -> None:
        delete_user(cast.admin.actor, cast.guest)
        heir = create(username="guest", email="guest@haven.test")
        assert allowed(heir.actor, cast.private) == frozenset()

    def test_a_name_as_long_as_can_be(self, cast: Cast) -> None:
        long = make_user("x" * 240)
        User.objects.filter(pk=long.pk).update(username="x" * 255)
        delete_user(cast.admin.actor, User.objects.get(pk=long.pk))
        assert len(User.everyone.get(pk=long.pk).username) == 255

    def test_projects_stay(self, cast: Cast) -> None:
        delete_user(cast.admin.actor, cast.alice)
        assert Project.objects.count() == 2

    def test_neither_oneself_nor_the_first(self, cast: Cast) -> None:
        second = make_user("second", is_admin=True)
        refused(Forbidden, lambda: delete_user(second.actor, second))
        first = User.objects.filter(pk=INITIAL_ADMIN).first() or make_user("first", pk=INITIAL_ADMIN, is_admin=True)
        refused(Forbidden, lambda: delete_user(second.actor, first))

    def test_what_is_gone_is_not_changed(self, cast: Cast) -> None:
        stale = User.objects.get(pk=cast.guest.pk)
        delete_user(cast.admin.actor, cast.guest)
        profile = {"email": "g@haven.test", "realname": "G", "comment": ""}
        refused(NotFound, lambda: set_admin(SYSTEM, stale, True))
        refused(NotFound, lambda: set_active(SYSTEM, stale, True))
        refused(NotFound, lambda: set_password(SYSTEM, stale, NEW))
        refused(NotFound, lambda: update_user(SYSTEM, stale, **profile))
        refused(NotFound, lambda: delete_user(SYSTEM, stale))

    def test_who_may_not(self, cast: Cast) -> None:
        refused(Forbidden, lambda: delete_user(cast.alice.actor, cast.guest))
        refused(Unauthenticated, lambda: delete_user(ANONYMOUS, cast.guest))
        refused(Forbidden, lambda: delete_user(manager("update"), cast.guest))


class TestDisabling:
    def test_out_and_in_again(self, cast: Cast) -> None:
        set_active(cast.admin.actor, cast.guest, False)
        assert authenticate("guest", PASSWORD, HERE) is None
        set_active(cast.admin.actor, cast.guest, True)
        assert authenticate("guest", PASSWORD, HERE)
        done = ("admin", "update", "guest")
        assert recorded() == [done, ("guest", "login", "guest"), done]

    def test_nobody_shuts_themselves_out(self, cast: Cast) -> None:
        make_user("second", is_admin=True)
        refused(Forbidden, lambda: set_active(cast.admin.actor, cast.admin, False))


@pytest.mark.parametrize("text", ["_", "%", "\\", "'"])
def test_search_is_literal(cast: Cast, text: str) -> None:
    found = [user.username for user in User.objects.search(text)]
    assert found == (["limited_guest"] if text == "_" else [])
