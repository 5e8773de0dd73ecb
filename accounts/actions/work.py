"""Watching over the work: queues, running jobs, the purge of the audit log. `jobs` sits below and knows nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from accounts.actors import Actor, Permission
from accounts.errors import BadRequest, NotFound
from accounts.permissions import refuse, require_system, system_allowed
from audit import purge
from audit.actions import record
from jobs import actions as jobs
from jobs import queues, schedules
from jobs.cron import CronInvalid
from jobs.models import Execution, Job, Schedule

ALL = "all"
"""Every queue, or every job that runs."""
PURGING = {Permission("purge-audit", "create"), Permission("purge-audit", "update")}
QUEUE_ACTIONS: dict[str, Callable[[str], Any]] = {
    "stop": queues.stop_waiting,
    "pause": queues.pause,
    "resume": queues.resume,
}


def act_on_queue(actor: Actor, kind: str, action: str) -> None:
    """Stop what waits in the queue of `kind`, pause the queue or resume it; every queue for `ALL`."""
    require_system(actor, "jobservice-monitor", "stop")
    chosen = queues.kinds() if kind.lower() == ALL else [kind.upper()]
    if action not in QUEUE_ACTIONS:
        raise BadRequest("the action is not supported", "action")
    if not set(chosen) <= set(queues.kinds()):
        raise NotFound(f"job queue {kind} not found")
    with transaction.atomic():
        for name in chosen:
            QUEUE_ACTIONS[action](name)
        record(actor, action, "job-queue", kind)


def stop_job(actor: Actor, job: Job | None) -> None:
    """Ask a job to stop; every one that runs for None."""
    require_system(actor, "jobservice-monitor", "stop")
    with transaction.atomic():
        if job is None:
            queues.stop_running()
        else:
            queues.stop_job(job)
        record(actor, "stop", "job", str(job.pk) if job else ALL)


def stop_execution(actor: Actor, execution: Execution) -> None:
    """Ask what is left of an execution to stop."""
    require_system(actor, "jobservice-monitor", "stop")
    with transaction.atomic():
        jobs.stop(execution)
        record(actor, "stop", "execution", str(execution.pk))


def start_purge(actor: Actor, parameters: Mapping[str, Any]) -> Execution:
    """Purge the audit log now, as `parameters` say: see `audit.purge`."""
    _require_purge(actor)
    spec = _purge_spec(parameters)
    with transaction.atomic():
        execution = jobs.start(purge.KIND, purge.KIND, spec, extra_attrs=spec)
        record(actor, "start", "audit-purge", str(execution.pk), **spec)
    return execution


def schedule_purge(actor: Actor, parameters: Mapping[str, Any], cron: str, cron_type: str) -> Schedule:
    """Purge the audit log by the clock, instead of what was scheduled before."""
    _require_purge(actor)
    spec = _purge_spec(parameters)
    try:
        with transaction.atomic():
            schedule = schedules.set_schedule(
                purge.KIND, purge.KIND, cron, cron_type=cron_type, spec=spec, extra_attrs=spec
            )
            record(actor, "update", "audit-purge-schedule", cron, **spec)
    except CronInvalid as error:
        raise BadRequest(str(error), "cron") from None
    return schedule


def unschedule_purge(actor: Actor) -> None:
    """Purge the audit log by the clock no longer."""
    _require_purge(actor)
    with transaction.atomic():
        if schedules.remove_schedule(purge.KIND):
            record(actor, "delete", "audit-purge-schedule", purge.KIND)


def stop_purge(actor: Actor, execution: Execution) -> None:
    """Ask a purge to stop; what it has deleted stays deleted."""
    require_system(actor, "purge-audit", "stop")
    with transaction.atomic():
        jobs.stop(execution)
        record(actor, "stop", "audit-purge", str(execution.pk))


def _require_purge(actor: Actor) -> None:
    """Who may create a purge or may change one: which of the two an operation needs is told by its method."""
    if PURGING.isdisjoint(system_allowed(actor)):
        refuse(actor)


def _purge_spec(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the job is given; BadRequest for what no purge could be."""
    hours, types = parameters.get("audit_retention_hour"), parameters.get("include_event_types")
    if hours is None:
        raise BadRequest("audit_retention_hour should provide", "audit_retention_hour")
    if types is None:
        raise BadRequest("include_event_types should provide", "include_event_types")
    if isinstance(hours, bool) or not isinstance(hours, int) or not -1 <= hours <= purge.LONGEST:
        raise BadRequest(f"audit_retention_hour is a number up to {purge.LONGEST}", "audit_retention_hour")
    dry_run = parameters.get("dry_run") or False
    if not isinstance(types, str) or not isinstance(dry_run, bool):
        raise BadRequest("include_event_types is text, names separated by commas; dry_run is true or false")
    return {"audit_retention_hour": hours, "include_event_types": types[:2048], "dry_run": dry_run}
