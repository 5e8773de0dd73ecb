"""A call of every operation that is built, which works on the stage of these tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import Group
from api.icons import icon_of
from audit.purge import KIND
from jobs import actions as jobs
from jobs.models import Execution, Job
from projects.models import Member
from tests.api import replication
from tests.api.conftest import Stage
from tests.cast import PASSWORD

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


def new_label(stage: Stage) -> dict[str, Any]:
    return {"name": "new", "scope": "p", "project_id": stage.cast.private.pk, "color": "#0065AB"}


PURGE = {"audit_retention_hour": 24, "include_event_types": "pull_artifact", "dry_run": True}
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
    "updateUserPassword": Call(
        "/users/{guest}/password", body({"new_password": "Another-Horse-9", "old_password": PASSWORD})
    ),
    "getCurrentUserPermissions": Call("/users/current/permissions?scope=/project/{private}", by="developer"),
    "listProjects": Call("/projects", by="developer"),
    "headProject": Call("/projects?project_name=private"),
    "createProject": Call("/projects", body({"project_name": "new"}), by="stranger"),
    "getProject": Call("/projects/private", by="developer"),
    "updateProject": Call("/projects/private", body({"metadata": {"auto_scan": "true"}}), by="alice"),
    "deleteProject": Call("/projects/public", by="alice"),
    "getProjectDeletable": Call("/projects/private/_deletable", by="alice"),
    "getProjectSummary": Call("/projects/private/summary", by="guest"),
    "getScannerOfProject": Call("/projects/private/scanner", by="guest"),
    "listScannerCandidatesOfProject": Call("/projects/private/scanner/candidates", by="alice"),
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
    "CreateLabel": Call("/labels", new_label, by="maintainer"),
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
    "getIcon": Call(f"/icons/{icon_of('IMAGE')}", by="guest"),
    "getSystemCVEAllowlist": Call("/system/CVEAllowlist", by="guest"),
    "putSystemCVEAllowlist": Call("/system/CVEAllowlist", body({"items": [{"cve_id": "CVE-2024-1"}]})),
    "listSchedules": Call("/schedules"),
    "getSchedulePaused": Call("/schedules/all/paused", by="guest"),
    "getWorkerPools": Call("/jobservice/pools"),
    "getWorkers": Call("/jobservice/pools/all/workers"),
    "listJobQueues": Call("/jobservice/queues"),
    "actionPendingJobs": Call("/jobservice/queues/PURGE_AUDIT_LOG", body({"action": "pause"})),
    "stopRunningJob": Call("/jobservice/jobs/{job}"),
    "actionGetJobLog": Call("/jobservice/jobs/{job}/log"),
    "getPurgeHistory": Call("/system/purgeaudit"),
    "getPurgeJob": Call("/system/purgeaudit/{purge}"),
    "stopPurge": Call("/system/purgeaudit/{purge}"),
    "getPurgeJobLog": Call("/system/purgeaudit/{purge}/log"),
    "createPurgeSchedule": Call(
        "/system/purgeaudit/schedule", body({"schedule": {"type": "Manual"}, "parameters": PURGE})
    ),
    "updatePurgeSchedule": Call(
        "/system/purgeaudit/schedule",
        body({"schedule": {"type": "Daily", "cron": "0 0 0 * * *"}, "parameters": PURGE}),
    ),
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
    "setScannerOfProject": "test_people.py",
    "CopyArtifact": "test_copying.py",
    "setCliSecret": "../accounts/test_cli_secrets.py",
    "getPurgeSchedule": "test_purge.py",
    "getInternalconfig": "test_configurations.py",
    "pingOIDC": "../accounts/test_oidc.py",
    **dict.fromkeys(("pingLdap", "searchLdapUser", "importLdapUser", "searchLdapGroup"), "test_directory.py"),
}
"""Operations that need somebody else's server, or that have no success, and where they are tested."""


CALLS |= {name: Call(path, replication.BODIES.get(name)) for name, path in replication.CALLS.items()}
ELSEWHERE |= dict.fromkeys(("createRegistry", "pingRegistry"), "test_registries.py")

ASKED = CALLS | {
    "getAddition": Call("{artifacts}/v1/additions/readme.md"),
    "setScannerOfProject": Call("/projects/private/scanner", body({"uuid": "none"})),
    "CopyArtifact": Call("{artifacts}?from=private/app/web:none"),
    "getPurgeSchedule": Call("/system/purgeaudit/schedule"),
    "getInternalconfig": Call("/internalconfig"),
    "pingOIDC": Call("/system/oidc/ping", body({})),
    "pingLdap": Call("/ldap/ping", body({})),
    "searchLdapUser": Call("/ldap/users/search"),
    "importLdapUser": Call("/ldap/users/import", body({})),
    "searchLdapGroup": Call("/ldap/groups/search"),
    **{name: Call(path, replication.BODIES[name]) for name, path in replication.ASKED.items()},
}
"""Every operation, those included that then fail for want of a server, or of something to do."""


def filled(path: str, stage: Stage) -> str:
    """`path` with the ids and names of what is on stage."""
    names = {
        "guest": stage.cast.guest.pk,
        "private": stage.cast.private.pk,
        "guest_member": Member.objects.get(user=stage.cast.guest).pk,
        "artifacts": stage.path,
        "digest": stage.index.digest,
        "robot": stage.robot.pk,
        "label": stage.label.pk,
        "quota": stage.cast.private.quota.pk,
        "group": Group.objects.get_or_create(name="team", type=Group.Type.HTTP)[0].pk,
    }
    if "{purge}" in path or "{job}" in path:
        names |= {"purge": a_purge().pk, "job": Job.objects.latest("pk").pk}
    if "/replication/" in path or "/registries/" in path:
        names |= replication.names()
    return path.format(**names)


def a_purge() -> Execution:
    """A purge of the audit log that waits."""
    return jobs.start(KIND, KIND, PURGE, extra_attrs=PURGE)
