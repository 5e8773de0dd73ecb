"""Replication of the last days, written as rows: endpoints, rules, runs and a verification."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from artifacts.models import Artifact
from jobs.models import Execution, Job, JobLog, Pause, Status, Trigger
from projects.models import Project
from replication.models import CHECKS, COPY, HEALTH, PLAN, VENDOR, VERIFY, Endpoint, Finding, Policy

MIB = 2**20
ENDPOINTS: tuple[dict[str, Any], ...] = (
    {"name": "frankfurt", "type": "harbor", "url": "https://harbor.fra.example.com", "shared": True},
    {"name": "edge-warehouse", "type": "docker-registry", "url": "https://registry.warehouse.example.com"},
    {"name": "docker-hub", "type": "docker-hub", "url": "https://hub.docker.com"},
)
HUB_PROBLEM = "the registry refuses these credentials: check access key and secret"


def replicate(now: datetime) -> None:
    """Three endpoints, three rules and what they did. Nobody looks whether the endpoints are there: they are not."""
    Pause.objects.create(kind=HEALTH)
    made = {each["name"]: Endpoint.objects.create(checked_at=now, **_state(each)) for each in ENDPOINTS}
    Endpoint.objects.filter(name="docker-hub").update(status="unhealthy", problem=HUB_PROBLEM)
    payments = _rule("payments to frankfurt", made["frankfurt"], "payments/**", trigger="event_based", speed=20_480)
    _rule(
        "nightly to the warehouse",
        made["edge-warehouse"],
        "library/**",
        trigger="scheduled",
        cron="0 30 2 * * *",
        dest_namespace="mirror",
        replace_count=1,
    )
    _rule("canary out", made["frankfurt"], "payments/api", project=Project.objects.get(name="payments"))
    _run(payments, now - timedelta(minutes=4), Status.RUNNING, Status.ERROR, Status.SUCCESS, Status.SUCCESS)
    _run(payments, now - timedelta(hours=7), Status.SUCCESS, Status.SUCCESS)
    _run(payments, now - timedelta(days=1), Status.SUCCESS, Status.STOPPED)
    _verify(payments, now - timedelta(hours=2))


def _state(given: dict[str, Any]) -> dict[str, Any]:
    return {"status": "healthy", "access_key": "robot$haven", "description": "", **given}


def _rule(name: str, target: Endpoint, matching: str, **given: Any) -> Policy:
    filters = [{"type": "name", "value": matching}]
    return Policy.objects.create(name=name, target=target, filters=filters, creator="admin", **given)


def _run(rule: Policy, start: datetime, *statuses: Status) -> Execution:
    """A run of the rule with a job for each of `statuses`, and the planning before them."""
    execution = Execution.objects.create(vendor_type=VENDOR, vendor_id=rule.pk, trigger=Trigger.EVENT, start_time=start)
    _job(execution, PLAN, Status.SUCCESS, start, {"policy": rule.pk}, {"matched": len(statuses)})
    artifacts = Artifact.objects.filter(repository__name="payments/api", tags__isnull=False).distinct().order_by("-pk")
    for number, (status, artifact) in enumerate(zip(statuses, artifacts, strict=False)):
        tags = sorted(artifact.tags.values_list("name", flat=True))
        names = {"source": "payments/api", "target": "payments/api"}
        spec = {**names, "operation": "copy", "resource_type": "image", "tags": tags, "digest": artifact.digest}
        size = (68 + 9 * number) * MIB
        share = {Status.SUCCESS: 1.0, Status.RUNNING: 0.62, Status.ERROR: 0.2, Status.STOPPED: 0.4}[status]
        progress = {"bytes": int(size * share), "size": size, "done": int(8 * share), "blobs": 8, "rate": 11 * MIB}
        _job(execution, COPY, status, start + timedelta(seconds=20 * number), {**spec, "policy": rule.pk}, progress)
    return execution


def _job(
    execution: Execution, kind: str, status: Status, start: datetime, spec: dict[str, Any], progress: dict[str, int]
) -> Job:
    failed = "the registry refuses these credentials: check access key and secret"
    job = Job.objects.create(
        execution=execution,
        kind=kind,
        status=status,
        status_message=failed if status == Status.ERROR else "",
        attempts=1,
        spec=spec,
        due_at=start,
        start_time=start,
        end_time=None if status == Status.RUNNING else start + timedelta(seconds=47),
        lease_until=start + timedelta(days=400) if status == Status.RUNNING else None,
        progress=progress,
    )
    said = f"copying payments/api to payments/api at {spec.get('digest', '')[:19]}"
    JobLog.objects.create(job=job, time=start, line=said)
    return job


def _verify(rule: Policy, start: datetime) -> None:
    S = Finding.State
    states = [S.THERE, S.THERE, S.MISSING, S.THERE, S.DIFFERENT, S.THERE, S.INCOMPLETE, S.THERE]
    execution = Execution.objects.create(
        vendor_type=CHECKS, vendor_id=rule.pk, trigger=Trigger.MANUAL, start_time=start, extra_attrs={"kind": VERIFY}
    )
    counts = {str(state): states.count(state) for state in set(states)}
    job = _job(execution, VERIFY, Status.SUCCESS, start, {"policy": rule.pk}, {**counts, "matched": len(states)})
    for number, state in enumerate(states):
        name = f"payments/api:2.{number + 4}.0"
        Finding.objects.create(job=job, state=state, source=name, target=name)
