"""Every operation that is built, asked by every kind of caller: who is refused agrees with Harbor's own tables.

`checks.json` says what each of Harbor's handlers requires, for things that belong to a project where a system's could
be meant too; `tests/projects/rbac.json` says who holds it. What is asked is a call that works (`ASKED`), undone after
each caller. Refused is 401 for nobody and 403 for anybody else; whatever else is answered, was allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts import scratch
from projects.models import Project
from tests.api.calling import Caller
from tests.api.calls import ASKED, filled
from tests.api.conftest import Stage
from tests.api.contract import HARBOR, OPERATIONS
from tests.api.stage import make_system_robot
from tests.cast import make_robot

CHECKS: dict[str, str] = json.loads((Path(__file__).parent / "checks.json").read_text())["checks"]
RBAC = json.loads((Path(__file__).parents[1] / "projects" / "rbac.json").read_text())
ROLES = {
    "alice": "projectAdmin",
    "maintainer": "maintainer",
    "developer": "developer",
    "guest": "guest",
    "limited_guest": "limitedGuest",
}
UNASKED = {"setCliSecret": "Harbor answers 412 to everybody first, unless people sign in by OpenID Connect."}
ALSO = {
    "CreateRobot": " and project repository:pull",
    "CopyArtifact": " and project repository:pull and project repository:push",
}
"""What the call requires besides: a robot gives to another only what it holds; who copies could pull and push."""
STRICTER = {
    ("setUserSysAdmin", "a system's robot with"): "A robot makes no administrators, and so none of itself.",
}
"""Who is refused though Harbor would not, and why."""


@dataclass(frozen=True)
class Asker:
    """A kind of caller, and what the tables say of it."""

    name: str
    ask: Caller
    grants: frozenset[str] = frozenset()
    """What a robot was given: `system user:list`, `project tag:create`."""
    is_robot: bool = False

    def may(self, check: str, public: bool) -> bool:
        """Whether it holds all that `check` requires."""
        return all(any(self.holds(term, public) for term in part.split(" or ")) for part in check.split(" and "))

    def holds(self, term: str, public: bool) -> bool:
        match term:
            case "anybody" | "nobody":
                return term == "anybody"
            case "somebody":
                return self.name != "nobody"
            case "person":
                return self.name != "nobody" and not self.is_robot
            case "oneself":
                return self.name == "guest"
            case "project administrator":
                return self.name in ("admin", "alice")
        return self.name == "admin" or term in self.grants or term in of_role(self.name, public)


def of_role(name: str, public: bool) -> set[str]:
    """What the tables give to who has this part on stage, in the project that is asked about."""
    policies = [RBAC["project_roles"][ROLES[name]]["policies"]] if name in ROLES else []
    policies += [RBAC["anonymous_or_nonmember_on_public_project"]] if public else []
    return {
        f"project {'project' if resource == 'self' else resource}:{action}"
        for table in policies
        for resource, actions in table.items()
        for action in actions
    }


def askers(stage: Stage, check: str) -> Iterator[Asker]:
    """Everybody, and robots of both levels: those that hold what `check` requires, and others that do not."""
    for name, ask in stage.callers.items():
        if "robot" not in name:
            yield Asker(name, ask)
    wanted = re.findall(r"(system|project) ([\w-]+):([\w-]+)", check)
    grantable = all(action in RBAC["robot_permissions"][level].get(resource, ()) for level, resource, action in wanted)
    of_system = [f"{resource}:{action}" for level, resource, action in wanted if level == "system"]
    of_project = [f"{resource}:{action}" for level, resource, action in wanted if level == "project"]
    private, spare = stage.cast.private, "tag:list" if "tag:list" not in of_project else "artifact:list"
    yield robot("a project's robot without", *make_robot("less", private, spare))
    yield robot("a system's robot without", *make_system_robot("less", ["catalog:read"], {private.pk: [spare]}))
    if not wanted or not grantable:
        return
    held = frozenset(f"{level} {resource}:{action}" for level, resource, action in wanted)
    if of_project and not of_system:
        yield robot("a project's robot with", *make_robot("more", private, *of_project), held)
    given = {private.pk: of_project} if of_project else {}
    yield robot("a system's robot with", *make_system_robot("more", of_system, given), held)


def robot(name: str, made: Any, secret: str, grants: frozenset[str] = frozenset()) -> Asker:
    return Asker(name, Caller(made.display_name(), secret), grants, is_robot=True)


def status_of(asker: Asker, operation: str, path: str, body: Any) -> int:
    """What `asker` is answered; whatever it did is undone."""
    with transaction.atomic():
        status: int = asker.ask(OPERATIONS[operation]["method"], path, body).status_code
        transaction.set_rollback(True)
    return status


def misjudged(stage: Stage, operation: str, public: bool) -> list[str]:
    """Who is answered otherwise than the tables say."""
    Project.objects.filter(pk=stage.cast.private.pk).update(public=public)
    call, check, found = ASKED[operation], CHECKS[operation] + ALSO.get(operation, ""), []
    path = filled(call.path, stage).replace("/projects/public", "/projects/private")
    body = call.body(stage) if call.body else None
    for asker in askers(stage, check):
        if (operation, asker.name) in STRICTER:
            continue
        status, may = status_of(asker, operation, path, body), asker.may(check, public)
        refused = 401 if asker.name == "nobody" else 403
        if (status in (401, 403)) if may else (status != refused):
            found.append(f"{operation}: {asker.name} {'may' if may else 'may not'} ({check}), and is answered {status}")
    return found


TAGS = sorted({wanted["tag"] for wanted in OPERATIONS.values()})


@pytest.mark.parametrize("tag", TAGS)
def test_who_is_refused_agrees_with_harbors_tables(stage: Stage, tag: str) -> None:
    found: list[str] = []
    for operation in (name for name in OPERATIONS if name not in UNASKED and HARBOR[name]["tag"] == tag):
        for public in (False, True) if "project " in CHECKS[operation] else (False,):
            with transaction.atomic():
                found += misjudged(stage, operation, public)
                transaction.set_rollback(True)
            scratch.reset()
    assert not found, "\n".join(found)


def test_every_operation_has_its_check_and_is_asked() -> None:
    assert set(CHECKS) == set(HARBOR)
    assert set(ASKED) | set(UNASKED) == set(OPERATIONS)
