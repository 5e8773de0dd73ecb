"""Ours beside Harbor's operations: what a rule would move (a dry run), in what the target differs (a verification), and
the repair of that. Both are jobs; what they found stays with them."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import NotFound
from api import parameters
from api.operations import PAGED, operation
from api.paging import Listing
from api.replication_runs import OF_JOB, word
from api.replications import policy_of
from api.shapes import Moment, Number, Shape, Text
from api.views import Endpoint, authenticated
from jobs.models import Execution, Job
from replication import models, runs
from replication.permissions import require_run


class ReplicationCheck(Shape):
    """A dry run or a verification: how many artifacts match, in which state they are, and what bytes miss."""

    id = Number()
    policy_id = Number()
    kind = Text()
    status = Text()
    status_text = Text(always=True)
    start_time = Moment()
    end_time = Moment()
    matched = Number(always=True)
    there = Number(always=True)
    missing = Number(always=True)
    different = Number(always=True)
    incomplete = Number(always=True)
    failed = Number(always=True)
    bytes = Number(always=True)


class ReplicationFinding(Shape):
    """One artifact. `state` is there, missing, different, incomplete or failed."""

    id = Number(source="pk")
    source = Text()  # type: ignore[assignment]  # what else REST framework means by it is not used here
    target = Text()
    state = Text()
    bytes = Number(always=True)
    detail = Text()


CHECKS = Listing(default=("-start_time", "-pk"))
FINDINGS = Listing(default=("pk",))
KINDS = {models.DRY_RUN: "dry-run", models.VERIFY: "verify"}
AT = "/api/v2.0/replication"


def show(job: Job) -> dict[str, Any]:
    return ReplicationCheck.of(
        {
            **job.progress,
            "id": job.execution_id,
            "policy_id": job.spec["policy"],
            "kind": KINDS[job.kind],
            "status": word(job.status, OF_JOB),
            "status_text": job.status_message,
            "start_time": job.start_time,
            "end_time": job.end_time,
        }
    )


def show_all(executions: list[Execution]) -> list[dict[str, Any]]:
    jobs = Job.objects.filter(execution__in=executions, kind__in=KINDS)
    found = {job.execution_id: job for job in jobs}
    return [show(found[execution.pk]) for execution in executions if execution.pk in found]


def check_of(request: Request, id: str, check_id: str, action: str) -> tuple[models.Policy, Execution, Job]:
    """A rule, a dry run or verification of this rule and no other, and its job."""
    policy = policy_of(request, parameters.integer(id, "id"), "read")
    require_run(authenticated(request), action, policy)
    pk = parameters.integer(check_id, "check_id")
    execution = runs.checks_of(policy).filter(pk=pk).first()
    job = Job.objects.filter(execution=execution, kind__in=KINDS).first() if execution else None
    if execution is None or job is None:
        raise NotFound(f"check {pk} of policy {policy.pk} not found")
    return policy, execution, job


def begun(policy: models.Policy, execution: Execution) -> Response:
    return Response(status=201, headers={"Location": f"{AT}/policies/{policy.pk}/checks/{execution.pk}"})


class DryRun(Endpoint):
    @operation("dryRunReplication", status=201)
    def post(self, request: Request, id: str) -> Response:
        policy = policy_of(request, parameters.integer(id, "id"), "read")
        return begun(policy, runs.dry_run(authenticated(request), policy))


class Verify(Endpoint):
    @operation("verifyReplication", status=201)
    def post(self, request: Request, id: str) -> Response:
        policy = policy_of(request, parameters.integer(id, "id"), "read")
        return begun(policy, runs.verify(authenticated(request), policy))


class Checks(Endpoint):
    @operation("listReplicationChecks", [ReplicationCheck], query=PAGED)
    def get(self, request: Request, id: str) -> Response:
        policy = policy_of(request, parameters.integer(id, "id"), "read")
        require_run(authenticated(request), "list", policy)
        return CHECKS.answer(request, runs.checks_of(policy), show_all)


class OneCheck(Endpoint):
    @operation("getReplicationCheck", ReplicationCheck, path={"check_id": Number()})
    def get(self, request: Request, id: str, check_id: str) -> Response:
        _, _, job = check_of(request, id, check_id, "read")
        return Response(show(job))

    @operation("stopReplicationCheck", path={"check_id": Number()})
    def put(self, request: Request, id: str, check_id: str) -> Response:
        policy, execution, _ = check_of(request, id, check_id, "create")
        runs.stop(authenticated(request), policy, execution)
        return Response(status=200)


class Findings(Endpoint):
    @operation(
        "listReplicationFindings",
        [ReplicationFinding],
        query={**PAGED, "state": Text(one_of=tuple(models.Finding.State.values))},
        path={"check_id": Number()},
    )
    def get(self, request: Request, id: str, check_id: str) -> Response:
        _, _, job = check_of(request, id, check_id, "read")
        rows = models.Finding.objects.filter(job=job)
        if state := parameters.text(request, "state"):
            rows = rows.filter(state=parameters.one_of(state, "state", tuple(models.Finding.State.values), "query"))
        return FINDINGS.answer(request, rows, ReplicationFinding.each)


class Repair(Endpoint):
    @operation("repairReplication", status=201, path={"check_id": Number()}, errors=(412,))
    def post(self, request: Request, id: str, check_id: str) -> Response:
        policy, execution, _ = check_of(request, id, check_id, "create")
        started = runs.repair(authenticated(request), policy, execution)
        return Response(status=201, headers={"Location": f"{AT}/executions/{started.pk}"})


OF_POLICY = "replication/policies/<id>"
routes = [
    path(f"{OF_POLICY}/dry-run", DryRun.as_view()),
    path(f"{OF_POLICY}/verify", Verify.as_view()),
    path(f"{OF_POLICY}/checks", Checks.as_view()),
    path(f"{OF_POLICY}/checks/<check_id>", OneCheck.as_view()),
    path(f"{OF_POLICY}/checks/<check_id>/findings", Findings.as_view()),
    path(f"{OF_POLICY}/checks/<check_id>/repair", Repair.as_view()),
]
