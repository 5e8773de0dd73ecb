"""Every page that there is, with rows behind it: a page that is added to the addresses is visited at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import URLPattern, reverse
from django.utils import timezone

from accounts.models import Group, GroupMembership
from jobs.models import Execution, Job, JobLog, Schedule, Status
from portal.urls import urlpatterns
from projects.models import Allowlist, Label, Member, Project, Role
from replication.models import CHECKS, COPY, DRY_RUN, PLAN, VENDOR, VERIFY, Endpoint, Finding, Policy
from robots.models import Robot
from tests.api.stage import make_system_robot
from tests.portal.conftest import Scene

ACTS = frozenset(
    (
        *("sign-out", "theme", "language", "cli-secret", "test-directory", "test-provider", "artifact-label"),
        *("endpoint-new-test", "endpoint-test"),
        *(
            f"{prefix}rule-{act}"
            for prefix in ("", "project-")
            for act in ("new-try", "change-try", "start", "dry-run", "verify", "check-repair")
        ),
    )
)
"""Addresses that take a form and show nothing."""
ELSEWHERE = frozenset(("provider-login", "provider-callback", "provider-onboard", "provider-logout"))
"""Addresses that send people to and fro between Haven and its provider."""
FRAGMENTS = frozenset(("palette", "rule-example", "audit-csv", "log-csv"))
"""No pages: parts of one, or files."""
ALONE = frozenset(("sign-in", "sign-up"))
"""For who has not signed in."""
PARTS = ("platforms", "layers", "config", "readme", "values", "dependencies", "accessories", "manifest")
"""Of an artifact, beside its tags."""


def named() -> dict[str, URLPattern]:
    """The addresses of the portal, by name."""
    return {str(pattern.name): pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)}


def pages() -> set[str]:
    """The names of those that are pages for who has signed in."""
    return set(named()) - ACTS - ELSEWHERE - FRAGMENTS - ALONE


def places(scene: Scene) -> dict[str, str]:
    """The address of each page, by name; of an artifact, each part."""
    system, project = _rows(scene), _project_rows(scene)
    found = {name: _address(name, {**project, **system} if _is_system(name) else project) for name in pages()}
    image = found["artifact"]
    return {**found, **{f"artifact {part}": f"{image}?view={part}" for part in PARTS}}


def _is_system(name: str) -> bool:
    return name.startswith(("system-", "rule", "user", "group", "endpoint", "execution"))


def _address(name: str, rows: Mapping[str, Any]) -> str:
    pattern = named()[name].pattern
    wanted = getattr(pattern, "converters", None) or pattern.regex.groupindex
    return reverse(f"portal:{name}", kwargs={each: rows[each] for each in wanted})


def _rows(scene: Scene) -> dict[str, Any]:
    """What belongs to the system."""
    group = Group.objects.create(name="team", type=Group.Type.OIDC)
    GroupMembership.objects.create(group=group, user=scene.cast.guest)
    Member.objects.create(project=scene.cast.private, group=group, role=Role.GUEST)
    robot, _ = make_system_robot("mirror", [], {0: ["repository:pull"]})
    label = Label.objects.create(name="tested", color="#0065AB", description="Passed every check")
    Allowlist.objects.create(project=None, items=["CVE-2026-1"])
    Schedule.objects.create(
        vendor_type="REPLICATION",
        vendor_id=7,
        kind=PLAN,
        cron="0 0 0 * * *",
        cron_type="Daily",
        next_run=timezone.now(),
    )
    return {
        "user": scene.cast.guest.pk,
        "group": group.pk,
        "robot": robot.pk,
        "label": label.pk,
        "name": "system",
        **_rule("everything", None),
    }


def _project_rows(scene: Scene) -> dict[str, Any]:
    """What belongs to the project `private`."""
    private = scene.cast.private
    Label.objects.create(project=private, name="canary", color="#0065AB", description="For one in a hundred")
    label = Label.objects.get(name="canary")
    scene.image.labels.add(label)
    return {
        "project": "private",
        "repository": "app/web",
        "digest": scene.image.digest,
        "tag": "v1",
        "member": Member.objects.get(project=private, user=scene.cast.guest).pk,
        "robot": Robot.objects.filter(project=private).order_by("pk").values_list("pk", flat=True)[0],
        "label": label.pk,
        "kind": "REPLICATION",
        "name": "system",
        **_rule("our own", private),
    }


def _rule(name: str, project: Project | None) -> dict[str, Any]:
    """A rule that has run and was verified, and its endpoint."""
    given = {"type": "harbor", "url": "https://there.test", "status": "unhealthy", "problem": "it does not answer"}
    endpoint, _ = Endpoint.objects.get_or_create(name="there", defaults={**given, "shared": True})
    filters = [{"type": "name", "value": "private/**"}]
    rule = Policy.objects.create(name=name, target=endpoint, project=project, filters=filters)
    run = _work(VENDOR, rule, (PLAN, Status.SUCCESS), (COPY, Status.ERROR), (COPY, Status.RUNNING))
    check = _work(CHECKS, rule, (VERIFY, Status.SUCCESS))
    for state in Finding.State:
        Finding.objects.create(job=check.jobs.get(), state=state, source=f"private/app:{state}", target="mirror/app")
    _work(CHECKS, rule, (DRY_RUN, Status.RUNNING))
    return {"endpoint": endpoint.pk, "policy": rule.pk, "execution": run.pk, "check": check.pk}


def _work(vendor: str, rule: Policy, *jobs: tuple[str, str]) -> Execution:
    now = timezone.now()
    told = {"operator": "admin", "kind": jobs[0][0]}
    execution = Execution.objects.create(vendor_type=vendor, vendor_id=rule.pk, start_time=now, extra_attrs=told)
    names = {"source": "private/app/web", "target": "mirror/app/web", "tags": ["v1"], "digest": "", "policy": rule.pk}
    for kind, status in jobs:
        job = Job.objects.create(
            execution=execution,
            kind=kind,
            status=status,
            status_message="nothing differs" if status == Status.SUCCESS else "it failed",
            spec={**names, "operation": "copy", "resource_type": "image"},
            progress={"bytes": 5, "size": 9, "done": 1, "total": 2, "blobs": 3, "there": 1, "missing": 1, "matched": 5},
            due_at=now,
            start_time=now,
        )
        JobLog.objects.create(job=job, time=now, line="copying private/app/web")
    return execution
