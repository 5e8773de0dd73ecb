"""Every operation that is built, asked by every kind of caller: who is refused agrees with the tables.

`checks.json` says what each of Harbor's handlers requires, for things that belong to a project where a system's could
be meant too; `own.py` says it of what Haven alone has; `tests/projects/rbac.json` says who holds it. What is asked is a
call that works, undone after each caller. Refused is 401 for nobody and 403 for anybody else; whatever else is
answered, was allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test import Client

from accounts import scratch
from accounts.backends import BACKEND
from accounts.models import OidcAccount, User
from api.operations import methods
from api.urls import routes
from configuration import values
from projects.models import Project
from tests.api import own
from tests.api.calling import Caller
from tests.api.calls import ASKED, Call, body, filled
from tests.api.conftest import Stage
from tests.api.contract import HARBOR, OPERATIONS, OURS
from tests.api.stage import make_system_robot
from tests.cast import PASSWORD, make_project, make_robot, make_user

CHECKS: dict[str, str] = json.loads((Path(__file__).parent / "checks.json").read_text())["checks"]
RBAC = json.loads((Path(__file__).parents[1] / "projects" / "rbac.json").read_text())
ROLES = {
    "alice": "projectAdmin",
    "maintainer": "maintainer",
    "developer": "developer",
    "guest": "guest",
    "limited_guest": "limitedGuest",
}
EVERY_RIGHT = frozenset(
    f"{level} {resource}:{action}"
    for level, resources in RBAC["robot_permissions"].items()
    for resource, actions in resources.items()
    for action in actions
)
"""All that robots can be given."""
CLI_SECRET = "setCliSecret"
"""412 for everybody, as in Harbor, unless people sign in by OpenID Connect: asked by people who do."""
ALSO = {
    "CreateRobot": " and project repository:pull",
    "CopyArtifact": " and project repository:pull and project repository:push",
}
"""What the call requires besides: a robot gives to another only what it holds; who copies could pull and push."""
STRICTER = {
    (
        "setUserSysAdmin",
        "a system's robot with rights of the system",
    ): "A robot makes no administrators, and so none of itself.",
}
"""Who is refused though Harbor would not, and why."""


@dataclass(frozen=True)
class Probe:
    """An operation, what it requires, and a call of it; `rule` says whose replication rule the call names."""

    operation: str
    check: str
    call: Call
    rule: str = ""


def probes() -> dict[str, list[Probe]]:
    """Every operation that is built: Harbor's by their tags, ours, and those on rules that a project owns."""
    found: dict[str, list[Probe]] = {}
    for name in OPERATIONS:
        call = Call("/users/{guest}/cli_secret", body({"secret": ""})) if name == CLI_SECRET else ASKED[name]
        found.setdefault(HARBOR[name]["tag"], []).append(Probe(name, CHECKS[name] + ALSO.get(name, ""), call))
    found["Haven's own"] = [Probe(name, check, call, "system") for name, (check, call) in own.TABLE.items()]
    of_projects = own.rules({**CHECKS, **{name: check for name, (check, _) in own.TABLE.items()}}, ASKED)
    found["rules of projects"] = [Probe(name, check, call, "project") for name, (check, call) in of_projects.items()]
    return found


PROBES = probes()


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


def askers(stage: Stage, probe: Probe) -> Iterator[Asker]:
    """Everybody; robots of both levels, those that hold what the check requires and others that hold all but that; and
    who may do everything, but in another project."""
    for name, ask in (seen_elsewhere(stage) if probe.operation == CLI_SECRET else stage.callers).items():
        if "robot" not in name:
            yield Asker(name, ask)
    private = stage.cast.private.pk
    wanted = {f"{level} {right}" for level, right in re.findall(r"(system|project) ([\w-]+:[\w-]+)", probe.check)}
    yield robot("a project's robot without", private, held(EVERY_RIGHT - wanted, "project"))
    yield robot("a system's robot without", private, EVERY_RIGHT - wanted)
    for rights in {held(wanted, "system"), held(wanted, "project"), frozenset(wanted)} - {frozenset()}:
        if not rights <= EVERY_RIGHT:
            continue  # no robot can be given these
        if rights == held(wanted, "project"):
            yield robot("a project's robot with", private, rights)
        levels = " and ".join(sorted({right.partition(" ")[0] for right in rights}))
        yield robot(f"a system's robot with rights of the {levels}", private, rights)
    if held(wanted, "project"):
        mine = make_project("mine", make_user("mallory"))
        yield Asker("the administrator of another project", Caller("mallory", PASSWORD))
        yield robot("another project's robot", mine.pk, held(EVERY_RIGHT, "project"), elsewhere=True)
        yield robot("a system's robot for another project", mine.pk, EVERY_RIGHT, elsewhere=True)


def held(rights: Iterable[str], level: str) -> frozenset[str]:
    return frozenset(right for right in rights if right.startswith(level))


def seen_elsewhere(stage: Stage) -> dict[str, Caller]:
    """The people, signed in by OpenID Connect: none of them has a password."""
    people = {name: ask for name, ask in stage.callers.items() if "robot" not in name}
    User.objects.update(password=make_password(None))
    values.set_values({"auth_mode": "oidc_auth"})
    for name in people.keys() - {"nobody"}:
        user = User.objects.get(username=name)
        OidcAccount.objects.create(user=user, issuer="https://provider.test", subject=name)
        people[name] = Caller(client=Client())
        people[name].client.force_login(user, backend=BACKEND)
    return people


def robot(name: str, project: int, rights: frozenset[str], *, elsewhere: bool = False) -> Asker:
    """A robot with `rights`, those of a project in that one. `elsewhere`: nobody there is asked."""
    of_system = [right.removeprefix("system ") for right in held(rights, "system")]
    of_project = [right.removeprefix("project ") for right in held(rights, "project")]
    if "system" in name:
        made, secret = make_system_robot(name, of_system, {project: of_project})
    else:
        made, secret = make_robot(name, Project.objects.get(pk=project), *of_project)
    holds = held(rights, "system") if elsewhere else rights
    return Asker(name, Caller(made.display_name(), secret), holds, is_robot=True)


def status_of(asker: Asker, probe: Probe, path: str, sent: Any) -> int:
    """What `asker` is answered; whatever it did is undone."""
    with transaction.atomic():
        status: int = asker.ask(OURS[probe.operation].method, path, sent).status_code
        transaction.set_rollback(True)
    return status


def path_of(probe: Probe, stage: Stage) -> str:
    if not probe.rule:
        return filled(probe.call.path, stage).replace("/projects/public", "/projects/private")
    rule = own.of_project(stage) if probe.rule == "project" else own.of_system(stage)
    return probe.call.path.format(**own.names(rule, stage))


def misjudged(stage: Stage, probe: Probe, public: bool) -> list[str]:
    """Who is answered otherwise than the tables say."""
    Project.objects.filter(pk=stage.cast.private.pk).update(public=public)
    path, found = path_of(probe, stage), []
    sent = probe.call.body(stage) if probe.call.body else None
    for asker in askers(stage, probe):
        if (probe.operation, asker.name) in STRICTER:
            continue
        status, may = status_of(asker, probe, path, sent), asker.may(probe.check, public)
        refused = 401 if asker.name == "nobody" else 403
        if asker.name == "admin" and probe.rule and status >= 300:
            found.append(f"{probe.operation}: the call does not work, it is answered {status}")
        if (status in (401, 403)) if may else (status != refused):
            said = "may" if may else "may not"
            found.append(f"{probe.operation}: {asker.name} {said} ({probe.check}), and is answered {status}")
    return found


@pytest.mark.parametrize("tag", sorted(PROBES))
def test_who_is_refused_agrees_with_the_tables(stage: Stage, tag: str) -> None:
    found: list[str] = []
    for probe in PROBES[tag]:
        for public in (False, True) if "project " in probe.check else (False,):
            with transaction.atomic():
                found += misjudged(stage, probe, public)
                transaction.set_rollback(True)
            scratch.reset()
    assert not found, "\n".join(found)


def test_every_operation_that_is_routed_is_asked() -> None:
    routed = {(method, path) for _, method, path, _ in methods(routes())}
    asked = {probe.operation for found in PROBES.values() for probe in found}
    assert asked == set(OURS) and len(routed) == len(OURS)
    assert set(CHECKS) == set(HARBOR) and not set(own.TABLE) & set(HARBOR)
