"""Who learns what of things that are not there, or not theirs; who may ask what at all is in `test_permissions.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from configuration import values
from projects.models import Member, Role
from tests.api.calling import Caller, caller, code
from tests.api.conftest import Stage
from tests.api.stage import make_repository, make_system_robot
from tests.cast import PASSWORD, make_project, make_robot

WHO = (
    "nobody",
    "stranger",
    "limited_guest",
    "guest",
    "developer",
    "maintainer",
    "alice",
    "admin",
    "robot",
    "system_robot",
)
REPOSITORY = "/projects/private/repositories/app%252Fweb"

# One figure for each of WHO. Changes are asked with a body that is refused (400, 404) after the right is found.
READS = {
    "/users/current": "401 200 200 200 200 200 200 200 412 412",
    "/users/current/permissions?scope=/system": "401 200 200 200 200 200 200 200 200 200",
    "/users/1000000": "401 403 403 403 403 403 403 404 403 403",
    "/search?q=": "200 200 200 200 200 200 200 200 200 200",
    "/projects": "200 200 200 200 200 200 200 200 200 200",
    "/projects/unknown": "401 403 403 403 403 403 403 404 403 404",
    "/projects/public": "200 200 200 200 200 200 200 200 200 200",
    "/projects/private/auditlog-exts": "401 403 403 403 403 403 200 200 403 403",
    "/projects/public/artifacts": "401 200 200 200 200 200 200 200 200 200",
    "/auditlog-exts": "401 200 200 200 200 200 200 200 200 200",
    "/internalconfig": "401 403 403 403 403 403 403 403 403 403",
    "/usergroups/1000000": "401 403 403 403 403 403 403 404 403 403",
    "/ldap/users/search": "401 403 403 403 403 403 403 412 403 403",
    "/ldap/groups/search": "401 403 403 403 403 403 403 412 403 403",
    "/robots/1000000": "401 403 403 403 403 403 403 404 403 403",
    "/projects/public/repositories/none": "401 403 403 403 403 403 404 404 403 404",
    "/projects/public/repositories/none/artifacts/v1": "404 404 404 404 404 404 404 404 404 404",
}
CHANGES = {
    ("POST", "/users"): "401 403 403 403 403 403 403 400 403 403",
    ("PUT", "/users/{guest}"): "401 403 403 400 403 403 403 400 403 403",
    ("PUT", "/users/{guest}/password"): "401 403 403 400 403 403 403 400 403 403",
    ("PUT", "/users/1000000/sysadmin"): "401 403 403 403 403 403 403 404 403 403",
    ("DELETE", "/users/1000000"): "401 403 403 403 403 403 403 404 403 403",
    ("POST", "/projects"): "401 400 400 400 400 400 400 400 403 403",
    ("POST", "/projects/private/members"): "401 403 403 403 403 403 400 400 403 403",
    ("PUT", "/projects/private/members/1000000"): "401 403 403 403 403 403 404 404 403 403",
    ("DELETE", "/projects/private/members/1000000"): "401 403 403 403 403 403 404 404 403 403",
    ("POST", "/projects/private/metadatas/"): "401 403 403 403 403 403 400 400 403 403",
    ("PUT", "/projects/private/metadatas/nothing"): "401 403 403 403 403 403 400 400 403 403",
    ("DELETE", "/projects/private/metadatas/nothing"): "401 403 403 403 403 403 400 400 403 403",
    ("DELETE", "/projects/private"): "401 403 403 403 403 403 412 412 403 403",
    ("DELETE", "/projects/private/repositories/none"): "401 403 403 403 403 404 404 404 403 403",
    ("PUT", "/projects/private/repositories/none"): "401 403 403 403 404 404 404 404 403 403",
    ("DELETE", f"{REPOSITORY}/artifacts/none"): "401 403 403 403 403 404 404 404 403 403",
    ("DELETE", f"{REPOSITORY}/artifacts/v1/tags/none"): "401 403 403 403 403 404 404 404 403 403",
    ("PUT", "/configurations"): "401 403 403 403 403 403 403 200 403 403",
    ("POST", "/usergroups"): "401 403 403 403 403 403 403 400 403 403",
    ("PUT", "/usergroups/1000000"): "401 403 403 403 403 403 403 404 403 403",
    ("DELETE", "/usergroups/1000000"): "401 403 403 403 403 403 403 404 403 403",
    ("POST", "/ldap/ping"): "401 403 403 403 403 403 403 200 403 403",
    ("POST", "/ldap/users/import"): "401 403 403 403 403 403 403 412 403 403",
    ("DELETE", "/robots/1000000"): "401 403 403 403 403 403 403 404 403 403",
    ("PUT", "/robots/{robot}"): "401 403 403 403 403 403 400 400 403 403",
    ("DELETE", "/robots/{system_robot}"): "401 403 403 403 403 403 403 200 403 403",
}


def filled(path: str, stage: Stage) -> str:
    return path.format(
        guest=stage.cast.guest.pk,
        private=stage.cast.private.pk,
        robot=stage.robot.pk,
        system_robot=stage.system_robot.pk,
    )


def test_who_may_read(stage: Stage) -> None:
    callers, found = stage.callers, {}
    for path in READS:
        statuses = [callers[name].get(filled(path, stage)).status_code for name in WHO]
        found[path] = " ".join(map(str, statuses))
    assert found == READS


def test_who_may_change(stage: Stage) -> None:
    """What is allowed is undone before the next row: each caller finds everything as it was."""
    callers, found = stage.callers, {}
    for method, path in CHANGES:
        statuses = []
        for name in WHO:
            with transaction.atomic():
                body: dict[str, Any] | None = None if method == "DELETE" else {}
                statuses.append(callers[name](method, filled(path, stage), body).status_code)
                transaction.set_rollback(True)
        found[method, path] = " ".join(map(str, statuses))
    assert found == CHANGES


# Another's things by their ids


def test_no_member_of_another_project(stage: Stage) -> None:
    mine = make_project("mine", stage.cast.stranger)
    theirs = Member.objects.get(project=stage.cast.private, role=Role.GUEST)
    ask = caller(stage.cast.stranger)
    for method, body in (("GET", None), ("PUT", {"role_id": 1}), ("DELETE", None)):
        response = ask(method, f"/projects/{mine.name}/members/{theirs.pk}", body)
        assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    theirs.refresh_from_db()
    assert theirs.role == Role.GUEST


def test_no_robot_of_another_project(stage: Stage) -> None:
    make_project("mine", stage.cast.stranger)
    ask = caller(stage.cast.stranger)
    before = stage.robot.secret_digest
    for method, body in (("GET", None), ("PUT", {"name": "x"}), ("PATCH", {}), ("DELETE", None)):
        assert ask(method, f"/robots/{stage.robot.pk}", body).status_code == 403
    stage.robot.refresh_from_db()
    assert stage.robot.secret_digest == before


@pytest.mark.parametrize("namespaces", [["private"], ["mine", "private"], ["*"], ["/"], ["nowhere"]])
def test_no_robot_with_rights_elsewhere(stage: Stage, namespaces: list[str]) -> None:
    make_project("mine", stage.cast.stranger)
    access = [{"resource": "repository", "action": "pull"}]
    grants = [{"kind": "project", "namespace": name, "access": access} for name in namespaces]
    body = {"name": "spy", "level": "project", "duration": -1, "permissions": grants}
    assert caller(stage.cast.stranger).post("/robots", body).status_code in (400, 403)
    assert not stage.robot.__class__.objects.filter(name="spy").exists()


def test_a_robot_with_one_right_everywhere_has_no_other(stage: Stage) -> None:
    _, secret = make_system_robot("updater", [], {0: ["project:update"]})
    ask = Caller("robot$updater", secret)
    assert ask.patch(f"/robots/{stage.robot.pk}", {}).status_code == 403
    assert ask.get("/projects/private/members").status_code == 403
    assert ask.delete(REPOSITORY).status_code == 403
    assert ask.put("/projects/private", {"metadata": {"auto_scan": "true"}}).status_code == 200


def test_a_robot_that_updates_users_makes_no_administrator(stage: Stage) -> None:
    _, secret = make_system_robot("users", ["user:update", "user:read"], {})
    ask = Caller("robot$users", secret)
    guest, admin = stage.cast.guest, stage.cast.admin
    assert ask.put(f"/users/{guest.pk}/sysadmin", {"sysadmin_flag": True}).status_code == 403
    assert ask.put(f"/users/{admin.pk}/password", {"new_password": "Another-Horse-9"}).status_code == 403
    guest.refresh_from_db()
    assert not guest.is_admin and Caller("admin", PASSWORD).get("/users/current").status_code == 200


def test_maintainers_do_not_open_a_project(stage: Stage) -> None:
    for who in (stage.cast.maintainer, stage.cast.developer, stage.cast.guest):
        ask = caller(who)
        assert ask.put("/projects/private/metadatas/public", {"public": "true"}).status_code == 403
        assert ask.put("/projects/private", {"metadata": {"public": "true"}}).status_code == 403
        assert ask.delete("/projects/private/metadatas/public").status_code == 403
    stage.cast.private.refresh_from_db()
    assert not stage.cast.private.public


@pytest.mark.parametrize(
    "extra", [{"id": 1}, {"user_id": 1, "username": "admin"}, {"sysadmin_flag": True, "is_admin": True}]
)
def test_a_profile_changes_nothing_but_itself(stage: Stage, extra: dict[str, object]) -> None:
    admin, guest = stage.cast.admin, stage.cast.guest
    body = {"email": "x@haven.test", "realname": "X", "comment": "", **extra}
    assert caller(guest).put(f"/users/{guest.pk}", body).status_code == 200
    assert User.objects.get(pk=admin.pk).email == "admin@haven.test"
    guest.refresh_from_db()
    assert (guest.username, guest.is_admin, guest.email) == ("guest", False, "x@haven.test")


def test_self_registration_makes_no_administrator(stage: Stage) -> None:
    body = {
        "username": "new",
        "password": PASSWORD,
        "email": "n@haven.test",
        "realname": "N",
        "has_admin_role": True,
        "sysadmin_flag": True,
        "is_superuser": True,
        "is_staff": True,
        "role_id": 1,
    }
    assert Caller().post("/users", body).status_code == 401
    values.set_values({"self_registration": True})
    response = Caller().post("/users", body)
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert not User.objects.filter(username="new").exists()


def test_people_are_found_by_what_is_asked_and_shown_without_more(stage: Stage) -> None:
    ask = caller(stage.cast.stranger)
    assert ask.get("/users/search").status_code == 422
    assert [set(user) for user in ask.get("/users/search?username=guest").json()] == [{"user_id", "username"}] * 2
    for wildcard in ("%25", "*", "\\_", "?"):
        assert ask.get(f"/users/search?username={wildcard}").json() == []
    assert [user["username"] for user in ask.get("/users/search?username=_").json()] == ["limited_guest"]


def test_search_shows_what_the_caller_may_see(stage: Stage) -> None:
    make_repository(stage.cast.public, "open")
    for who, projects, repositories in (
        (None, ["public"], ["public/open"]),
        (stage.cast.stranger, ["public"], ["public/open"]),
        (stage.cast.guest, ["private", "public"], ["private/app/web", "public/open"]),
    ):
        found = caller(who).get("/search?q=p").json()
        assert [project["name"] for project in found["project"]] == projects
        assert [entry["repository_name"] for entry in found["repository"]] == repositories


def test_the_log_shows_what_the_caller_may_see(stage: Stage) -> None:
    caller(stage.cast.alice).put("/projects/private", {"metadata": {"auto_scan": "true"}})
    caller(stage.cast.admin).post("/projects", {"project_name": "other"})
    admin = caller(stage.cast.admin).get("/auditlog-exts").json()
    assert [entry["resource"] for entry in admin] == ["other", "private"]
    alice = caller(stage.cast.alice).get("/auditlog-exts").json()
    assert [entry["resource"] for entry in alice] == ["private"]
    assert caller(stage.cast.developer).get("/auditlog-exts").json() == []


def test_a_disabled_or_expired_robot_is_nobody(stage: Stage) -> None:
    ask = stage.callers["robot"]
    assert ask.get(REPOSITORY).status_code == 200
    stage.robot.disabled = True
    stage.robot.save()
    assert ask.get(REPOSITORY).status_code == 401
    stage.robot.disabled, stage.robot.expires_at = False, datetime(2020, 1, 1, tzinfo=UTC)
    stage.robot.save()
    assert ask.get(REPOSITORY).status_code == 401


def test_no_secret_is_ever_shown(stage: Stage) -> None:
    """What a client sends as a secret comes back in no answer; a robot's own secret is in one."""
    admin, canary = caller(stage.cast.admin), "Canary-Password-7"
    body = {"username": "bird", "password": canary, "email": "b@haven.test", "realname": "Bird"}
    answers = [admin.post("/users", body)]
    access = [{"resource": "repository", "action": "pull"}]
    grants = [{"kind": "project", "namespace": "private", "access": access}]
    robot = {"name": "bird", "level": "project", "duration": -1, "secret": canary, "permissions": grants}
    made = admin.post("/robots", robot)
    secret = made.json()["secret"]
    assert len(secret) >= 32 and secret != canary
    answers += [admin.patch(f"/robots/{made.json()['id']}", {"secret": canary})]
    assert answers[-1].json() == {}
    for path in ("/users", "/robots", "/auditlog-exts", f"/robots?q=Level=project,ProjectID={stage.cast.private.pk}"):
        answers.append(admin.get(path))
    answers.append(admin.get(f"/robots/{made.json()['id']}"))
    for answer in answers:
        assert answer.status_code < 300
        assert canary.encode() not in answer.content and secret.encode() not in answer.content
    assert (
        Caller("robot$private+bird", canary).get(REPOSITORY).status_code == 403
    )  # signed in; the first secret is void
    assert Caller("robot$private+bird", secret).get(REPOSITORY).status_code == 401


def test_a_project_robot_reaches_no_other_project(stage: Stage) -> None:
    other = make_project("other", stage.cast.alice)
    make_repository(other, "web")
    _, secret = make_robot("wide", stage.cast.private, "repository:read", "repository:list", "project:read")
    ask = Caller("robot$private+wide", secret)
    assert ask.get("/projects/private/repositories/app%252Fweb").status_code == 200
    assert ask.get("/projects/other/repositories/web").status_code == 403
    assert [project["name"] for project in ask.get("/projects").json()] == ["private", "public"]
