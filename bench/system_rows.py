"""The lists of what happened and of who may do what, as bench.api asks for them: audit, people, robots, jobs, ..."""

from __future__ import annotations

from collections.abc import Iterator

from bench.calls import ADMIN, BASE, MEMBER, PERSON, Call
from bench.seed import BUSY, LARGE

ROBOT = "robot$project-1%2Bci-0"


def calls() -> Iterator[Call]:
    """All of them. Those that count deep pages ask for what there is at scale 1."""
    for name, path, who in (*_audit(), *_system()):
        yield Call(name, f"{BASE}{path}", who)


def _audit() -> Iterator[tuple[str, str, str]]:
    where = "/auditlog-exts?page_size=100"
    for who, title in ((ADMIN, "admin"), (MEMBER, "member"), (PERSON, "one of three projects")):
        yield f"audit, {title}", "/auditlog-exts", who
        yield f"audit, deep, {title}", f"{where}&page=1000", who
        yield f"audit, operation=pull, {title}", f"{where}&q=operation%3Dpull", who
        yield f"audit, username, {title}", f"{where}&q=username%3Dperson-3", who
    yield "audit, very deep", f"{where}&page=25000", ADMIN
    yield "audit, the last page", f"{where}&page=50000", ADMIN
    yield "audit, op_time range", f"{where}&q=op_time%3D[2026-03-01~2026-05-01]", ADMIN
    yield "audit, op_time range, deep", f"{where}&q=op_time%3D[2026-03-01~2026-05-01]&page=3000", ADMIN
    yield "audit, resource_type=user", f"{where}&q=resource_type%3Duser", ADMIN
    yield "audit, operation={create delete}, deep", f"{where}&q=operation%3D{{create%20delete}}&page=4000", ADMIN
    yield "audit, resource=~", f"{where}&q=resource%3D~app-1234", ADMIN
    yield "audit, resource=~ of nearly all, deep", f"{where}&q=resource%3D~team&page=20000", ADMIN
    yield "audit, username=~", f"{where}&q=username%3D~person-19", ADMIN
    yield "audit, username=~ of a third, deep", f"{where}&q=username%3D~person&page=8000", ADMIN
    yield "audit, busiest robot, deep", f"{where}&q=username%3D{ROBOT}&page=9000", ADMIN
    for column in ("id", "username", "-resource", "resource_type", "-operation", "project_id"):
        yield f"audit, sort={column}, deep", f"{where}&sort={column}&page=20000", ADMIN
    yield "audit, failed", f"{where}&q=operation_result%3Dfalse", ADMIN
    yield "audit, oldest first", f"{where}&sort=op_time", ADMIN
    yield "audit of a project", f"/projects/{BUSY[0]}/auditlog-exts", ADMIN
    yield "audit of a project, deep", f"/projects/{BUSY[0]}/auditlog-exts?page=400&page_size=100", ADMIN
    yield "audit of the largest project, very deep", f"/projects/{LARGE}/logs?page=14000&page_size=100", ADMIN
    yield "audit of a project, deletions", f"/projects/{BUSY[0]}/logs?q=operation%3Ddelete", ADMIN


def _system() -> Iterator[tuple[str, str, str]]:
    yield "quotas", "/quotas?page_size=100", ADMIN
    yield "quotas, most used", "/quotas?sort=-used.storage", ADMIN
    yield "robots", "/robots?page_size=100", ADMIN
    yield "robots of a project", "/robots?q=Level%3Dproject,ProjectID%3D1", ADMIN
    yield "users", "/users?page_size=100", ADMIN
    yield "users, username=~, deep", "/users?q=username%3D~person-1&page=50", ADMIN
    yield "users search", "/users/search?username=person-12", MEMBER
    yield "user groups", "/usergroups?page_size=100", ADMIN
    yield "labels, everywhere", "/labels?scope=g&page_size=100", ADMIN
    yield "labels of a project", "/labels?scope=p&project_id=1", ADMIN
    yield "registries", "/registries", ADMIN
    yield "replication policies", "/replication/policies?page_size=100", ADMIN
    yield "replication executions", "/replication/executions?page_size=100", ADMIN
    yield "replication executions, deep, failed", "/replication/executions?page=3&status=Failed", ADMIN
    yield "replication tasks", "/replication/executions/2/tasks", ADMIN
    yield "schedules", "/schedules", ADMIN
    yield "purge history", "/system/purgeaudit?page_size=100", ADMIN
