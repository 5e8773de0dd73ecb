from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.actions import configure
from accounts.actors import ANONYMOUS, SYSTEM, Actor, Kind, Permission
from accounts.errors import (
    BadRequest,
    Conflict,
    Denied,
    DomainError,
    Forbidden,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from accounts.models import Group
from artifacts.models import Repository
from audit.models import Entry
from projects import actions
from projects.models import Member, Project, Quota, Role
from tests.cast import Cast

MAKER = Actor(Kind.ROBOT, "robot$maker", robot_id=1, system_grants=frozenset({Permission("project", "create")}))
IDLER = Actor(Kind.ROBOT, "robot$idler", robot_id=2)


def recorded() -> list[tuple[str, str, str, str]]:
    """Who did what, oldest first."""
    entries = Entry.objects.order_by("pk")
    return [(entry.username, entry.operation, entry.resource_type, entry.resource) for entry in entries]


def refused(error: type[DomainError], action: Callable[[], Any]) -> str:
    """The sentence with which `action` fails; nothing is recorded of it."""
    before = recorded()
    with pytest.raises(error) as refusal:
        action()
    assert refusal.type is error
    assert recorded() == before
    return refusal.value.message


class TestCreating:
    def test_the_creator_administers_it(self, cast: Cast) -> None:
        project = actions.create_project(cast.stranger.actor, name="new", storage_limit=5)
        assert not project.public
        assert project.owner == cast.stranger
        assert project.roles_of(cast.stranger.actor) == [Role.PROJECT_ADMIN]
        assert project.quota.hard == -1  # a limit asked for by who may not set one is not heard
        assert recorded() == [("stranger", "create", "project", "new")]

    def test_an_administrator_sets_the_limit(self, cast: Cast) -> None:
        assert actions.create_project(cast.admin.actor, name="small", storage_limit=5).quota.hard == 5
        configure(SYSTEM, {"storage_per_project": 1000})
        assert actions.create_project(cast.admin.actor, name="usual", storage_limit=0).quota.hard == 1000
        assert actions.create_project(cast.guest.actor, name="guests", storage_limit=-1).quota.hard == 1000

    def test_a_robots_project_is_the_first_administrators(self, cast: Cast) -> None:
        project = actions.create_project(MAKER, name="made")
        assert project.owner == cast.admin
        assert recorded() == [("robot$maker", "create", "project", "made")]

    @pytest.mark.parametrize(
        "name",
        ["", "A", "a b", "a..b", "-a", "a-", "a__b", "a/b", "ä", "a\n", "a" * 256, "١", "library\x00", "a+b"],
    )
    def test_other_names_are_refused(self, cast: Cast, name: str) -> None:
        refused(BadRequest, lambda: actions.create_project(cast.alice.actor, name=name))
        assert Project.objects.count() == 2

    @pytest.mark.parametrize("name", ["a", "0", "a.b_c-d", "a" * 255])
    def test_these_names_are_fine(self, cast: Cast, name: str) -> None:
        assert actions.create_project(cast.alice.actor, name=name).name == name

    def test_a_name_is_taken_once(self, cast: Cast) -> None:
        message = refused(Conflict, lambda: actions.create_project(cast.alice.actor, name="private"))
        assert message == "The project named private already exists"

    @pytest.mark.parametrize(
        ("who", "restriction", "error"),
        [
            (ANONYMOUS, "everyone", Unauthenticated),
            (IDLER, "everyone", Forbidden),
            (IDLER, "adminonly", Forbidden),
            (ANONYMOUS, "adminonly", Unauthenticated),
        ],
    )
    def test_who_may_not(self, cast: Cast, who: Actor, restriction: str, error: type[DomainError]) -> None:
        configure(SYSTEM, {"project_creation_restriction": restriction})
        refused(error, lambda: actions.create_project(who, name="new"))
        assert not Project.objects.filter(name="new").exists()

    def test_only_administrators_where_so_configured(self, cast: Cast) -> None:
        configure(SYSTEM, {"project_creation_restriction": "adminonly"})
        refused(Forbidden, lambda: actions.create_project(cast.alice.actor, name="new"))
        actions.create_project(cast.admin.actor, name="new")
        actions.create_project(MAKER, name="newer")


class TestMetadata:
    def test_public_is_one_of_the_keys(self, cast: Cast) -> None:
        metadata = {"public": "true", "auto_scan": "TRUE", "severity": "High"}
        project = actions.create_project(cast.alice.actor, name="new", metadata=metadata)
        assert project.public
        assert actions.shown_metadata(project) == {"public": "true", "auto_scan": "true", "severity": "high"}

    @pytest.mark.parametrize(
        ("metadata", "culprit"),
        [
            ({"no_such_key": "true"}, "no_such_key"),
            ({"public": "perhaps"}, "public"),
            ({"severity": "worst"}, "severity"),
            ({"proxy_speed_kb": "fast"}, "proxy_speed_kb"),
            ({"proxy_speed_kb": "9" * 30}, "proxy_speed_kb"),
            ({"owner_id": "1"}, "owner_id"),
        ],
    )
    def test_what_makes_no_sense_changes_nothing(self, cast: Cast, metadata: dict[str, str], culprit: str) -> None:
        given = {"auto_scan": "true", **metadata}
        message = refused(BadRequest, lambda: actions.update_project(cast.alice.actor, cast.private, metadata=given))
        assert culprit in message
        cast.private.refresh_from_db()
        assert cast.private.metadata == {}

    def test_retention_is_not_set_at_creation(self, cast: Cast) -> None:
        metadata = {"retention_id": "1"}
        refused(BadRequest, lambda: actions.create_project(cast.alice.actor, name="new", metadata=metadata))

    def test_an_update_leaves_the_rest(self, cast: Cast) -> None:
        actor = cast.alice.actor
        actions.update_project(actor, cast.private, metadata={"auto_scan": "true"})
        project = actions.update_project(actor, cast.private, metadata={"public": "true"})
        assert actions.shown_metadata(project) == {"public": "true", "auto_scan": "true"}
        assert recorded() == [("alice", "update", "project", "private")] * 2

    def test_one_key_at_a_time(self, cast: Cast) -> None:
        actor, project = cast.alice.actor, cast.private
        project = actions.set_metadata(actor, project, "prevent_vul", "true")
        project = actions.delete_metadata(actor, project, "prevent_vul")
        project = actions.add_metadata(actor, project, "auto_scan", "true")
        refused(Conflict, lambda: actions.add_metadata(actor, project, "auto_scan", "false"))
        project = actions.set_metadata(actor, project, "auto_scan", "false")
        assert project.metadata == {"auto_scan": "false"}
        project = actions.delete_metadata(actor, project, "auto_scan")
        assert actions.delete_metadata(actor, project, "auto_scan").metadata == {}

    @pytest.mark.parametrize("role", [Role.MAINTAINER, Role.DEVELOPER, Role.GUEST, Role.LIMITED_GUEST, None])
    def test_only_the_projects_administrator(self, cast: Cast, role: Role | None) -> None:
        actor, project = cast.member(role).actor, cast.private
        refused(Forbidden, lambda: actions.update_project(actor, project, metadata={"public": "true"}))
        refused(Forbidden, lambda: actions.set_metadata(actor, project, "public", "true"))
        refused(Forbidden, lambda: actions.add_metadata(actor, project, "auto_scan", "true"))
        refused(Forbidden, lambda: actions.delete_metadata(actor, project, "public"))
        project.refresh_from_db()
        assert (project.public, project.metadata) == (False, {})


class TestDeleting:
    def test_its_name_may_be_taken_again_and_inherits_nothing(self, cast: Cast) -> None:
        old = cast.private.pk
        actions.delete_project(cast.alice.actor, cast.private)
        assert recorded() == [("alice", "delete", "project", "private")]
        new = actions.create_project(cast.stranger.actor, name="private")
        assert new.pk != old
        assert [str(member) for member in new.members.listed()] == ["stranger"]

    def test_not_while_it_has_repositories(self, cast: Cast) -> None:
        Repository.objects.create(project=cast.private, name="private/app")
        assert not cast.private.deletable()
        message = refused(PreconditionFailed, lambda: actions.delete_project(cast.alice.actor, cast.private))
        assert "contains repositories" in message
        assert Project.objects.filter(name="private").exists()

    def test_only_once(self, cast: Cast) -> None:
        actions.delete_project(cast.alice.actor, cast.private)
        refused(NotFound, lambda: actions.delete_project(cast.admin.actor, cast.private))

    @pytest.mark.parametrize("role", [Role.MAINTAINER, None])
    def test_who_may_not(self, cast: Cast, role: Role | None) -> None:
        refused(Forbidden, lambda: actions.delete_project(cast.member(role).actor, cast.private))


class TestMembers:
    def test_a_user_and_a_group(self, cast: Cast) -> None:
        group = Group.objects.create(name="everyone", type=Group.Type.OIDC)
        actor = cast.alice.actor
        actions.set_member(actor, cast.private, user=cast.stranger, role=Role.GUEST)
        actions.set_member(actor, cast.private, group=group, role=Role.DEVELOPER)
        names = {str(member): Role(member.role) for member in cast.private.members.listed()}
        assert names["stranger"] is Role.GUEST
        assert names["everyone"] is Role.DEVELOPER
        assert recorded() == [("alice", "create", "member", "stranger"), ("alice", "create", "member", "everyone")]

    def test_nobody_twice(self, cast: Cast) -> None:
        actor = cast.alice.actor
        refused(Conflict, lambda: actions.set_member(actor, cast.private, user=cast.guest, role=Role.DEVELOPER))
        assert cast.private.roles_of(cast.guest.actor) == [Role.GUEST]

    @pytest.mark.parametrize("role", [0, 6, -1])
    def test_roles_are_one_to_five(self, cast: Cast, role: int) -> None:
        refused(BadRequest, lambda: actions.set_member(cast.alice.actor, cast.private, user=cast.stranger, role=role))

    def test_a_member_is_somebody(self, cast: Cast) -> None:
        refused(BadRequest, lambda: actions.set_member(cast.alice.actor, cast.private, role=Role.GUEST))

    @pytest.mark.parametrize("role", [Role.MAINTAINER, Role.DEVELOPER, Role.GUEST, Role.LIMITED_GUEST, None])
    def test_only_the_projects_administrator(self, cast: Cast, role: Role | None) -> None:
        actor, project = cast.member(role).actor, cast.private
        member = project.members.get(user=cast.guest)
        refused(Forbidden, lambda: actions.set_member(actor, project, user=cast.stranger, role=Role.GUEST))
        refused(Forbidden, lambda: actions.change_member(actor, project, member, Role.PROJECT_ADMIN))
        refused(Forbidden, lambda: actions.remove_member(actor, project, member))
        assert project.roles_of(cast.guest.actor) == [Role.GUEST]

    def test_a_member_of_another_project_is_not_there(self, cast: Cast) -> None:
        foreign = cast.private.members.get(user=cast.guest)
        owner = cast.alice.actor
        refused(NotFound, lambda: actions.change_member(owner, cast.public, foreign, Role.PROJECT_ADMIN))
        refused(NotFound, lambda: actions.remove_member(owner, cast.public, foreign))
        assert cast.private.roles_of(cast.guest.actor) == [Role.GUEST]

    def test_the_last_administrator_stays(self, cast: Cast) -> None:
        alice = cast.private.members.get(user=cast.alice)
        refused(PreconditionFailed, lambda: actions.remove_member(cast.alice.actor, cast.private, alice))
        refused(PreconditionFailed, lambda: actions.change_member(cast.alice.actor, cast.private, alice, Role.GUEST))
        actions.set_member(cast.alice.actor, cast.private, user=cast.stranger, role=Role.PROJECT_ADMIN)
        actions.change_member(cast.alice.actor, cast.private, alice, Role.GUEST)
        assert cast.private.roles_of(cast.alice.actor) == [Role.GUEST]

    def test_havens_administrator_may_remove_the_last(self, cast: Cast) -> None:
        actions.remove_member(cast.admin.actor, cast.private, cast.private.members.get(user=cast.alice))
        assert not Member.objects.filter(project=cast.private, role=Role.PROJECT_ADMIN).exists()


class TestQuota:
    def test_what_fits_is_booked_and_what_does_not_is_not(self, cast: Cast) -> None:
        Quota.objects.filter(project=cast.private).update(hard=100)
        actions.charge(cast.private.pk, 60)
        message = refused(Denied, lambda: actions.charge(cast.private.pk, 41))
        assert message.startswith("Quota exceeded when processing the request of adding")
        actions.charge(cast.private.pk, 40)
        assert Quota.objects.get(project=cast.private).used == 100

    def test_what_is_freed_is_always_booked(self, cast: Cast) -> None:
        Quota.objects.filter(project=cast.private).update(hard=10, used=50)
        actions.charge(cast.private.pk, -5)
        actions.charge(cast.private.pk, 0)
        assert Quota.objects.get(project=cast.private).used == 45

    def test_unlimited(self, cast: Cast) -> None:
        actions.charge(cast.private.pk, 2**50)
        assert Quota.objects.get(project=cast.private).used == 2**50

    def test_counted_but_not_enforced_where_so_configured(self, cast: Cast) -> None:
        Quota.objects.filter(project=cast.private).update(hard=1)
        configure(SYSTEM, {"quota_per_project_enable": False})
        actions.charge(cast.private.pk, 60)
        assert Quota.objects.get(project=cast.private).used == 60

    def test_of_no_project(self, cast: Cast) -> None:
        for amount in (5, -5):
            refused(NotFound, partial(actions.charge, 12345, amount))
        refused(NotFound, lambda: actions.lock_quota(12345))

    def test_set_by_an_administrator(self, cast: Cast) -> None:
        actions.set_quota(cast.admin.actor, cast.private, 7)
        assert Quota.objects.get(project=cast.private).hard == 7
        for wrong in (0, -2, 2**60):
            refused(BadRequest, partial(actions.set_quota, cast.admin.actor, cast.private, wrong))
        refused(Forbidden, lambda: actions.set_quota(cast.alice.actor, cast.private, -1))
        assert Quota.objects.get(project=cast.private).hard == 7
