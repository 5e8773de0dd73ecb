"""Who lives in a stack: the cast of `tests/cast.py`, settled by way of the API, and robots."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.cast import PASSWORD
from tests.stack.stack import ADMIN_PASSWORD, Stack
from tests.stack.wire import Answer, Client

ROLES = {"maintainer": 4, "developer": 2, "guest": 3, "limited_guest": 5}
"""Harbor's numbers; alice is the administrator of the projects she makes."""

MAKE_USERS = """
from accounts.actions import create_user
from accounts.actors import SYSTEM
for name in {names}:
    create_user(SYSTEM, username=name, password={password!r}, email=name + "@haven.test", realname=name)
answer = None
"""
FORGET_PREFERENCES = """
from accounts.models import User
answer = User.objects.filter(username={name!r}).update(language="", theme="", time_zone="")
"""


@dataclass(frozen=True)
class People:
    """Everybody in `stack`, and what they do to each other by the API."""

    stack: Stack
    secrets: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name and password by the short name that tests use; robots are `pusher` and `puller`."""

    def client(self, who: str) -> Client:
        """A fresh client of `who`; of nobody for "anonymous"."""
        return self.stack.client(*self.secrets.get(who, ("", ""))) if who != "anonymous" else self.stack.client()

    def make_users(self, *names: str) -> None:
        self.stack.ask(MAKE_USERS.format(names=list(names), password=PASSWORD))
        self.secrets.update({name: (name, PASSWORD) for name in names})

    def forget_preferences(self, who: str) -> None:
        """Let pages speak to `who` as to somebody new: others tell their stories with the same people."""
        self.stack.ask(FORGET_PREFERENCES.format(name=self.secrets[who][0]))

    def make_project(self, name: str, public: bool = False, owner: str = "alice") -> int:
        """A project of `owner`. Its id."""
        document = {"project_name": name, "metadata": {"public": "true" if public else "false"}}
        self.api(owner, "POST", "/projects", document, 201)
        return int(self.api(owner, "GET", f"/projects/{name}", None, 200).json["project_id"])

    def set_role(self, project: str, who: str, role: int) -> int:
        """Make `who` a member. The membership's id."""
        document = {"role_id": role, "member_user": {"username": self.secrets[who][0]}}
        made = self.api("alice", "POST", f"/projects/{project}/members", document, 201)
        return int(made.headers["Location"].rpartition("/")[2])

    def remove_member(self, project: str, member: int) -> None:
        self.api("alice", "DELETE", f"/projects/{project}/members/{member}", None, 200)

    def make_robot(self, who: str, project: str, *actions: str, duration: int = -1) -> dict[str, Any]:
        """A project's robot that may do `actions` on repositories, known as `who`. What the API says of it."""
        access = [{"resource": "repository", "action": action} for action in actions]
        document = {
            "name": who,
            "level": "project",
            "duration": duration,
            "description": "of the stories",
            "permissions": [{"kind": "project", "namespace": project, "access": access}],
        }
        robot: dict[str, Any] = self.api("alice", "POST", "/robots", document, 201).json
        self.secrets[who] = (robot["name"], robot["secret"])
        return robot

    def api(self, who: str, method: str, path: str, document: Any, expected: int) -> Answer:
        answer = self.client(who).api(method, path, document)
        assert answer.status == expected, f"{who}: {method} {path} {json.dumps(document)}: {answer}"
        return answer


def settle(stack: Stack) -> People:
    """Users, the projects `private` and `public` of alice, and two robots of `private`."""
    people = People(stack, {"admin": ("admin", ADMIN_PASSWORD)})
    people.make_users("alice", *ROLES, "stranger")
    people.make_project("private")
    people.make_project("public", public=True)
    for who, role in ROLES.items():
        people.set_role("private", who, role)
    people.make_robot("pusher", "private", "push", "pull")
    people.make_robot("puller", "private", "pull")
    return people
