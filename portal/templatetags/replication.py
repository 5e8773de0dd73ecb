"""What the pages of replication need beside the portal's own tags."""

from __future__ import annotations

from typing import Any

from django import template

from jobs.models import Job
from portal import replicating
from portal.providers import provider_of
from portal.sentences import said
from replication.models import Policy

register = template.Library()

register.filter("said", said)
register.filter("endpoint_state", replicating.endpoint_state)
register.filter("finding_state", replicating.finding_state)
register.filter("rule_trigger", replicating.trigger_name)
register.filter("sentence", replicating.in_a_sentence)
register.filter("about", replicating.about)


@register.filter
def provider(kind: str) -> Any:
    """What a kind of registry is called."""
    return provider_of(kind).name


@register.filter
def check_name(kind: str) -> Any:
    """What a look without moving anything is called."""
    return replicating.CHECKS.get(kind, kind)


@register.filter
def count(progress: dict[str, Any], key: str) -> int:
    """A number of a job's progress; 0 for none."""
    return replicating.number(progress, key)


@register.simple_tag(takes_context=True)
def rule_url(context: dict[str, Any], view: str, *arguments: int) -> str:
    """The page `view` of the rules that the reader is among: the system's or a project's."""
    return str(context["desk"].url(view, *arguments))


@register.simple_tag
def bytes_of(job: Job) -> dict[str, int]:
    """How far a job is: `bytes` of `size`, `done` of `blobs`, `rate` bytes a second."""
    return {key: replicating.number(job.progress, key) for key in ("bytes", "size", "done", "blobs", "rate")}


@register.filter
def direction(policy: Policy) -> str:
    """`push` or `pull`."""
    return "push" if policy.is_push else "pull"


@register.filter
def kib(number: int) -> int:
    """So many KiB in bytes."""
    return number * 1024
