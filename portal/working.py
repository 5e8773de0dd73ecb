"""Work as the pages show it: executions and their jobs, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from jobs.models import FINISHED, Job, Status
from portal import words

KINDS: dict[str, Any] = {
    "EXECUTION_SWEEP": _("Forgetting old executions"),
    "GARBAGE_COLLECTION": _("Garbage collection"),
    "HOUSEKEEPING": _("Housekeeping"),
    "PURGE_AUDIT_LOG": _("Purge of the audit log"),
    "REPLICATION": _("Replication"),
    "REPLICATION_CHECK": _("Check of a replication"),
    "REPLICATION_DRY_RUN": _("Dry run of a replication"),
    "REPLICATION_HEALTH": _("Health of the endpoints"),
    "REPLICATION_PLAN": _("Planning a replication"),
    "REPLICATION_VERIFY": _("Verifying a replication"),
    "RETENTION": _("Tag retention"),
    "SCHEDULER": _("Schedules"),
}
STATES: dict[str, tuple[Any, str, str]] = {
    Status.PENDING: (_("Waiting"), "clock", ""),
    Status.SCHEDULED: (_("Waits for another try"), "clock", ""),
    Status.RUNNING: (_("Running"), "refresh", "hv-mark-busy"),
    Status.STOPPED: (_("Stopped"), "ban", ""),
    Status.ERROR: (_("Failed"), "alert-circle", "hv-mark-bad"),
    Status.SUCCESS: (_("Done"), "circle-check", "hv-mark-good"),
}
TRIGGERS: dict[str, Any] = {"MANUAL": _("By hand"), "SCHEDULE": _("On schedule"), "EVENT": _("By an event")}
MISSING = ("", "clock", "")


@dataclass(frozen=True)
class State:
    """A status as people see it: its name, an icon, a colour's class."""

    name: Any
    icon: str
    style: str
    is_final: bool


def kind_name(kind: str) -> Any:
    """A kind of work; one that has no name here is shown by Harbor's word."""
    return KINDS.get(kind, lazystr(kind.replace("_", " ").capitalize()))


def state_of(status: str) -> State:
    """How a status is shown."""
    name, icon, style = STATES.get(status, (lazystr(status), "clock", ""))
    return State(name, icon, style, status in FINISHED)


def trigger_name(trigger: str) -> Any:
    """Who or what started an execution."""
    return TRIGGERS.get(trigger, lazystr(trigger.lower()))


def progress_of(job: Job) -> tuple[int, int] | None:
    """How much of a job is done, of how much; None for one that does not count."""
    done, total = job.progress.get("done"), job.progress.get("total")
    if not isinstance(done, int) or not isinstance(total, int) or total <= 0:
        return None
    return min(max(done, 0), total), total


def took(duration: timedelta | None) -> str:
    """How long something took: `40 s`, `3 min`, `2 h 5 min`."""
    return "" if duration is None else words.span(int(duration.total_seconds()))
