"""What each command of the Go client harbor-cli sends, as read in its public source; the binary itself is not run.

A request is written as its generated client writes it: no empty parameter is sent and every number is, zero too;
`true` and `false` in a body only where they are pointers; times that nobody gave are those of year 1; a name in a path
is escaped once. What it insists on is the status, and an answer of the declared types.
"""

from __future__ import annotations

from typing import Any

from tests.stories.asking import Ask, Kept, access, body_of, command

YEAR_1 = "0001-01-01T00:00:00.000Z"
TIMES = {"creation_time": YEAR_1, "update_time": YEAR_1}
REPOSITORY = "/projects/cli/repositories/team%2Fapp"
ARTIFACT = f"{REPOSITORY}/artifacts/v1"
PAGE, CLI_ONLY = "?page=1&page_size=100", {"type": "name", "value": "cli/**"}


def robot(kept: Kept) -> dict[str, Any]:
    found = kept["robot"]
    rights = [{name: part[name] for name in ("access", "kind", "namespace")} for part in found["permissions"]]
    shown = {name: found[name] for name in ("id", "name", "level", "duration", "editable")}
    return {**shown, "description": "changed", "permissions": rights, **TIMES}


def registry(kept: Kept, name: str = "cli", credential: Any = None) -> dict[str, Any]:
    given = {"name": name, "type": "harbor", "url": kept["elsewhere"], "insecure": True}
    return {**given, "credential": credential or {**kept["account"], "type": "basic"}, **TIMES}


def policy(kept: Kept, **fields: Any) -> dict[str, Any]:
    given = {"name": "cli", "enabled": True, "copy_by_chunk": False, "speed": -1, "filters": None}
    return {**given, "dest_registry": kept["registry"], "trigger": {"type": "manual"}, **TIMES, **fields}


def configuration(kept: Kept) -> dict[str, Any]:
    return {name: shown["value"] for name, shown in kept["configurations"].items() if "value" in shown}


SYSTEM = (
    command("login", Ask("GET /users/current")),
    command("health", Ask("GET /ping", text=True), Ask("GET /health")),
    command("info", Ask("GET /systeminfo"), Ask("GET /statistics"), Ask("GET /systeminfo/volumes")),
    command("config get, view", Ask("GET /configurations", keep="configurations")),
    command("config apply", Ask("GET /configurations"), Ask("PUT /configurations", configuration)),
    command("cve-allowlist list", Ask("GET /system/CVEAllowlist")),
    command(
        "cve-allowlist add",
        Ask("PUT /system/CVEAllowlist", {"items": [{"cve_id": "CVE-2024-1"}], "expires_at": 0, **TIMES}),
    ),
    command(
        "logs, auditlog list", Ask("GET /auditlog-exts?page=1&page_size=10"), Ask("GET /audit-logs?page=1&page_size=10")
    ),
    command("auditlog types, logs events", Ask("GET /auditlog-exts/events")),
    command("schedule list", Ask("GET /schedules?page=1&page_size=10")),
)
PROJECTS = (
    command(
        "project create",
        Ask(
            "POST /projects",
            {"project_name": "cli", "metadata": {"public": "false"}, "public": False, "storage_limit": -1},
            status=201,
            keep="project",
        ),
    ),
    command(
        "project create --proxy-cache",
        Ask(
            "POST /projects",
            {
                "project_name": "p",
                "metadata": {"public": "false"},
                "public": False,
                "registry_id": 1,
                "storage_limit": -1,
            },
            status=400,
        ),
        differs="not there yet: a project with a `registry_id`",
    ),
    command(
        "project list (--public, --private, --name, --fuzzy)",
        Ask(f"GET /projects{PAGE}"),
        Ask(f"GET /projects{PAGE}&public=false"),
        Ask(f"GET /projects{PAGE}&name=cli&q=name%3D~cl&sort=-creation_time"),
        Ask("GET /projects?page=0&page_size=0"),
    ),
    command(
        "project view (--id)",
        Ask("GET /projects/cli", by_name=True, keep="shown"),
        Ask("GET /projects/{project}", by_name=False),
    ),
    command("project summary", Ask("GET /projects/cli", by_name=True), Ask("GET /projects/cli/summary", by_name=True)),
    command("project search", Ask("GET /search?q=cli")),
    command("project logs", Ask(f"GET /projects/cli/auditlog-exts{PAGE}")),
    command(
        "project update",
        Ask("GET /projects/cli", by_name=True, keep="shown"),
        Ask(f"GET /quotas{PAGE}", keep="quotas"),
        Ask(
            "PUT /projects/cli",
            lambda kept: {
                "public": True,
                "metadata": {**kept["shown"]["metadata"], "public": "true", "severity": "low"},
            },
            by_name=True,
        ),
        Ask("PUT /quotas/{quotas[0][id]}", {"hard": {"storage": -1}}),
    ),
    command("project config list", Ask("GET /projects/cli/metadatas/", by_name=True)),
    command("project config update", Ask("PUT /projects/cli", {"metadata": {"auto_scan": "true"}}, by_name=True)),
    command(
        "project metadata add, view, update, delete",
        Ask("POST /projects/cli/metadatas/", {"prevent_vul": "true"}, by_name=True),
        Ask("GET /projects/cli/metadatas/prevent_vul", by_name=True),
        Ask("PUT /projects/cli/metadatas/prevent_vul", {"prevent_vul": "false"}, by_name=True),
        Ask("DELETE /projects/cli/metadatas/prevent_vul", by_name=True),
    ),
)
PEOPLE = (
    command(
        "user create",
        Ask(
            "POST /users",
            {
                "username": "cliuser",
                "email": "c@x.test",
                "realname": "C",
                "comment": "c",
                "password": "Correct-Horse-9",
            },
            status=201,
            keep="user",
        ),
    ),
    command(
        "user list", Ask(f"GET /users{PAGE}"), Ask("GET /users?page=1&page_size=10&q=username%3D~cli&sort=username")
    ),
    command(
        "user update",
        Ask(f"GET /users{PAGE}"),
        Ask("GET /users/{user}"),
        Ask("PUT /users/{user}", {"email": "d@x.test", "realname": "D", "comment": "d"}),
    ),
    command("user elevate", Ask("PUT /users/{user}/sysadmin", {"sysadmin_flag": True})),
    command("user password, reset", Ask("PUT /users/{user}/password", {"new_password": "Another-Horse-9"})),
    command(
        "usergroup create, list, get, search, update",
        Ask("POST /usergroups", {"group_name": "cligroup", "group_type": 2}, status=201, keep="group"),
        Ask("GET /usergroups"),
        Ask("GET /usergroups/{group}"),
        Ask("GET /usergroups/search?groupname=cli"),
        Ask("PUT /usergroups/{group}", {"group_name": "cligroup2", "group_type": 2}),
    ),
    command(
        "project member create",
        Ask(
            "POST /projects/cli/members",
            {"role_id": 2, "member_user": {"username": "cliuser"}, "member_group": {}},
            status=201,
            by_name=False,
        ),
    ),
    command(
        "project member list, view",
        Ask("GET /projects/cli/members?page=1&page_size=10", by_name=True),
        Ask("GET /projects/cli/members?entityname=cliuser", by_name=True, keep="members"),
        Ask("GET /projects/cli/members/{members[0][id]}", by_name=True),
    ),
    command("project member update", Ask("PUT /projects/cli/members/{members[0][id]}", {"role_id": 4}, by_name=True)),
    command("project member delete", Ask("DELETE /projects/cli/members/{members[0][id]}", by_name=True)),
    command("usergroup delete", Ask("DELETE /usergroups/{group}")),
    command("user delete", Ask("DELETE /users/{user}")),
)
CONTENT = (
    command(
        "repo list",
        Ask(f"GET /projects/cli/repositories{PAGE}&q=name%3D~app"),
        Ask("GET /projects/cli/repositories?page=0&page_size=0"),
    ),
    command("repo view", Ask(f"GET {REPOSITORY}", keep="repository")),
    command("repo update", Ask(f"PUT {REPOSITORY}", body_of("repository", description="changed"))),
    command("repo search", Ask("GET /search?q=app")),
    command(
        "artifact list, search",
        Ask(f"GET {REPOSITORY}/artifacts?page=1&page_size=10&q=tags%3D~v"),
        Ask(f"GET {REPOSITORY}/artifacts?page=0&page_size=0"),
    ),
    command(
        "artifact view",
        Ask(f"GET {ARTIFACT}", keep="artifact"),
        Ask(f"GET {REPOSITORY}/artifacts/{{artifact[digest]}}"),
    ),
    command(
        "artifact tags create",
        Ask(f"POST {ARTIFACT}/tags", {"name": "new", "push_time": YEAR_1, "pull_time": YEAR_1}, 201),
    ),
    command("artifact tags list", Ask(f"GET {ARTIFACT}/tags")),
    command("artifact tags delete", Ask(f"DELETE {ARTIFACT}/tags/new")),
    command(
        "label create",
        Ask(
            "POST /labels",
            {"name": "cli", "color": "#FFFFFF", "description": "d", "scope": "g", **TIMES},
            status=201,
            keep="made",
        ),
    ),
    command(
        "label list (--scope)",
        Ask("GET /labels?page=1&page_size=20&scope=g&project_id=1"),
        Ask("GET /labels?page=1&page_size=20&scope=p&project_id={project}"),
    ),
    command(
        "label update",
        Ask("GET /labels/{made}", keep="label"),
        Ask("PUT /labels/{made}", {"name": "cli2", "color": "#000000", "description": "e", "scope": "g", **TIMES}),
    ),
    command("artifact label list", Ask(f"GET {ARTIFACT}?with_label=true")),
    command("artifact label add, by choosing", Ask(f"POST {ARTIFACT}/labels", body_of("label"))),
    command("artifact label delete, by choosing", Ask(f"DELETE {ARTIFACT}/labels/{{made}}")),
    command("artifact label add, delete, by name", Ask("GET /labels?page=0&page_size=0&project_id=0", status=400)),
    command("label delete", Ask("DELETE /labels/{made}")),
    command("quota list", Ask("GET /quotas?page=1&page_size=10&reference=project&sort=-used.storage")),
    command("quota view", Ask("GET /quotas/{quotas[0][id]}")),
    command("quota update", Ask("PUT /quotas/{quotas[0][id]}", {"hard": {"storage": 10**10}})),
)
ROBOTS = (
    command(
        "project robot create",
        Ask("GET /permissions"),
        Ask("GET /projects/cli", by_name=True),
        Ask("GET /robots?page=0&page_size=0&q=Level%3Dproject%2CProjectID%3D{project}"),
        Ask("GET /projects/{project}", by_name=False),
        Ask("GET /configurations"),
        Ask(
            "POST /robots",
            {
                "name": "ci",
                "level": "project",
                "duration": 30,
                "permissions": [access("project", "cli", "repository", "pull")],
            },
            status=201,
            keep="own",
        ),
    ),
    command(
        "project robot list, view",
        Ask("GET /robots?page=1&page_size=10&q=Level%3Dproject%2CProjectID%3D{project}"),
        Ask("GET /robots/{own}", keep="robot"),
    ),
    command("project robot update", Ask("PUT /robots/{own}", robot)),
    command(
        "project robot refresh", Ask("PATCH /robots/{own}", {}), Ask("PATCH /robots/{own}", {"secret": "Own-Secret-99"})
    ),
    command("project robot delete", Ask("DELETE /robots/{own}")),
    command(
        "robot create",
        Ask("GET /permissions"),
        Ask(
            "POST /robots",
            {
                "name": "clisystem",
                "level": "system",
                "duration": 30,
                "permissions": [
                    access("system", "/", "project", "list"),
                    access("project", "cli", "repository", "push"),
                ],
            },
            status=201,
            keep="own",
        ),
    ),
    command("robot list, view", Ask("GET /robots?page=1&page_size=10"), Ask("GET /robots/{own}", keep="robot")),
    command("robot update", Ask("PUT /robots/{own}", robot)),
    command("robot refresh", Ask("PATCH /robots/{own}", {})),
    command("robot delete", Ask("DELETE /robots/{own}")),
)
ELSEWHERE = (
    command(
        "registry create",
        Ask("GET /replication/adapters"),
        Ask("POST /registries", registry, status=201, keep="there"),
    ),
    command(
        "registry create, without an account",
        Ask("POST /registries", lambda kept: registry(kept, "open", {"type": "basic"}), status=201, keep="open"),
    ),
    command(
        "registry list",
        Ask("GET /registries?page=1&page_size=10&q=name%3D~cli"),
        Ask("GET /registries?page=0&page_size=0"),
    ),
    command("registry view", Ask("GET /registries/{there}", keep="registry")),
    command(
        "registry update",
        Ask(
            "PUT /registries/{there}",
            lambda kept: {
                **{"name": "cli2", "description": "", "url": kept["elsewhere"], "insecure": True},
                **kept["account"],
                "credential_type": "basic",
            },
        ),
    ),
    command(
        "replication policies create",
        Ask("GET /registries?page=0&page_size=0"),
        Ask("POST /replication/policies", policy, status=201, keep="policy"),
    ),
    command(
        "replication policies list, view",
        Ask("GET /replication/policies?page=1&page_size=10&q=name%3D~cli"),
        Ask("GET /replication/policies?page=0&page_size=0"),
        Ask("GET /replication/policies/{policy}"),
    ),
    command(
        "replication policies update",
        Ask("GET /replication/policies/{policy}"),
        Ask(
            "PUT /replication/policies/{policy}", lambda kept: policy(kept, id=int(kept["policy"]), filters=[CLI_ONLY])
        ),
    ),
    command(
        "replication start",
        Ask("POST /replication/executions", lambda kept: {"policy_id": int(kept["policy"])}, 201, "run"),
    ),
    command(
        "replication executions list, view",
        Ask("GET /replication/executions?policy_id={policy}&page=1&page_size=10"),
        Ask("GET /replication/executions/{run}"),
    ),
    command(
        "replication log",
        Ask("GET /replication/executions/{run}/tasks?page=0&page_size=0", keep="tasks"),
        Ask("GET /replication/executions/{run}/tasks/{tasks[0][id]}/log", text=True),
    ),
    command("replication stop", Ask("PUT /replication/executions/{run}")),
    command("replication policies delete", Ask("DELETE /replication/policies/{policy}")),
    command("registry delete", Ask("DELETE /registries/{there}"), Ask("DELETE /registries/{open}")),
    command(
        "ldap ping",
        Ask("POST /ldap/ping", {"ldap_url": "ldap://127.0.0.1:1", "ldap_base_dn": "dc=x", "ldap_uid": "uid"}),
    ),
    command(
        "ldap search (users, groups)",
        Ask("GET /ldap/users/search?username=x", status=412),
        Ask("GET /ldap/groups/search?groupname=x", status=412),
    ),
    command("ldap import", Ask("POST /ldap/users/import", {"ldap_uid_list": ["x"]}, status=412)),
)
WORK = (
    command("jobservice pools list", Ask("GET /jobservice/pools", keep="pools")),
    command(
        "jobservice workers list",
        Ask("GET /jobservice/pools/all/workers"),
        Ask("GET /jobservice/pools/{pools[0][worker_pool_id]}/workers"),
    ),
    command("jobservice jobs log", Ask("GET /jobservice/jobs/{tasks[0][job_id]}/log", text=True)),
    command("jobservice workers free, free-all", Ask("PUT /jobservice/jobs/all")),
    command("jobservice queues list", Ask("GET /jobservice/queues")),
    command(
        "jobservice queues pause, resume, stop",
        *(Ask("PUT /jobservice/queues/PURGE_AUDIT_LOG", {"action": action}) for action in ("pause", "resume", "stop")),
    ),
    command(
        "jobservice schedules list, status",
        Ask("GET /schedules?page=1&page_size=20"),
        Ask("GET /schedules/all/paused"),
    ),
    command(
        "jobservice schedules pause-all, resume-all",
        *(Ask("PUT /jobservice/queues/SCHEDULER", {"action": action}) for action in ("pause", "resume")),
    ),
)
ENDINGS = (
    command("artifact delete", Ask(f"DELETE {ARTIFACT}")),
    command("repo delete", Ask(f"DELETE {REPOSITORY}")),
    command(
        "project delete --force",
        Ask("GET /projects/cli", by_name=True),
        Ask("GET /projects/cli/immutabletagrules", status=404),
        differs="it lists immutable tags' rules first, which are not there yet, and stops: delete the repositories",
    ),
    command("project delete", Ask("DELETE /projects/cli", by_name=True)),
)
NOT_YET = command(
    "artifact scan, gc, instance, preheat, schedule create, scanner, scan-all, tag, vulnerability, webhook",
    Ask("GET /system/gc?page=1&page_size=10", status=404),
    Ask("GET /scanners?page=1&page_size=10", status=404),
    Ask("GET /projects/cli/webhook/policies?page=1&page_size=10", status=404),
    differs="not there yet",
)
COMMANDS = (*SYSTEM, *PROJECTS, *PEOPLE, *CONTENT, *ROBOTS, *ELSEWHERE, *WORK, NOT_YET, *ENDINGS)
"""In an order in which each finds what it needs. `cli/team/app:v1` is pushed before CONTENT."""
