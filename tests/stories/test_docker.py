"""A docker engine under roles: who may push and pull what, and what docker tells those who may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cast import PASSWORD
from tests.stack import content
from tests.stack.engine import Docker, Refused
from tests.stack.people import People
from tests.stack.stack import Stack

pytestmark = pytest.mark.stack

DockerOf = Callable[[str], Docker]


@pytest.fixture(scope="module")
def private_image(people: People) -> str:
    """An image that is already in the private project."""
    answer = people.client("developer").push("private/hello", "1", content.image(text="private hello"))
    assert answer.status == 201, answer
    return "private/hello:1"


@pytest.fixture(scope="module")
def public_image(people: People) -> str:
    answer = people.client("alice").push("public/hello", "1", content.image(text="public hello"))
    assert answer.status == 201, answer
    return "public/hello:1"


def test_admin_pushes_and_pulls(docker_of: DockerOf) -> None:
    admin = docker_of("admin")
    admin.make("library/hello:1", {"hello.txt": b"hello, haven"})

    pushed = admin.push("library/hello:1")
    pulled = admin.pull("library/hello:1")

    assert "Pushed" in pushed
    assert "Downloaded newer image" in pulled
    assert admin.read("library/hello:1", "/hello.txt") == b"hello, haven"


def test_developer_pushes_and_pulls(docker_of: DockerOf) -> None:
    developer = docker_of("developer")
    developer.make("private/made:1", {"made.txt": b"by a developer"})

    developer.push("private/made:1")
    developer.pull("private/made:1")

    assert developer.read("private/made:1", "/made.txt") == b"by a developer"


@pytest.mark.parametrize("who", ["alice", "maintainer", "developer", "guest", "limited_guest", "puller", "pusher"])
def test_members_and_robots_pull(docker_of: DockerOf, private_image: str, who: str) -> None:
    person = docker_of(who)

    person.pull(private_image)

    assert person.read(private_image, "/hello.txt") == b"private hello"


@pytest.mark.parametrize("who", ["guest", "limited_guest", "puller"])
def test_who_only_pulls_is_told_so(docker_of: DockerOf, people: People, who: str) -> None:
    person = docker_of(who)
    person.make(f"private/forbidden-{who.replace('_', '-')}:1", {"no.txt": who.encode()})

    with pytest.raises(Refused) as refused:
        person.push(f"private/forbidden-{who.replace('_', '-')}:1")

    assert "denied" in str(refused.value)
    assert "push" in str(refused.value)
    assert "Retrying" not in str(refused.value), "docker took the refusal for a passing fault"
    assert people.client("admin").pull(f"private/forbidden-{who.replace('_', '-')}", "1").status == 404


def test_the_pushing_robot_pushes(docker_of: DockerOf) -> None:
    robot = docker_of("pusher")
    robot.make("private/by-robot:1", {"by.txt": b"a robot"})

    assert "Pushed" in robot.push("private/by-robot:1")


def test_a_stranger_cannot_tell_private_from_absent(docker_of: DockerOf, private_image: str) -> None:
    stranger = docker_of("stranger")

    answers = []
    for repository in (private_image, "private/absent:1", "absent/hello:1"):
        with pytest.raises(Refused) as refused:
            stranger.pull(repository)
        name, tag = repository.split(":")
        answers.append(str(refused.value).replace(name, "<repository>").replace(tag, "<tag>"))

    assert answers[0] == answers[1] == answers[2]


def test_a_stranger_cannot_push(docker_of: DockerOf) -> None:
    stranger = docker_of("stranger")
    messages = []
    for repository in ("private/intruder", "absent/intruder"):
        stranger.make(f"{repository}:1", {"x": b"x"})
        with pytest.raises(Refused) as refused:
            stranger.push(f"{repository}:1")
        messages.append(str(refused.value).replace(repository, "<repository>"))
        assert "Retrying" not in messages[-1], "docker took the refusal for a passing fault"

    assert "denied" in messages[0]
    assert messages[0] == messages[1]


def test_anonymous_pulls_what_is_public(docker_of: DockerOf, public_image: str) -> None:
    anonymous = docker_of("anonymous")

    anonymous.pull(public_image)

    assert anonymous.read(public_image, "/hello.txt") == b"public hello"


def test_anonymous_pulls_nothing_private(docker_of: DockerOf, private_image: str) -> None:
    with pytest.raises(Refused):
        docker_of("anonymous").pull(private_image)


def test_anonymous_pushes_nothing(docker_of: DockerOf, people: People) -> None:
    anonymous = docker_of("anonymous")
    anonymous.make("public/anonymous:1", {"x": b"x"})

    with pytest.raises(Refused, match="unauthorized: .*log in") as refused:
        anonymous.push("public/anonymous:1")

    assert "Retrying" not in str(refused.value), "docker took the refusal for a passing fault"
    assert people.client("admin").pull("public/anonymous", "1").status == 404


def test_a_wrong_password_is_refused(docker: Callable[[], Docker]) -> None:
    with pytest.raises(Refused) as refused:
        docker().login("developer", "not the password")

    assert "unauthorized" in str(refused.value)


def test_login_by_email(docker: Callable[[], Docker]) -> None:
    assert "Login Succeeded" in docker().login("guest@haven.test", PASSWORD)


def test_after_logout_nothing_private_is_left(docker_of: DockerOf, stack: Stack, private_image: str) -> None:
    guest = docker_of("guest")
    guest.pull(private_image)

    guest("logout", stack.host)

    with pytest.raises(Refused):
        guest.pull(private_image)


def test_multi_arch_gives_this_machine_its_own(docker_of: DockerOf, people: People) -> None:
    images = [content.image(text=name, architecture=name) for name in ("amd64", "arm64")]
    answer = people.client("developer").push("private/multi", "1", content.index(*images))
    assert answer.status == 201, answer

    guest = docker_of("guest")
    guest.pull("private/multi:1")

    assert (
        guest.read("private/multi:1", "/hello.txt") == guest("version", "--format", "{{.Server.Arch}}").strip().encode()
    )


def test_a_layer_is_mounted_from_another_repository(docker_of: DockerOf) -> None:
    developer = docker_of("developer")
    developer.make("private/first:1", {"shared.txt": b"shared by two repositories"})
    developer.push("private/first:1")
    developer("tag", developer.name("private/first:1"), developer.name("private/second:1"))

    assert "Mounted from private/first" in developer.push("private/second:1")

    developer.pull("private/second:1")
    assert developer.read("private/second:1", "/shared.txt") == b"shared by two repositories"


def test_push_again_is_cheap(docker_of: DockerOf) -> None:
    developer = docker_of("developer")
    developer.make("private/again:1", {"again.txt": b"again"})
    developer.push("private/again:1")

    assert "Layer already exists" in developer.push("private/again:1")
