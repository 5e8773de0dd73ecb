"""Groups of users by the API, and their roles in projects."""

from __future__ import annotations

from accounts.actions import join_group
from accounts.actors import SYSTEM
from accounts.models import Group, GroupMembership
from audit.models import Entry
from projects.models import Member
from tests.api.calling import caller, code
from tests.cast import Cast


def test_a_group_comes_changes_and_goes(cast: Cast) -> None:
    ask = caller(cast.admin)
    response = ask.post("/usergroups", {"group_name": "team", "group_type": 3})
    assert (response.status_code, response.content) == (201, b"")
    path = response["Location"].removeprefix("/api/v2.0")
    pk = int(path.rpartition("/")[2])
    assert ask.get(path).json() == {"id": pk, "group_name": "team", "group_type": 3}
    assert ask.put(path, {"group_name": "crew"}).status_code == 200
    assert ask.get("/usergroups?group_name=RE").json() == [{"id": pk, "group_name": "crew", "group_type": 3}]
    assert ask.get("/usergroups?group_name=x").json() == []
    found = caller(cast.guest).get("/usergroups/search?groupname=rew").json()
    assert found == [{"id": pk, "group_name": "crew", "group_type": 3}]
    assert caller(cast.guest).get("/usergroups/search?groupname=").status_code == 400
    assert ask.delete(path).status_code == 200
    assert ask.get(path).status_code == 404


def test_no_group_twice_and_none_without_sense(cast: Cast) -> None:
    ask = caller(cast.admin)
    body = {"group_name": "team", "group_type": 1, "ldap_group_dn": "cn=team,dc=haven,dc=test"}
    assert ask.post("/usergroups", body).status_code == 201
    again = ask.post("/usergroups", body)
    assert (again.status_code, code(again)) == (409, "CONFLICT")
    changes = ({"group_name": ""}, {"group_type": 4}, {"ldap_group_dn": ""}, {"ldap_group_dn": "no name"})
    for change in changes:
        assert ask.post("/usergroups", body | change).status_code == 400, change
    assert ask.put("/usergroups/0", {"group_name": "x"}).status_code == 400
    assert Group.objects.count() == 1


def test_a_role_by_a_group_counts_at_once_and_ends_with_it(cast: Cast) -> None:
    ask, stranger = caller(cast.alice), caller(cast.stranger)
    group = Group.objects.create(name="team", type=Group.Type.OIDC)
    response = ask.post("/projects/private/members", {"role_id": 2, "member_group": {"id": group.pk}})
    assert response.status_code == 201
    again = ask.post("/projects/private/members", {"role_id": 3, "member_group": {"group_name": "team"}})
    assert (again.status_code, code(again)) == (409, "CONFLICT")
    shown = ask.get(response["Location"].removeprefix("/api/v2.0")).json()
    assert (shown["entity_type"], shown["entity_name"], shown["entity_id"]) == ("g", "team", group.pk)
    assert stranger.get("/projects/private").status_code == 403
    join_group(SYSTEM, group, cast.stranger)
    assert stranger.get("/projects/private").json()["current_user_role_ids"] == [2]
    assert caller(cast.admin).delete(f"/usergroups/{group.pk}").status_code == 200
    assert stranger.get("/projects/private").status_code == 403
    assert not Member.objects.filter(group=group.pk).exists() and not GroupMembership.objects.exists()
    gone = Entry.objects.get(operation="delete", resource_type="member")
    assert (gone.username, gone.resource, gone.project_id) == ("admin", "team", cast.private.pk)
    assert Entry.objects.filter(operation="delete", resource_type="usergroup", resource="team").count() == 1
