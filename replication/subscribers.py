"""What follows from a push or a deletion here: rules that push when something happens. See `harbor/subscribers.py`.

An event may be delivered twice; the job's key makes it count once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from artifacts.models import Accessory, Artifact
from jobs import actions as jobs
from jobs.models import Trigger
from replication.filters import Filters
from replication.models import COPY, VENDOR, Policy
from replication.naming import NameUnfit
from replication.planning import MAX_ATTEMPTS, copy_spec
from replication.selecting import FOLLOWER, of_artifact
from replication.sides import name_at_target

Event = Mapping[str, Any]


def artifact_pushed(event: Event) -> None:
    """An artifact has come, or another tag of one: rules that match it copy it. Only these tags; a signature or an
    SBOM takes what it belongs to along, with all its tags."""
    policies = _policies(event)
    artifact = _artifact(event) if policies else None
    if artifact is None:
        return
    tags = _tags(event)
    accessory = Accessory.objects.filter(artifact=artifact).select_related("subject__repository__project").first()
    subject = accessory.subject if accessory else artifact
    if subject is None or (not accessory and all(FOLLOWER.fullmatch(tag) for tag in tags)):
        return
    for policy in policies:
        candidate = of_artifact(subject, Filters.of(policy.filters))
        if candidate and not accessory:
            candidate = candidate.only(tags)
        if candidate and (candidate.found.tags or accessory):
            _start(event, policy, candidate.found.repository, partial(copy_spec, policy, candidate))


def artifact_deleted(event: Event) -> None:
    """An artifact or a tag has gone: rules that match it, and delete, delete it at the target, too."""
    repository, tags = _repository(event), _tags(event)
    for policy in _policies(event):
        filters = Filters.of(policy.filters)
        matching = [tag for tag in tags if filters.takes_tag(tag)]
        if not policy.deletion or not filters.takes_repository(repository):
            continue
        if matching or (not tags and filters.takes_tag("")):
            _start(event, policy, repository, partial(_deletion, event, policy, matching))


def _deletion(event: Event, policy: Policy, tags: list[str], target: str) -> dict[str, Any]:
    return {
        "policy": policy.pk,
        "operation": "deletion",
        "resource_type": "artifact",
        "source": _repository(event),
        "target": target,
        "tags": tags,
        "digest": event["details"]["digest"],
        "whole": event["type"] == "delete_artifact",
    }


def _start(event: Event, policy: Policy, repository: str, make: Callable[[str], dict[str, Any]]) -> None:
    """A run of one job, unless this event has made one already, or the target cannot have such a name."""
    try:
        spec = make(name_at_target(policy, repository))
    except NameUnfit:
        return
    with suppress(IntegrityError), transaction.atomic():
        attributes = {"operator": event["actor"], "event": event["type"]}
        execution = jobs.start_execution(VENDOR, vendor_id=policy.pk, trigger=Trigger.EVENT, extra_attrs=attributes)
        jobs.add_job(execution, COPY, spec, key=f"event:{event['id']}:{policy.pk}", max_attempts=MAX_ATTEMPTS)


def _policies(event: Event) -> list[Policy]:
    """Enabled rules that follow events of this project."""
    rules = Policy.objects.filter(trigger=Policy.Trigger.EVENT, enabled=True).select_related("target")
    return [policy for policy in rules if policy.project_id in (None, event["project_id"])]


def _artifact(event: Event) -> Artifact | None:
    rows = Artifact.objects.select_related("repository__project").defer("extra_attrs", "annotations")
    return rows.filter(repository__name=_repository(event), digest=event["details"].get("digest", "")).first()


def _repository(event: Event) -> str:
    """`library/nginx` of `library/nginx:1.27` or `library/nginx@sha256:...`."""
    name = str(event["resource"])
    return name.partition("@")[0] if "@" in name else name.rpartition(":")[0]


def _tags(event: Event) -> list[str]:
    details = event["details"]
    tags: Iterable[str] = [*(details.get("tags") or ()), details.get("tag") or ""]
    return list(dict.fromkeys(str(tag) for tag in tags if tag))
