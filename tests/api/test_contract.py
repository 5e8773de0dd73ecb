"""Every operation that is built answers what the contract says, to who may ask, and in the status it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.models import Group
from projects.models import Label, Member, Role
from tests.api.calling import caller
from tests.api.conftest import Stage
from tests.api.contract import OPERATIONS, check
from tests.api.stage import make_image, make_index, make_repository, make_signature, make_system_robot
from tests.cast import PASSWORD, make_project, make_robot, make_user

GRANT = {"kind": "project", "namespace": "private", "access": [{"resource": "repository", "action": "pull"}]}


@dataclass(frozen=True)
class Call:
    """What to send after `path`, which may name things of the stage, and who sends it."""

    path: str
    body: Callable[[Stage], Any] | None = None
    by: str = "admin"


def body(value: Any) -> Callable[[Stage], Any]:
    return lambda stage: value


def label(stage: Stage) -> dict[str, Any]:
    return {"id": stage.label.pk}


PROFILE = {"email": "new@haven.test", "realname": "New", "comment": ""}
ROBOT = {"name": "new", "level": "project", "duration": 7, "permissions": [GRANT]}
CALLS = {
    "getPing": Call("/ping"),
    "getHealth": Call("/health"),
    "getSystemInfo": Call("/systeminfo"),
    "getVolumes": Call("/systeminfo/volumes"),
    "getCert": Call("/systeminfo/getcert"),
    "search": Call("/search?q=p"),
    "getStatistic": Call("/statistics"),
    "getPermissions": Call("/permissions"),
    "listUsers": Call("/users"),
    "createUser": Call("/users", body({"username": "new", "password": PASSWORD, **PROFILE})),
    "getCurrentUserInfo": Call("/users/current"),
    "searchUsers": Call("/users/search?username=e", by="guest"),
    "getUser": Call("/users/{guest}"),
    "updateUserProfile": Call("/users/{guest}", body(PROFILE)),
    "deleteUser": Call("/users/{guest}"),
    "setUserSysAdmin": Call("/users/{guest}/sysadmin", body({"sysadmin_flag": True})),
    "updateUserPassword": Call("/users/{guest}/password", body({"new_password": "Another-Horse-9"})),
    "getCurrentUserPermissions": Call("/users/current/permissions?scope=/project/{private}", by="developer"),
    "listProjects": Call("/projects", by="developer"),
    "headProject": Call("/projects?project_name=private"),
    "createProject": Call("/projects", body({"project_name": "new"}), by="stranger"),
    "getProject": Call("/projects/private", by="developer"),
    "updateProject": Call("/projects/private", body({"metadata": {"auto_scan": "true"}}), by="alice"),
    "deleteProject": Call("/projects/public", by="alice"),
    "getProjectDeletable": Call("/projects/private/_deletable", by="alice"),
    "getProjectSummary": Call("/projects/private/summary", by="guest"),
    "listProjectMembers": Call("/projects/private/members", by="guest"),
    "createProjectMember": Call(
        "/projects/private/members", body({"role_id": 2, "member_user": {"username": "stranger"}}), by="alice"
    ),
    "getProjectMember": Call("/projects/private/members/{guest_member}", by="guest"),
    "updateProjectMember": Call("/projects/private/members/{guest_member}", body({"role_id": 2}), by="alice"),
    "deleteProjectMember": Call("/projects/private/members/{guest_member}", by="alice"),
    "listProjectMetadatas": Call("/projects/private/metadatas/"),
    "addProjectMetadatas": Call("/projects/private/metadatas/", body({"auto_scan": "true"}), by="alice"),
    "getProjectMetadata": Call("/projects/private/metadatas/public", by="alice"),
    "updateProjectMetadata": Call("/projects/private/metadatas/public", body({"public": "true"}), by="alice"),
    "deleteProjectMetadata": Call("/projects/private/metadatas/public", by="alice"),
    "listAllRepositories": Call("/repositories", by="guest"),
    "listRepositories": Call("/projects/private/repositories", by="guest"),
    "getRepository": Call("/projects/private/repositories/app%252Fweb", by="guest"),
    "updateRepository": Call(
        "/projects/private/repositories/app%252Fweb", body({"description": "new"}), by="developer"
    ),
    "deleteRepository": Call("/projects/private/repositories/app%252Fweb", by="maintainer"),
    "listArtifacts": Call("{artifacts}?with_accessory=true&with_label=true", by="guest"),
    "getArtifact": Call("{artifacts}/{digest}?with_accessory=true", by="guest"),
    "deleteArtifact": Call("{artifacts}/v1", by="maintainer"),
    "createTag": Call("{artifacts}/v1/tags", body({"name": "new"}), by="developer"),
    "listTags": Call("{artifacts}/v1/tags", by="guest"),
    "deleteTag": Call("{artifacts}/v1/tags/latest", by="maintainer"),
    "addLabel": Call("{artifacts}/v1/labels", label, by="developer"),
    "removeLabel": Call("{artifacts}/multi/labels/{label}", by="developer"),
    "ListLabels": Call("/labels?scope=p&project_id={private}", by="guest"),
    "CreateLabel": Call("/labels", body({"name": "new", "scope": "g", "color": "#0065AB"})),
    "GetLabelByID": Call("/labels/{label}", by="guest"),
    "UpdateLabel": Call("/labels/{label}", body({"name": "new"}), by="maintainer"),
    "DeleteLabel": Call("/labels/{label}", by="maintainer"),
    "listQuotas": Call("/quotas?reference=project&sort=-used.storage"),
    "getQuota": Call("/quotas/{quota}"),
    "updateQuota": Call("/quotas/{quota}", body({"hard": {"storage": 1000}})),
    "listAccessories": Call("{artifacts}/v1/accessories", by="guest"),
    "getVulnerabilitiesAddition": Call("{artifacts}/v1/additions/vulnerabilities", by="guest"),
    "listArtifactsOfProject": Call("/projects/private/artifacts?with_accessory=true", by="guest"),
    "listAuditLogs": Call("/audit-logs"),
    "listAuditLogExts": Call("/auditlog-exts"),
    "listAuditLogEventTypes": Call("/auditlog-exts/events"),
    "getLogs": Call("/projects/private/logs", by="alice"),
    "getLogExts": Call("/projects/private/auditlog-exts", by="alice"),
    "ListRobot": Call("/robots?q=Level=project,ProjectID={private}", by="guest"),
    "CreateRobot": Call("/robots", body(ROBOT), by="alice"),
    "GetRobotByID": Call("/robots/{robot}", by="alice"),
    "UpdateRobot": Call(
        "/robots/{robot}",
        body({"name": "robot$private+ci", "level": "project", "duration": -1, "permissions": [GRANT]}),
        by="alice",
    ),
    "RefreshSec": Call("/robots/{robot}", body({}), by="alice"),
    "DeleteRobot": Call("/robots/{robot}", by="alice"),
    "getConfigurations": Call("/configurations"),
    "updateConfigurations": Call("/configurations", body({"token_expiration": 20, "banner_message": "hello"})),
    "listUserGroups": Call("/usergroups"),
    "createUserGroup": Call("/usergroups", body({"group_name": "new", "group_type": 2})),
    "searchUserGroups": Call("/usergroups/search?groupname=e", by="guest"),
    "getUserGroup": Call("/usergroups/{group}"),
    "updateUserGroup": Call("/usergroups/{group}", body({"group_name": "new"})),
    "deleteUserGroup": Call("/usergroups/{group}"),
}
ELSEWHERE = {
    "getAddition": "test_artifacts.py",
    "CopyArtifact": "test_copying.py",
    "setCliSecret": "test_cli_secrets.py",
    "getInternalconfig": "test_configurations.py",
    **dict.fromkeys(("pingLdap", "searchLdapUser", "importLdapUser", "searchLdapGroup"), "test_directory.py"),
}
"""Operations that need somebody else's server, or that have no success, and where they are tested."""


def test_every_operation_is_called() -> None:
    assert set(CALLS) | set(ELSEWHERE) == set(OPERATIONS)


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_operation(stage: Stage, operation: str, tmp_path: Any, settings: Any) -> None:
    settings.DATA = tmp_path
    (tmp_path / "ca.crt").write_bytes(b"certificate")
    call, wanted = CALLS[operation], OPERATIONS[operation]
    path = call.path.format(
        guest=stage.cast.guest.pk,
        private=stage.cast.private.pk,
        guest_member=Member.objects.get(user=stage.cast.guest).pk,
        artifacts=stage.path,
        digest=stage.index.digest,
        robot=stage.robot.pk,
        label=stage.label.pk,
        quota=stage.cast.private.quota.pk,
        group=Group.objects.create(name="team", type=Group.Type.HTTP).pk,
    )
    caller(stage.cast.admin).put("/projects/private", {"metadata": {"severity": "low"}})  # so that something happened
    response = stage.callers[call.by](wanted["method"], path, call.body(stage) if call.body else None)
    assert response.status_code == wanted["status"], response.content
    assert not response.has_header("Link")
    if "answer" in wanted and wanted["answer"].get("type") not in ("string", "file"):
        check(operation, response.json())
        assert response["Content-Type"] == "application/json"
    if wanted.get("list"):
        assert int(response["X-Total-Count"]) == len(response.json())
    if wanted["status"] == 201 and operation != "createTag":
        assert response["Location"].startswith(f"/api/v2.0{path.rstrip('/')}/")
    if "answer" not in wanted:
        assert response.content == b""


LISTS = sorted(name for name, wanted in OPERATIONS.items() if wanted.get("list"))


def fill(stage: Stage, number: int) -> None:
    """`number` more of everything that is listed."""
    for each in range(number):
        user = make_user(f"extra{each}")
        Member.objects.create(project=stage.cast.private, user=user, role=Role.GUEST)
        make_project(f"extra{each}", user, public=True)
        make_repository(stage.cast.private, f"extra{each}")
        child = make_image(stage.repository)
        make_index(stage.repository, f"extra{each}", child)
        make_image(stage.repository, f"image{each}")
        make_signature(stage.image)
        make_robot(f"extra{each}", stage.cast.private, "repository:pull")
        Group.objects.create(name=f"extra{each}", type=Group.Type.HTTP)
        make_system_robot(f"extra{each}", [], {stage.cast.private.pk: ["repository:pull"]})
        more = Label.objects.create(project=stage.cast.private, name=f"label{each}")
        stage.image.label_uses.create(label=more)
        stage.image.tags.create(repository=stage.repository, name=f"tag{each}", push_time=stage.image.push_time)


@pytest.mark.parametrize("operation", [*LISTS, "search", "getStatistic"])
def test_a_list_costs_the_same_however_long_it_is(
    stage: Stage, operation: str, django_assert_max_num_queries: Any
) -> None:
    path = CALLS[operation].path.format(private=stage.cast.private.pk, artifacts=stage.path)
    path += ("&" if "?" in path else "?") + "page_size=100"
    ask = stage.callers["admin"]
    ask.get("/ping")
    with django_assert_max_num_queries(14) as few:
        ask.get(path)
    fill(stage, 30)
    with django_assert_max_num_queries(max(len(few), 1) + 3) as many:
        response = ask.get(path)
    assert response.status_code == 200
    assert len(many) <= len(few) + 3, [query["sql"] for query in many]


@pytest.mark.parametrize("operation", LISTS)
def test_an_empty_list_is_a_list(stage: Stage, operation: str) -> None:
    path = CALLS[operation].path.format(private=stage.cast.private.pk, artifacts=stage.path)
    response = stage.callers["admin"].get(f"{path}{'&' if '?' in path else '?'}page=1000")
    assert response.content == b"[]\n"
    assert int(response["X-Total-Count"]) >= 0
