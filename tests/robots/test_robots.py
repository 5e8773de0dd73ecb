from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.actions import configure
from accounts.actors import ANONYMOUS, EVERY_PROJECT, SYSTEM, Actor, Kind, Permission
from accounts.basic import authenticate
from accounts.errors import BadRequest, Conflict, Denied, DomainError, Forbidden, Locked, NotFound, Unauthenticated
from audit.models import Entry
from projects.actions import create_project, delete_project
from projects.models import Role
from projects.permissions import ROBOT_PERMISSIONS, allowed
from robots.actions import create_robot, delete_robot, refresh_secret, update_robot
from robots.models import Robot
from robots.permissions import Grant
from tests.cast import Cast

HERE = "192.0.2.1"
PULL, PUSH = Permission("repository", "pull"), Permission("repository", "push")
MAKE_ROBOTS = [Permission("robot", action) for action in ("create", "read", "list", "delete")]


def on(project: str, *access: Permission) -> Grant:
    return Grant("project", project, access or (PULL,))


def system(*access: Permission) -> Grant:
    return Grant("system", "/", access)


def make(actor: Actor = SYSTEM, *grants: Grant, level: str = "project", **changes: Any) -> tuple[Robot, str]:
    fields = {"name": "ci", "duration": -1, "permissions": grants or [on("private")], **changes}
    return create_robot(actor, level=level, **fields)


def refused(error: type[DomainError], action: Callable[[], Any]) -> str:
    """The sentence with which `action` fails; no robot is another, and nothing is recorded."""

    def everything() -> list[Any]:
        return [list(Robot.objects.order_by("pk").values()), list(Entry.objects.values())]

    before = everything()
    with pytest.raises(error) as refusal:
        action()
    assert refusal.type is error
    assert everything() == before
    return refusal.value.message


class TestCreating:
    def test_a_projects_robot_signs_in_and_pulls_there_alone(self, cast: Cast) -> None:
        robot, secret = make(cast.alice.actor)
        assert robot.display_name() == "robot$private+ci"
        assert len(secret) == 32
        actor = authenticate("robot$private+ci", secret, HERE)
        assert actor
        assert (actor.kind, actor.robot_id, actor.user_id, actor.is_admin) == (Kind.ROBOT, robot.pk, None, False)
        assert allowed(actor, cast.private) == {PULL}
        assert actor.system_grants == frozenset()
        assert [(e.username, e.operation, e.resource_type, e.resource) for e in Entry.objects.all()] == [
            ("alice", "create", "robot", "robot$private+ci")
        ]

    def test_a_system_robot(self, cast: Cast) -> None:
        catalog = Permission("catalog", "read")
        robot, secret = make(SYSTEM, system(catalog), on("private"), on("public", PUSH), level="system")
        actor = authenticate("robot$ci", secret, HERE)
        assert actor
        assert actor.system_grants == {catalog}
        assert actor.grants == {cast.private.pk: {PULL}, cast.public.pk: {PUSH}}

    @pytest.mark.parametrize(
        ("level", "name", "expected"), [("project", "robot$private+ci", {PULL, PUSH}), ("system", "robot$ci", {PUSH})]
    )
    def test_push_brings_pull_to_a_projects_robot_only(
        self, cast: Cast, level: str, name: str, expected: set[Permission]
    ) -> None:
        _, secret = make(SYSTEM, on("private", PUSH), level=level)
        actor = authenticate(name, secret, HERE)
        assert actor
        assert allowed(actor, cast.private) == expected

    def test_every_project_is_later_ones_too_and_nothing_else(self, cast: Cast) -> None:
        _, secret = make(SYSTEM, on("*", Permission("project", "update")), level="system")
        actor = authenticate("robot$ci", secret, HERE)
        assert actor
        later = create_project(SYSTEM, name="later")
        assert allowed(actor, later) == {Permission("project", "update")}
        robot, _ = make(SYSTEM, on("later"))
        refused(Forbidden, lambda: refresh_secret(actor, robot))
        refused(Forbidden, lambda: delete_robot(actor, robot))

    @pytest.mark.parametrize("kind", ["system", "project"])
    def test_everything_in_the_dictionary_can_be_given(self, cast: Cast, kind: str) -> None:
        grant = Grant(kind, {"system": "/", "project": "private"}[kind], tuple(ROBOT_PERMISSIONS[kind]))
        robot, _ = make(SYSTEM, grant, level="system")
        held = robot.actor.system_grants if kind == "system" else robot.actor.grants[cast.private.pk]
        assert held == ROBOT_PERMISSIONS[kind]

    @pytest.mark.parametrize(
        ("level", "grants"),
        [
            ("project", []),
            ("project", [Grant("project", "private", ())]),
            ("project", [on("private"), on("public")]),
            ("project", [on("private"), on("private", PUSH)]),
            ("project", [on("*")]),
            ("project", [system(Permission("catalog", "read"))]),
            ("project", [on("private", Permission("repository", "create"))]),
            ("project", [on("private", Permission("repository", "*"))]),
            ("project", [on("private", Permission("*", "pull"))]),
            ("project", [on("private", Permission("catalog", "read"))]),
            ("project", [on("private", Permission("robot", "update"))]),
            ("system", []),
            ("system", [system(PULL)]),
            ("system", [system(Permission("configuration", "read"))]),
            ("system", [Grant("system", "private", (Permission("catalog", "read"),))]),
            ("system", [Grant("magic", "/", (Permission("catalog", "read"),))]),
            ("system", [on("private"), system()]),
            ("magic", [on("private")]),
        ],
    )
    def test_what_cannot_be_given(self, cast: Cast, level: str, grants: Sequence[Grant]) -> None:
        refused(BadRequest, lambda: make(SYSTEM, level=level, permissions=grants))

    @pytest.mark.parametrize("name", ["", "A", "a b", "a+b", "robot$x", "a/b", "x" * 256, "scanner-trivy", "a\n", "٣"])
    def test_names(self, cast: Cast, name: str) -> None:
        refused(BadRequest, lambda: make(name=name))

    @pytest.mark.parametrize("duration", [0, -2, 2**31 - 1, 2**40])
    def test_durations(self, cast: Cast, duration: int) -> None:
        refused(BadRequest, lambda: make(duration=duration))

    @pytest.mark.parametrize(("duration", "days"), [(-1, None), (1, 1), (30, 30)])
    def test_a_duration_counts_from_creation(self, cast: Cast, duration: int, days: int | None) -> None:
        robot, _ = make(duration=duration)
        expected = None if days is None else robot.creation_time + timedelta(days=days)
        assert robot.expires_at == expected

    def test_as_long_as_dates_go(self, cast: Cast) -> None:
        robot, secret = make(duration=2**31 - 2)
        assert robot.expires_at
        assert robot.expires_at.year == 9999
        assert authenticate("robot$private+ci", secret, HERE)

    def test_a_name_is_taken_once_where_it_is(self, cast: Cast) -> None:
        make()
        refused(Conflict, make)
        make(SYSTEM, on("public"))
        make(level="system")
        refused(Conflict, lambda: make(level="system"))

    @pytest.mark.parametrize("role", [Role.MAINTAINER, Role.DEVELOPER, Role.GUEST, None])
    def test_only_the_projects_administrator(self, cast: Cast, role: Role | None) -> None:
        refused(Forbidden, lambda: make(cast.member(role).actor))

    def test_not_for_another_project(self, cast: Cast) -> None:
        foreign = create_project(SYSTEM, name="foreign")
        Entry.objects.all().delete()
        alice = cast.alice.actor
        said = refused(Forbidden, lambda: make(alice, on("foreign")))
        assert said == refused(Forbidden, lambda: make(alice, on("no-such-project")))
        refused(BadRequest, lambda: make(alice, on("foreign"), project=cast.private))
        refused(Forbidden, lambda: make(alice, on("private"), level="system"))
        refused(Forbidden, lambda: make(alice, on("*"), level="system"))
        refused(Unauthenticated, lambda: make(ANONYMOUS))
        refused(NotFound, lambda: make(SYSTEM, on("no-such-project")))
        assert not foreign.robots.exists()


class TestRobotsMakingRobots:
    @pytest.fixture
    def maker(self, cast: Cast) -> Actor:
        """Makes robots, in the project `private` and in the system, and pulls from `private`."""
        robot, _ = make(SYSTEM, system(*MAKE_ROBOTS), on("private", PULL, *MAKE_ROBOTS), level="system", name="maker")
        Entry.objects.all().delete()
        return robot.actor

    @pytest.mark.parametrize("level", ["project", "system"])
    def test_gives_what_it_has(self, cast: Cast, maker: Actor, level: str) -> None:
        robot, secret = make(maker, on("private", PULL), level=level)
        assert authenticate(robot.display_name(), secret, HERE)
        assert robot.creator == "robot$maker"

    @pytest.mark.parametrize(
        ("level", "grant", "error"),
        [
            ("project", on("private", PULL, PUSH), Denied),
            ("project", on("public"), Forbidden),
            ("system", on("public"), Denied),
            ("system", on("*"), Denied),
            ("system", system(Permission("user", "update")), Denied),
        ],
    )
    def test_and_no_more(self, cast: Cast, maker: Actor, level: str, grant: Grant, error: type[DomainError]) -> None:
        if error is Forbidden:
            with pytest.raises(Forbidden):
                make(maker, grant, level=level)
        else:
            refused(error, lambda: make(maker, grant, level=level))
        assert Robot.objects.count() == 1

    def test_push_needs_the_pull_that_comes_with_it(self, cast: Cast) -> None:
        pusher, _ = make(SYSTEM, on("private", PUSH, *MAKE_ROBOTS), level="system", name="pusher")
        Entry.objects.all().delete()
        refused(Denied, lambda: make(pusher.actor, on("private", PUSH)))

    def test_what_it_has_everywhere_it_gives_anywhere(self, cast: Cast) -> None:
        maker, _ = make(SYSTEM, system(*MAKE_ROBOTS), on("*", PULL, *MAKE_ROBOTS), level="system", name="maker")
        make(maker.actor, on("private"), name="one")
        robot, _ = make(maker.actor, on("*"), level="system", name="all")
        assert robot.actor.grants == {EVERY_PROJECT: {PULL}}

    def test_is_not_its_own_maker(self, cast: Cast, maker: Actor) -> None:
        itself = Robot.objects.get(name="maker")
        powerful = Actor(
            Kind.ROBOT,
            maker.name,
            robot_id=maker.robot_id,
            system_grants=maker.system_grants | {Permission("robot", "update")},
        )
        refused(Denied, lambda: delete_robot(maker, itself))
        refused(Denied, lambda: refresh_secret(powerful, itself))
        refused(Denied, lambda: update_robot(powerful, itself, duration=-1))
        refused(Forbidden, lambda: refresh_secret(maker, itself))


class TestChanging:
    def test_what_is_given_and_nothing_else(self, cast: Cast) -> None:
        robot, secret = make(duration=5, description="old")
        changed = update_robot(cast.alice.actor, robot, duration=9, permissions=[on("private", PUSH)])
        assert (changed.duration, changed.description, changed.disabled) == (9, "old", False)
        assert changed.expires_at == changed.creation_time + timedelta(days=9)
        assert changed.auth_epoch == 1
        actor = authenticate("robot$private+ci", secret, HERE)
        assert actor
        assert allowed(actor, cast.private) == {PULL, PUSH}

    def test_disabled_and_enabled(self, cast: Cast) -> None:
        robot, secret = make()
        update_robot(SYSTEM, robot, disabled=True)
        assert authenticate("robot$private+ci", secret, HERE) is None
        update_robot(SYSTEM, robot, disabled=False)
        assert authenticate("robot$private+ci", secret, HERE)

    @pytest.mark.parametrize("change", [{"duration": 0}, {"description": "x" * 1025}, {"permissions": []}])
    def test_what_makes_no_sense(self, cast: Cast, change: dict[str, Any]) -> None:
        robot, _ = make()
        refused(BadRequest, lambda: update_robot(SYSTEM, robot, **change))

    def test_it_stays_in_its_project(self, cast: Cast) -> None:
        robot, _ = make()
        refused(BadRequest, lambda: update_robot(SYSTEM, robot, permissions=[on("public")]))
        refused(BadRequest, lambda: update_robot(SYSTEM, robot, permissions=[on("*")]))

    def test_another_projects_administrator_reaches_nothing(self, cast: Cast) -> None:
        create_project(cast.stranger.actor, name="strangers")
        robot, _ = make()
        stranger = cast.stranger.actor
        refused(Forbidden, lambda: update_robot(stranger, robot, disabled=True))
        refused(Forbidden, lambda: refresh_secret(stranger, robot))
        refused(Forbidden, lambda: delete_robot(stranger, robot))
        everywhere, _ = make(level="system")
        refused(Forbidden, lambda: refresh_secret(cast.alice.actor, everywhere))

    def test_a_new_secret(self, cast: Cast) -> None:
        robot, old = make()
        new = refresh_secret(cast.alice.actor, robot)
        assert new != old
        assert authenticate("robot$private+ci", old, HERE) is None
        assert authenticate("robot$private+ci", new, HERE)
        assert refresh_secret(SYSTEM, robot, "Chosen-Secret-1") == "Chosen-Secret-1"
        assert authenticate("robot$private+ci", "Chosen-Secret-1", HERE)

    @pytest.mark.parametrize("secret", ["short", "Harbor12345", "no-upper-case-1", "A1" + "x" * 127])
    def test_a_chosen_secret_keeps_the_rules(self, cast: Cast, secret: str) -> None:
        robot, _ = make()
        refused(BadRequest, lambda: refresh_secret(SYSTEM, robot, secret))

    def test_gone(self, cast: Cast) -> None:
        robot, secret = make()
        delete_robot(cast.alice.actor, robot)
        assert authenticate("robot$private+ci", secret, HERE) is None
        refused(NotFound, lambda: delete_robot(SYSTEM, robot))
        refused(NotFound, lambda: refresh_secret(SYSTEM, robot))

    def test_no_secret_is_kept_or_written_down(self, cast: Cast) -> None:
        robot, first = make()
        second = refresh_secret(SYSTEM, robot)
        everything = str([*Robot.objects.values(), *Entry.objects.values()])
        assert first not in everything
        assert second not in everything


class TestSigningIn:
    @pytest.mark.parametrize(
        "name",
        [
            "robot$other+ci",
            "robot$ci",
            "robot$private+",
            "robot$+ci",
            "robot$private+ci+ci",
            "robot$private%+ci",
            "private+ci",
            "ROBOT$private+ci",
            "robot$private+CI",
        ],
    )
    def test_only_by_its_name(self, cast: Cast, name: str) -> None:
        _, secret = make()
        assert authenticate(name, secret, HERE) is None

    def test_only_by_its_secret(self, cast: Cast) -> None:
        robot, secret = make()
        other, others = make(name="other")
        for wrong in ("", secret[:-1], secret.lower(), secret + "x", others, robot.secret_digest, "ä\ud800"):
            assert authenticate("robot$private+ci", wrong, f"address {wrong!r}") is None

    def test_expired(self, cast: Cast) -> None:
        robot, secret = make(duration=1)
        assert authenticate("robot$private+ci", secret, HERE)
        Robot.objects.update(expires_at=timezone.now())
        assert authenticate("robot$private+ci", secret, HERE) is None

    def test_by_another_prefix(self, cast: Cast) -> None:
        _, secret = make()
        configure(SYSTEM, {"robot_name_prefix": "bot+"})
        actor = authenticate("bot+private+ci", secret, HERE)
        assert actor
        assert actor.name == "bot+private+ci"
        assert authenticate("robot$private+ci", secret, HERE) is None

    def test_costs_one_query(self, cast: Cast, django_assert_num_queries: Any) -> None:
        _, secret = make()
        authenticate("robot$private+ci", secret, HERE)
        with django_assert_num_queries(1):
            assert authenticate("robot$private+ci", secret, HERE)

    def test_a_secret_outlives_a_new_secret_key(self, cast: Cast, settings: Any) -> None:
        _, secret = make()
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
        assert authenticate("robot$private+ci", secret, HERE)
        settings.SECRET_KEY_FALLBACKS = []
        assert authenticate("robot$private+ci", secret, HERE) is None

    def test_is_not_guessed(self, cast: Cast) -> None:
        _, secret = make()
        for number in range(5):
            assert authenticate("robot$private+ci", f"Wrong-{number}", HERE) is None
        with pytest.raises(Locked):
            authenticate("robot$private+ci", secret, HERE)
        assert authenticate("robot$private+ci", secret, "198.51.100.7")

    def test_a_project_made_anew_inherits_nothing(self, cast: Cast) -> None:
        _, mine = make(cast.alice.actor)
        _, everywheres = make(SYSTEM, on("private", PUSH), level="system", name="far")
        delete_project(cast.alice.actor, cast.private)
        project = create_project(cast.stranger.actor, name="private")
        assert authenticate("robot$private+ci", mine, HERE) is None
        actor = authenticate("robot$far", everywheres, HERE)
        assert actor
        assert allowed(actor, project) == frozenset()


def test_who_lists_robots(cast: Cast) -> None:
    make()
    make(SYSTEM, on("public"), name="public")
    make(level="system", name="wide")
    robot_list = frozenset({Permission("robot", "list")})

    def seen(actor: Actor) -> set[str]:
        return {robot.name for robot in Robot.objects.visible_to(actor)}

    assert seen(cast.admin.actor) == {"ci", "public", "wide"}
    assert seen(cast.alice.actor) == {"ci", "public"}
    assert seen(cast.guest.actor) == {"ci"}
    assert seen(cast.limited_guest.actor) == set()
    assert seen(cast.stranger.actor) == seen(ANONYMOUS) == set()
    assert seen(Actor(Kind.ROBOT, "r", robot_id=9, system_grants=robot_list)) == {"wide"}
    assert seen(Actor(Kind.ROBOT, "r", robot_id=9, grants={cast.public.pk: robot_list})) == {"public"}


def test_names_cost_no_query(cast: Cast, django_assert_num_queries: Any) -> None:
    make()
    make(name="two")
    with django_assert_num_queries(1):
        names = [robot.display_name("robot$") for robot in Robot.objects.visible_to(cast.admin.actor).order_by("name")]
    assert names == ["robot$private+ci", "robot$private+two"]


def test_times_are_aware(cast: Cast) -> None:
    robot, _ = make(duration=1)
    assert isinstance(robot.creation_time, datetime)
    assert robot.creation_time.tzinfo is not None
