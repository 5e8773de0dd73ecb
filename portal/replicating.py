"""Replication in the reader's language: what a rule does in a sentence, what a look found, why something failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from accounts.errors import BadRequest
from jobs.models import Job
from portal.clock import in_words
from portal.sentences import said
from replication.models import DRY_RUN, VERIFY, Endpoint, Finding, Policy
from replication.naming import NameUnfit, destination

EXAMPLE = "library/team/app"
"""The name that forms show what becomes of."""
FINDINGS: dict[str, tuple[Any, str, str]] = {
    Finding.State.THERE: (_("There"), "circle-check", "hv-mark-good"),
    Finding.State.MISSING: (_("Missing"), "alert-circle", "hv-mark-bad"),
    Finding.State.DIFFERENT: (_("Different"), "alert-triangle", "hv-mark-warn"),
    Finding.State.INCOMPLETE: (_("Incomplete"), "alert-triangle", "hv-mark-warn"),
    Finding.State.FAILED: (_("Not compared"), "ban", ""),
}
CHECKS: dict[str, Any] = {DRY_RUN: _("Dry run"), VERIFY: _("Verification")}
TRIGGERS: dict[str, Any] = {
    Policy.Trigger.MANUAL: _("By hand"),
    Policy.Trigger.SCHEDULED: _("On schedule"),
    Policy.Trigger.EVENT: _("By events"),
}
PUSHES: dict[str, Any] = {
    Policy.Trigger.MANUAL: _("Copies what matches from Haven to %(endpoint)s, whenever somebody starts it."),
    Policy.Trigger.SCHEDULED: _("Copies what matches from Haven to %(endpoint)s by the clock: %(when)s."),
    Policy.Trigger.EVENT: _("Copies what matches from Haven to %(endpoint)s as soon as it is pushed here."),
}
PUSHES_OUT_OF: dict[str, Any] = {
    Policy.Trigger.MANUAL: _(
        "Copies what matches of the project %(project)s to %(endpoint)s, whenever somebody starts it."
    ),
    Policy.Trigger.SCHEDULED: _(
        "Copies what matches of the project %(project)s to %(endpoint)s by the clock: %(when)s."
    ),
    Policy.Trigger.EVENT: _(
        "Copies what matches of the project %(project)s to %(endpoint)s as soon as it is pushed here."
    ),
}
PULLS: dict[str, Any] = {
    Policy.Trigger.MANUAL: _("Copies what matches from %(endpoint)s into Haven, whenever somebody starts it."),
    Policy.Trigger.SCHEDULED: _("Copies what matches from %(endpoint)s into Haven by the clock: %(when)s."),
}


def in_a_sentence(policy: Policy) -> str:
    """What a rule does."""
    table = PULLS if not policy.is_push else PUSHES if policy.project is None else PUSHES_OUT_OF
    told = {"endpoint": policy.endpoint.name, "when": in_words(policy.cron), "project": policy.project}
    return str(table.get(policy.trigger, table[Policy.Trigger.MANUAL])) % told


@contextmanager
def spoken(**fields: str) -> Iterator[None]:
    """Says a BadRequest in the reader's language; `fields` names the form's field for one of the domain's."""
    try:
        yield
    except BadRequest as error:
        raise BadRequest(said(error.message), fields.get(error.field, error.field)) from error


def becomes(namespace: str, replace_count: int) -> str:
    """What the example is called at the target; empty where it cannot be copied."""
    try:
        return destination(EXAMPLE, namespace, replace_count)
    except NameUnfit:
        return ""


def trigger_name(trigger: str) -> Any:
    """When a rule runs."""
    return TRIGGERS.get(trigger, lazystr(trigger))


def endpoint_state(endpoint: Endpoint) -> tuple[Any, str, str]:
    """What the last look at an endpoint found: its name, an icon, a colour's class."""
    if endpoint.status == Endpoint.Status.HEALTHY:
        return _("Healthy"), "circle-check", "hv-mark-good"
    if endpoint.status == Endpoint.Status.UNHEALTHY:
        return _("Unhealthy"), "alert-circle", "hv-mark-bad"
    return _("Not looked at yet"), "clock", ""


def finding_state(state: str) -> tuple[Any, str, str]:
    """How a finding is shown: its name, an icon, a colour's class."""
    return FINDINGS.get(state, (lazystr(state), "clock", ""))


def about(job: Job, side: str) -> str:
    """What a job of a run is about, as its `source` or its `target` calls it."""
    tags = ",".join(job.spec.get("tags") or ())
    name = job.spec.get(side, "")
    return f"{name}:{tags}" if tags else f"{name}@{job.spec.get('digest', '')}"


def number(progress: dict[str, Any], key: str) -> int:
    """A number of a job's progress; 0 for none."""
    value = progress.get(key, 0)
    return value if isinstance(value, int) and value > 0 else 0
