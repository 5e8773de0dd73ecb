"""A right that is taken away is gone at the next manifest request, whatever token somebody still holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.stack import content
from tests.stack.people import People
from tests.stack.wire import Answer, Client

pytestmark = pytest.mark.stack

IMAGE = content.image(text="revoked")


@dataclass(frozen=True)
class Holder:
    """Somebody with a token in hand who asks for nothing new."""

    wire: Client
    repository: str
    token: str

    def get(self) -> Answer:
        return self._send("GET", b"")

    def put(self) -> Answer:
        return self._send("PUT", IMAGE.content)

    def _send(self, method: str, body: bytes) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": IMAGE.media_type, "Accept": "*/*"}
        return self.wire.send(method, f"/v2/{self.repository}/manifests/1", body, headers)


def hold(people: People, who: str, repository: str, actions: str = "pull,push") -> Holder:
    client = people.client(who)
    return Holder(client, repository, client.scoped(f"repository:{repository}:{actions}"))


@pytest.fixture
def project(people: People, request: pytest.FixtureRequest) -> str:
    """A project of this test's own, with an image `app:1`."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:60].strip("-")
    people.make_project(name)
    assert people.client("alice").push(f"{name}/app", "1", IMAGE).status == 201
    return name


def assert_refused(holder: Holder, before: Answer) -> None:
    assert before.status == 200, before
    for answer in (holder.get(), holder.put()):
        assert answer.status in (401, 403), answer
        assert answer.codes[0] in ("UNAUTHORIZED", "DENIED")
    challenge = holder.get().headers.get("WWW-Authenticate", "")
    assert challenge.startswith("Bearer realm=") or not challenge


def test_removed_member(people: People, project: str) -> None:
    member = people.set_role(project, "developer", 2)
    holder = hold(people, "developer", f"{project}/app")
    before = holder.get()

    people.remove_member(project, member)

    assert_refused(holder, before)


def test_demoted_member_pushes_no_more(people: People, project: str) -> None:
    member = people.set_role(project, "developer", 2)
    holder = hold(people, "developer", f"{project}/app")
    assert holder.put().status == 201

    people.api("alice", "PUT", f"/projects/{project}/members/{member}", {"role_id": 3}, 200)

    assert holder.get().status == 200
    assert holder.put().status in (401, 403)


def test_disabled_robot(people: People, project: str) -> None:
    robot = people.make_robot("disabled", project, "pull", "push")
    holder = hold(people, "disabled", f"{project}/app")
    before = holder.get()

    known = people.api("alice", "GET", f"/robots/{robot['id']}", None, 200).json
    people.api("alice", "PUT", f"/robots/{robot['id']}", {**known, "disable": True}, 200)

    assert_refused(holder, before)
    assert (
        people.client("disabled")
        .send("GET", "/service/token?service=harbor-registry", headers=people.client("disabled").basic)
        .status
        == 401
    )


def test_expired_robot(people: People, project: str) -> None:
    robot = people.make_robot("expiring", project, "pull", "push", duration=1)
    holder = hold(people, "expiring", f"{project}/app")
    before = holder.get()

    people.stack.ask(
        "from datetime import timedelta; from django.utils import timezone; from robots.models import Robot\n"
        f"answer = Robot.objects.filter(pk={robot['id']}).update(expires_at=timezone.now() - timedelta(seconds=1))"
    )

    assert_refused(holder, before)


def test_deleted_robot(people: People, project: str) -> None:
    robot = people.make_robot("deleted", project, "pull", "push")
    holder = hold(people, "deleted", f"{project}/app")
    before = holder.get()

    people.api("alice", "DELETE", f"/robots/{robot['id']}", None, 200)

    assert_refused(holder, before)


def test_renewed_robot_secret(people: People, project: str) -> None:
    robot = people.make_robot("renewed", project, "pull", "push")
    holder = hold(people, "renewed", f"{project}/app")
    before = holder.get()

    people.api("alice", "PATCH", f"/robots/{robot['id']}", {"secret": ""}, 200)

    assert_refused(holder, before)


@pytest.mark.parametrize("who", ["stranger", "anonymous"])
def test_project_made_private(people: People, project: str, who: str) -> None:
    people.api("alice", "PUT", f"/projects/{project}", {"metadata": {"public": "true"}}, 200)
    holder = hold(people, who, f"{project}/app", "pull")
    before = holder.get()

    people.api("alice", "PUT", f"/projects/{project}", {"metadata": {"public": "false"}}, 200)

    assert_refused(holder, before)


def test_changed_password(people: People, project: str) -> None:
    people.make_users("changeling")
    people.set_role(project, "changeling", 2)
    holder = hold(people, "changeling", f"{project}/app")
    before = holder.get()

    people.stack.manage("set_password", "changeling", feed="Another-Horse-9\nAnother-Horse-9\n")

    assert_refused(holder, before)
    old = people.client("changeling")
    assert old.send("GET", "/service/token?service=harbor-registry", headers=old.basic).status == 401


def test_deleted_user(people: People, project: str) -> None:
    people.make_users("leaver")
    people.set_role(project, "leaver", 2)
    holder = hold(people, "leaver", f"{project}/app")
    before = holder.get()

    people.stack.ask(
        "from accounts.actions import delete_user; from accounts.actors import SYSTEM\n"
        "from accounts.models import User\n"
        "delete_user(SYSTEM, User.objects.get(username='leaver')); answer = None"
    )

    assert_refused(holder, before)


def test_project_created_anew(people: People, project: str) -> None:
    """A token for the old project is none for another of the same name."""
    people.set_role(project, "developer", 2)
    holder = hold(people, "developer", f"{project}/app")
    before = holder.get()

    people.api("alice", "DELETE", f"/projects/{project}/repositories/app", None, 200)
    people.api("alice", "DELETE", f"/projects/{project}", None, 200)
    people.make_project(project, owner="maintainer")

    assert_refused(holder, before)


def test_a_token_to_push_does_not_delete(people: People, project: str) -> None:
    people.set_role(project, "developer", 2)
    token = people.client("developer").scoped(f"repository:{project}/app:pull,push,delete")
    headers = {"Authorization": f"Bearer {token}"}

    for target in (f"manifests/{IMAGE.digest()}", "manifests/1", f"blobs/{IMAGE.blobs[0].digest()}"):
        answer = people.client("developer").send("DELETE", f"/v2/{project}/app/{target}", headers=headers)
        assert answer.status in (401, 403, 405), answer

    assert people.client("developer").pull(f"{project}/app", "1").status == 200


def test_revoked_and_given_back(people: People, project: str) -> None:
    """Nothing is remembered against somebody."""
    member = people.set_role(project, "guest", 3)
    holder = hold(people, "guest", f"{project}/app", "pull")
    people.remove_member(project, member)
    assert holder.get().status in (401, 403)

    people.set_role(project, "guest", 3)

    assert hold(people, "guest", f"{project}/app", "pull").get().status == 200
