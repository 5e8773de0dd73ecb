"""Users, projects and members, to the letter of Harbor's answers."""

from __future__ import annotations

import pytest

from accounts.models import Group, User
from audit.models import Entry
from configuration import values
from projects.models import Member, Project, Role
from tests.api.calling import Caller, caller, code, message
from tests.api.conftest import Stage
from tests.api.stage import make_repository
from tests.cast import PASSWORD, Cast, make_user

# Users


def test_a_user_as_harbor_shows_it(cast: Cast) -> None:
    shown = caller(cast.guest).get("/users/current").json()
    assert {key: value for key, value in shown.items() if not key.endswith("_time")} == {
        "email": "guest@haven.test",
        "realname": "Guest",
        "user_id": cast.guest.pk,
        "username": "guest",
        "sysadmin_flag": False,
        "admin_role_in_auth": False,
    }


def test_the_first_administrator_is_in_no_list(cast: Cast) -> None:
    first = User.objects.filter(pk=1).first() or make_user("first", pk=1)
    admin = caller(cast.admin)
    names = {user["username"] for user in admin.get("/users?page_size=100").json()}
    assert first.username not in names and "guest" in names
    assert admin.get(f"/users/search?username={first.username}").json() == []
    assert admin.get("/users/1").json()["username"] == first.username


def test_a_user_is_made_and_found_where_the_location_says(cast: Cast) -> None:
    admin = caller(cast.admin)
    body = {"username": "new", "password": PASSWORD, "email": "n@haven.test", "realname": "New", "comment": "hello"}
    response = admin.post("/users", body)
    assert (response.status_code, response.content) == (201, b"")
    user = User.objects.get(username="new")
    assert response["Location"] == f"/api/v2.0/users/{user.pk}"
    assert admin.raw("GET", response["Location"]).json()["comment"] == "hello"
    assert admin.post("/users", body).status_code == 409
    assert Entry.objects.filter(operation="create", resource_type="user").count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"password": "short1A"},
        {"password": "no-upper-case-1"},
        {"password": "No-Digit-Here"},
        {"email": "nobody"},
        {"email": ""},
        {"realname": ""},
        {"comment": "x" * 31},
        {"username": ""},
        {"username": "a,b"},
        {"username": "robot$x"},
    ],
)
def test_a_user_that_breaks_the_rules_is_not_made(cast: Cast, change: dict[str, str]) -> None:
    body = {"username": "new", "password": PASSWORD, "email": "n@haven.test", "realname": "New"} | change
    response = caller(cast.admin).post("/users", body)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert not User.objects.filter(email="n@haven.test").exists()


def test_a_password_is_changed_by_who_knows_the_old_one(cast: Cast) -> None:
    path, new = f"/users/{cast.guest.pk}/password", "Another-Horse-9"
    ask = caller(cast.guest)
    assert ask.put(path, {"old_password": "wrong", "new_password": new}).status_code == 403
    assert ask.put(path, {"old_password": PASSWORD, "new_password": PASSWORD}).status_code == 400
    assert ask.put(path, {"old_password": PASSWORD, "new_password": "weak"}).status_code == 400
    assert ask.put(path, {"old_password": PASSWORD, "new_password": new}).status_code == 200
    assert ask.get("/users/current").status_code == 401
    assert Caller("guest", new).get("/users/current").status_code == 200
    assert caller(cast.stranger).put(path, {"new_password": "A-Third-Horse-9"}).status_code == 403


def test_nobody_deletes_themselves(cast: Cast) -> None:
    admin = caller(cast.admin)
    assert admin.delete(f"/users/{cast.admin.pk}").status_code == 403
    assert admin.delete(f"/users/{cast.stranger.pk}").status_code == 200
    assert admin.get(f"/users/{cast.stranger.pk}").status_code == 404
    assert caller(cast.stranger).get("/users/current").status_code == 401


def test_there_is_no_cli_secret_without_oidc(cast: Cast) -> None:
    response = caller(cast.admin).put(f"/users/{cast.admin.pk}/cli_secret", {"secret": PASSWORD})
    assert (response.status_code, code(response)) == (412, "PRECONDITION")


def test_what_one_may_do_in_a_project(cast: Cast) -> None:
    path = f"/users/current/permissions?scope=/project/{cast.private.pk}"
    guest = caller(cast.guest)
    full = {(entry["resource"], entry["action"]) for entry in guest.get(path).json()}
    root = f"/project/{cast.private.pk}"
    assert (f"{root}/repository", "pull") in full and (f"{root}/repository", "push") not in full
    assert (root, "read") in full
    short = {(entry["resource"], entry["action"]) for entry in guest.get(f"{path}&relative=true").json()}
    assert ("repository", "pull") in short and (".", "read") in short
    assert len(short) == len(full)
    assert caller(cast.stranger).get(path).content == b"[]\n"


def test_what_one_may_do_in_the_system(cast: Cast) -> None:
    path = "/users/current/permissions?scope=/system"
    assert caller(cast.guest).get(path).content == b"[]\n"
    assert {"resource": "/system/user", "action": "create"} in caller(cast.admin).get(path).json()
    assert caller(cast.admin).get("/users/current/permissions?scope=/nowhere").content == b"[]\n"


# Projects


def test_a_project_as_harbor_shows_it(stage: Stage) -> None:
    project = stage.cast.private
    shown = caller(stage.cast.developer).get("/projects/private").json()
    assert shown.pop("cve_allowlist")["items"] == []
    assert {key: value for key, value in shown.items() if not key.endswith("_time")} == {
        "project_id": project.pk,
        "owner_id": stage.cast.alice.pk,
        "name": "private",
        "owner_name": "alice",
        "current_user_role_id": 2,
        "current_user_role_ids": [2],
        "repo_count": 1,
        "metadata": {"public": "false"},
    }


def test_roles_by_a_group_count_and_the_strongest_comes_first(cast: Cast) -> None:
    group = Group.objects.create(name="makers", type=Group.Type.OIDC)
    group.memberships.create(user=cast.guest)
    Member.objects.create(project=cast.private, group=group, role=Role.MAINTAINER)
    shown = caller(cast.guest).get("/projects/private").json()
    assert (shown["current_user_role_id"], shown["current_user_role_ids"]) == (4, [4, 3])


def test_a_project_is_made(cast: Cast) -> None:
    ask = caller(cast.stranger)
    response = ask.post("/projects", {"project_name": "new", "metadata": {"public": "true", "auto_scan": "true"}})
    project = Project.objects.get(name="new")
    assert (response.status_code, response.content) == (201, b"")
    assert response["Location"] == f"/api/v2.0/projects/{project.pk}"
    assert (project.public, project.metadata, project.owner) == (True, {"auto_scan": "true"}, cast.stranger)
    again = ask.post("/projects", {"project_name": "new"})
    assert (again.status_code, message(again)) == (409, "The project named new already exists")
    named = ask.post("/projects", {"project_name": "other"}, X_Resource_Name_In_Location="true")
    assert named["Location"] == "/api/v2.0/projects/other"


@pytest.mark.parametrize("name", ["", "Upper", "a b", "a..b", "-a", "a/b", "é", "a" * 255 + "_"])
def test_a_project_whose_name_is_none_is_not_made(cast: Cast, name: str) -> None:
    response = caller(cast.admin).post("/projects", {"project_name": name})
    assert response.status_code in (400, 422)
    assert Project.objects.count() == 2


@pytest.mark.parametrize("metadata", [{"public": "maybe"}, {"severity": "worst"}, {"retention_id": "1"}])
def test_metadata_that_make_no_sense(cast: Cast, metadata: dict[str, str]) -> None:
    assert caller(cast.admin).post("/projects", {"project_name": "new", "metadata": metadata}).status_code == 400
    assert not Project.objects.filter(name="new").exists()


def test_no_retention_policy_is_what_a_new_project_may_say_it_has(cast: Cast) -> None:
    body = {"project_name": "new", "metadata": {"retention_id": "", "severity": None, "public": "true"}}
    assert caller(cast.alice).post("/projects", body).status_code == 201
    assert caller(cast.alice).get("/projects/new").json()["metadata"] == {"public": "true"}


def test_only_administrators_make_projects_where_that_is_so(cast: Cast) -> None:
    values.set_values({"project_creation_restriction": "adminonly"})
    response = caller(cast.stranger).post("/projects", {"project_name": "new"})
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert caller(cast.admin).post("/projects", {"project_name": "new"}).status_code == 201


def test_whether_there_is_a_project(cast: Cast) -> None:
    ask = caller(cast.stranger)
    assert ask("HEAD", "/projects?project_name=private").status_code == 200
    missing = ask("HEAD", "/projects?project_name=none")
    assert (missing.status_code, missing.content) == (404, b"")
    assert Caller()("HEAD", "/projects?project_name=private").status_code == 401
    assert ask("HEAD", "/projects").status_code == 422


def test_no_project_is_made_where_a_cache_is_asked_for(cast: Cast) -> None:
    assert Caller().post("/projects", {"project_name": "cache", "registry_id": 1}).status_code == 401
    assert caller(cast.admin).post("/projects", {"project_name": "cache", "registry_id": 1}).status_code == 400
    assert not Project.objects.filter(name="cache").exists()
    assert caller(cast.admin).post("/projects", {"project_name": "plain", "registry_id": 0}).status_code == 201


def test_who_lists_which_projects(cast: Cast) -> None:
    def names(who: User | None, query: str = "") -> list[str]:
        return [project["name"] for project in caller(who).get(f"/projects{query}").json()]

    assert names(None) == names(cast.stranger) == ["public"]
    assert names(cast.guest) == names(cast.admin) == ["private", "public"]
    assert names(cast.guest, "?public=true") == ["public"]
    assert names(cast.guest, "?public=false") == ["private"]
    assert names(None, "?public=false") == []
    assert names(cast.guest, "?name=VAT") == ["private"]


def test_a_project_with_repositories_stays(stage: Stage) -> None:
    ask = caller(stage.cast.alice)
    assert ask.get("/projects/private/_deletable").json() == {
        "message": "the project contains repositories, can not be deleted"
    }
    response = ask.delete("/projects/private")
    assert (response.status_code, code(response)) == (412, "PRECONDITION")
    assert ask.get("/projects/public/_deletable").json() == {"deletable": True}


def test_a_summary_shows_what_the_caller_may_know(stage: Stage) -> None:
    make_repository(stage.cast.private, "two")
    assert caller(stage.cast.guest).get("/projects/private/summary").json() == {
        "repo_count": 2,
        "project_admin_count": 1,
        "maintainer_count": 1,
        "developer_count": 1,
        "guest_count": 1,
        "limited_guest_count": 1,
        "quota": {"hard": {"storage": -1}, "used": {"storage": 0}},
    }
    assert Caller().get("/projects/public/summary").json() == {"repo_count": 0}


def test_metadata_one_by_one(cast: Cast) -> None:
    ask, path = caller(cast.alice), "/projects/private/metadatas"
    assert ask.post(f"{path}/", {"auto_scan": "TRUE"}).status_code == 200
    assert ask.get(f"{path}/auto_scan").json() == {"auto_scan": "true"}
    assert ask.post(f"{path}/", {"auto_scan": "true"}).status_code == 409
    assert ask.post(f"{path}/", {"auto_scan": "true", "public": "true"}).status_code == 400
    assert ask.put(f"{path}/auto_scan", {"auto_scan": "false"}).status_code == 200
    assert ask.put(f"{path}/auto_scan", {"auto_scan": "often"}).status_code == 400
    assert ask.put(f"{path}/nothing", {"nothing": "x"}).status_code == 400
    for _ in range(2):  # what is not there is away
        assert ask.delete(f"{path}/auto_scan").status_code == 200
        assert ask.get(f"{path}/auto_scan").json() == {}
    assert ask.put(f"{path}/auto_scan", {"auto_scan": "true"}).status_code == 200
    assert ask.get(f"{path}/auto_scan").json() == {"auto_scan": "true"}


def test_a_project_has_no_scanner_and_none_to_choose(cast: Cast) -> None:
    ask = caller(cast.alice)
    assert ask.get("/projects/private/scanner").json()["is_default"] is False
    response = ask.get("/projects/private/scanner/candidates")
    assert (response.json(), response["X-Total-Count"]) == ([], "0")
    assert ask.put("/projects/private/scanner", {"uuid": "none"}).status_code == 404
    assert ask.put("/projects/private/scanner", {}).status_code == 422


# Members


def test_members_as_harbor_shows_them(cast: Cast) -> None:
    group = Group.objects.create(name="makers", type=Group.Type.OIDC)
    member = Member.objects.create(project=cast.private, group=group, role=Role.LIMITED_GUEST)
    ask = caller(cast.guest)
    response = ask.get("/projects/private/members?entityname=MAKE")
    assert response.json() == [
        {
            "id": member.pk,
            "project_id": cast.private.pk,
            "entity_name": "makers",
            "role_name": "limitedGuest",
            "role_id": 5,
            "entity_id": group.pk,
            "entity_type": "g",
        }
    ]
    assert response["X-Total-Count"] == "6"  # of all, as Harbor counts them
    names = [entry["entity_name"] for entry in ask.get("/projects/private/members").json()]
    assert names == ["alice", "developer", "guest", "limited_guest", "maintainer", "makers"]


def test_a_member_comes_changes_and_goes(cast: Cast) -> None:
    ask, path = caller(cast.alice), "/projects/private/members"
    body = {"role_id": 3, "member_user": {"user_id": cast.stranger.pk}}
    response = ask.post(path, body)
    member = Member.objects.get(user=cast.stranger)
    assert response.status_code == 201
    assert response["Location"] == f"/api/v2.0/projects/private/members/{member.pk}"
    assert ask.post(path, body).status_code == 409
    assert ask.put(f"{path}/{member.pk}", {"role_id": 4}).status_code == 200
    assert caller(cast.stranger).get("/projects/private").json()["current_user_role_id"] == 4
    assert ask.delete(f"{path}/{member.pk}").status_code == 200
    assert caller(cast.stranger).get("/projects/private").status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ({}, 400),
        ({"role_id": 2}, 400),
        ({"role_id": 9, "member_user": {"username": "stranger"}}, 400),
        ({"role_id": 0, "member_user": {"username": "stranger"}}, 400),
        ({"role_id": 2, "member_user": {"username": "nobody"}}, 404),
        ({"role_id": 2, "member_user": {"user_id": 10**6}}, 404),
        ({"role_id": 2, "member_group": {"id": 10**6}}, 404),
        ({"role_id": 2, "member_group": {"group_name": "none"}}, 404),
    ],
)
def test_a_member_that_cannot_be(cast: Cast, body: object, status: int) -> None:
    assert caller(cast.alice).post("/projects/private/members", body).status_code == status
    assert cast.private.members.count() == 5
