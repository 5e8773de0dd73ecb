"""Runs of rules: started, stopped, tried again; and looks at what one would do. Authorize, one transaction, one entry.

Nothing is copied here: a run is a row whose planning a worker takes up.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import BigIntegerField, Count, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from accounts.actors import Actor
from accounts.errors import NotFound, PreconditionFailed
from audit.actions import record
from jobs import actions as jobs
from jobs.models import FINISHED, Execution, Job, Status, Trigger
from replication.models import CHECKS, COPY, DRY_RUN, PLAN, VENDOR, VERIFY, Finding, Policy
from replication.permissions import require_run

MAX_ATTEMPTS = 3


def start(actor: Actor, policy: Policy, trigger: str = Trigger.MANUAL) -> Execution:
    """A run of the rule, soon to be planned. Raises PreconditionFailed for a rule that is disabled."""
    require_run(actor, "create", policy)
    if not policy.enabled:
        raise PreconditionFailed(f"the policy {policy.pk} is disabled")
    return _start(actor, policy, {"policy": policy.pk}, trigger)


@transaction.atomic
def stop(actor: Actor, policy: Policy, execution: Execution) -> int:
    """Stop what the run has not done yet, within seconds; how many jobs that were."""
    require_run(actor, "create", policy)
    stopped = jobs.stop(execution)
    record(actor, "stop", "replication", policy.name, project=policy.project, execution=execution.pk)
    return stopped


@transaction.atomic
def retry(actor: Actor, policy: Policy, execution: Execution) -> int:
    """Do again what failed or was stopped in this run; how many jobs. What they had uploaded is not sent again."""
    require_run(actor, "create", policy)
    revived = jobs.again(execution)
    if not revived:
        raise PreconditionFailed("nothing of this run failed or was stopped")
    record(actor, "retry", "replication", policy.name, project=policy.project, execution=execution.pk)
    return revived


def dry_run(actor: Actor, policy: Policy) -> Execution:
    """Find out what a run would move, and how many bytes the target really lacks; nothing is moved."""
    return _check(actor, policy, DRY_RUN, "dry-run")


def verify(actor: Actor, policy: Policy) -> Execution:
    """Compare what the rule matches with what the target has, digest by digest."""
    return _check(actor, policy, VERIFY, "verify")


def repair(actor: Actor, policy: Policy, verification: Execution) -> Execution:
    """A run for what a verification found to be missing or different, and for nothing else."""
    require_run(actor, "create", policy)
    job = verification.jobs.filter(kind=VERIFY).first()
    if job is None:
        raise NotFound(f"{verification.pk} is no verification")
    if not Finding.objects.filter(job=job, state__in=Finding.DRIFT).exists():
        raise PreconditionFailed("the verification found nothing to repair")
    if not policy.enabled:
        raise PreconditionFailed(f"the policy {policy.pk} is disabled")
    return _start(actor, policy, {"policy": policy.pk, "repairs": job.pk}, Trigger.MANUAL)


def runs_of(policies: QuerySet[Policy]) -> QuerySet[Execution]:
    """The executions of these rules, the newest first."""
    runs = Execution.objects.filter(vendor_type=VENDOR, vendor_id__in=policies.values("pk"))
    return runs.order_by("-start_time", "-pk")


def checks_of(policy: Policy) -> QuerySet[Execution]:
    """Dry runs and verifications of the rule, the newest first."""
    return Execution.objects.filter(vendor_type=CHECKS, vendor_id=policy.pk).order_by("-start_time", "-pk")


def jobs_of(execution: Execution) -> QuerySet[Job]:
    """The jobs of a run that people see: one for each artifact, without its planning."""
    return Job.objects.filter(execution=execution, kind=COPY)


def progress(execution: Execution) -> dict[str, int]:
    """How far a run is: `matched` and `there` of its planning, jobs in `total` and `finished`, `bytes` moved, and
    the `rate` (bytes a second) of those that run."""
    planning = Job.objects.filter(execution=execution, kind=PLAN).values_list("progress", flat=True).first() or {}
    numbers = jobs_of(execution).aggregate(
        total=Count("pk"),
        finished=Count("pk", filter=Q(status__in=FINISHED)),
        bytes=Coalesce(Sum(_number("bytes")), 0),
        rate=Coalesce(Sum(_number("rate"), filter=Q(status=Status.RUNNING)), 0),
    )
    return {"matched": planning.get("matched", 0), "there": planning.get("there", 0), **numbers}


def _number(key: str) -> Cast:
    return Cast(KeyTextTransform(key, "progress"), BigIntegerField())


@transaction.atomic
def _start(actor: Actor, policy: Policy, spec: dict[str, int], trigger: str) -> Execution:
    execution = jobs.start(
        PLAN,
        VENDOR,
        spec,
        trigger=trigger,
        vendor_id=policy.pk,
        extra_attrs={"operator": actor.name},
        max_attempts=MAX_ATTEMPTS,
    )
    record(actor, "create", "replication", policy.name, project=policy.project, execution=execution.pk)
    return execution


@transaction.atomic
def _check(actor: Actor, policy: Policy, kind: str, operation: str) -> Execution:
    require_run(actor, "create", policy)
    execution = jobs.start(
        kind, CHECKS, {"policy": policy.pk}, vendor_id=policy.pk, extra_attrs={"operator": actor.name, "kind": kind}
    )
    record(actor, operation, "replication", policy.name, project=policy.project, execution=execution.pk)
    return execution
