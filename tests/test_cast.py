import pytest
from django.db import connection

from accounts.actors import Permission
from projects.models import Project, Role
from tests.cast import PASSWORD, ROLES, Cast, make_robot
from tests.redis import Redis


@pytest.mark.parametrize(("name", "role"), ROLES.items())
def test_everybody_has_one_role(cast: Cast, name: str, role: Role) -> None:
    user = getattr(cast, name)

    assert cast.private.roles_of(user.actor) == [role]
    assert user.check_password(PASSWORD)


def test_a_stranger_sees_the_public_project_only(cast: Cast) -> None:
    assert list(Project.objects.visible_to(cast.stranger.actor)) == [cast.public]


def test_a_robot_carries_its_grant(cast: Cast) -> None:
    robot, _ = make_robot("puller", cast.private, "repository:pull")

    assert robot.actor.grants[cast.private.pk] == {Permission("repository", "pull")}


def test_redis_is_really_there(redis_server: Redis) -> None:
    assert redis_server.call("SET a 1") == b"+OK\r\n"


def test_redis_can_be_away(no_redis: None, redis_server: Redis) -> None:
    assert redis_server.call("PING") == b""


def test_redis_comes_back_empty(redis_server: Redis) -> None:
    assert redis_server.call("DBSIZE") == b":0\r\n"


def test_the_database_is_the_tests_own(db: None) -> None:
    assert connection.settings_dict["NAME"] != "haven"
