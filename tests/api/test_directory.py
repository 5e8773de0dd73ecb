"""The directory by the API: tried, searched, taken over; and its people and groups as members of projects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Group, User
from configuration import values
from projects.models import Member, Role
from tests.accounts.conftest import directory, first_admin, slapd
from tests.api.calling import caller, code
from tests.api.contract import check
from tests.cast import make_project, make_user
from tests.slapd import BASE, ROOT_PASSWORD, Slapd

__all__ = ["directory", "first_admin", "slapd"]
pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True)]
TEAM = f"cn=team,ou=groups,{BASE}"


def test_a_connection_is_tried(directory: Slapd, first_admin: User) -> None:
    ask = caller(first_admin)
    for body in (None, {}, {"ldap_url": directory.url, "ldap_connection_timeout": 3}):
        answer = ask.post("/ldap/ping", body).json()
        check("pingLdap", answer)
        assert answer == {"success": True}
    for wrong in (
        {"ldap_search_password": "wrong"},
        {"ldap_url": "ldap://127.0.0.1:1", "ldap_search_password": "x"},
        {"ldap_url": "ldap://10.255.0.1", "ldap_search_password": "x"},
    ):
        answer = ask.post("/ldap/ping", wrong).json()
        check("pingLdap", answer)
        assert "success" not in answer and answer["message"].startswith("error: ")
        assert ROOT_PASSWORD not in json.dumps(answer)
    assert ask.post("/ldap/ping", {"ldap_url": "http://127.0.0.1"}).status_code == 400


def test_the_password_goes_to_no_server_but_its_own(directory: Slapd, first_admin: User) -> None:
    ask = caller(first_admin)
    others: list[dict[str, Any]] = [{"ldap_url": directory.secure_url}, {"ldap_search_dn": f"cn=other,{BASE}"}]
    values.set_values({"ldap_verify_cert": True})
    others.append({"ldap_verify_cert": False})
    for body in others:
        answer = ask.post("/ldap/ping", body).json()
        assert answer["message"] == "error: the search DN has no password", body
    assert ask.post("/ldap/ping", {"ldap_url": directory.secure_url, "ldap_search_password": ROOT_PASSWORD}).json() == {
        "success": True
    }


def test_people_and_groups_are_found(directory: Slapd, first_admin: User) -> None:
    ask = caller(first_admin)
    found = ask.get("/ldap/users/search?username=alice").json()
    check("searchLdapUser", found)
    assert found == [{"username": "alice", "realname": "Alice Liddell", "email": "alice@wonder.test"}]
    assert len(ask.get("/ldap/users/search").json()) == 5
    assert ask.get("/ldap/users/search?username=ali%2A").json() == []
    found = ask.get(f"/ldap/groups/search?groupdn={TEAM}").json()
    check("searchLdapGroup", found)
    assert found == [{"group_name": "team", "group_type": 1, "ldap_group_dn": TEAM}]
    assert ask.get("/ldap/groups/search?groupname=team").json() == found
    assert ask.get("/ldap/groups/search?groupname=te%2A").status_code == 404
    assert ask.get(f"/ldap/groups/search?groupdn=cn=outside,ou=elsewhere,{BASE}").status_code == 404


def test_people_are_taken_over_before_they_come(directory: Slapd, first_admin: User) -> None:
    ask = caller(first_admin)
    assert ask.post("/ldap/users/import", {"ldap_uid_list": ["alice", "bob"]}).status_code == 200
    assert User.objects.get(username="alice").comment == "from LDAP."
    response = ask.post("/ldap/users/import", {"ldap_uid_list": ["alice", "nobody", "admin", "*", ""]})
    assert response.status_code == 404
    failed = {entry.get("uid", ""): entry["error"] for entry in response.json()}
    assert set(failed) == {"nobody", "admin", "*", ""}
    assert User.objects.count() == 3


def test_a_group_must_be_the_directorys(directory: Slapd, first_admin: User) -> None:
    ask = caller(first_admin)
    body = {"group_name": "crew", "group_type": 1, "ldap_group_dn": f"cn=nothing,ou=groups,{BASE}"}
    response = ask.post("/usergroups", body)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert ask.post("/usergroups", body | {"ldap_group_dn": TEAM}).status_code == 201
    assert Group.objects.get().name == "crew"


def test_members_are_taken_over_when_they_are_named(directory: Slapd, first_admin: User) -> None:
    owner = make_user("owner")
    project = make_project("private", owner)
    ask = caller(first_admin)
    path = "/projects/private/members"
    assert ask.post(path, {"role_id": 2, "member_user": {"username": "bob"}}).status_code == 201
    assert ask.post(path, {"role_id": 2, "member_user": {"username": "nobody"}}).status_code == 404
    group: dict[str, Any] = {"ldap_group_dn": TEAM}
    assert ask.post(path, {"role_id": 3, "member_group": group}).status_code == 201
    assert ask.post(path, {"role_id": 3, "member_group": {"ldap_group_dn": TEAM.upper()}}).status_code == 409
    assert (
        ask.post(path, {"role_id": 3, "member_group": {"ldap_group_dn": f"cn=x,ou=groups,{BASE}"}}).status_code == 404
    )
    assert Member.objects.get(project=project, group__ldap_group_dn=TEAM).role == Role.GUEST
    assert not User.objects.filter(username="nobody").exists()
