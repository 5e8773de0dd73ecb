"""What follows from a push or a deletion here: rules that push when something happens. See `harbor/subscribers.py`.

An event may be delivered twice; the job's key makes it count once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from artifacts.models import Accessory, Artifact
from jobs import actions as jobs
from jobs.models import Execution, Job, Trigger
from replication.adapters import Found
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
    repository, whole = _repository(event), event["type"] == "delete_artifact"
    gone = _found(repository, {**event["details"], "tags": _tags(event)})
    for policy in _policies(event):
        if policy.deletion and (matching := _matching(policy, repository, [gone])):
            _start(event, policy, repository, partial(_deletion, policy, matching[0], whole))


def repository_deleted(event: Event) -> None:
    """A whole repository has gone, of which this event tells a part: as if each artifact had been deleted by itself,
    but in one run."""
    repository = str(event["resource"])
    gone = [_found(repository, one) for one in event["details"]["artifacts"]]
    for policy in _policies(event):
        if policy.deletion and (matching := _matching(policy, repository, gone)):
            _start(event, policy, repository, *(partial(_deletion, policy, one, True) for one in matching))


def _found(repository: str, told: Mapping[str, Any]) -> Found:
    """An artifact that is no more, as far as rules care."""
    labels = frozenset(told.get("labels") or ())
    return Found(repository, tuple(told["tags"]), str(told["digest"]), labels, str(told.get("kind") or ""))


def _matching(policy: Policy, repository: str, gone: Iterable[Found]) -> list[Found]:
    """What the rule would have copied of it."""
    filters = Filters.of(policy.filters)
    return list(filters.apply(gone)) if filters.takes_repository(repository) else []


def _deletion(policy: Policy, gone: Found, whole: bool, target: str) -> dict[str, Any]:
    return {
        "policy": policy.pk,
        "operation": "deletion",
        "resource_type": "artifact",
        "source": gone.repository,
        "target": target,
        "tags": list(gone.tags),
        "digest": gone.digest,
        "whole": whole,
    }


def _start(event: Event, policy: Policy, repository: str, *makers: Callable[[str], dict[str, Any]]) -> None:
    """A run of a job for each of `makers`, unless this event has made one already, or the target cannot have such a
    name."""
    try:
        target = name_at_target(policy, repository)
    except NameUnfit:
        return
    first, *rest = [make(target) for make in makers]
    with suppress(IntegrityError), transaction.atomic():
        attributes = {"operator": event["actor"], "event": event["type"]}
        execution = jobs.start_execution(VENDOR, vendor_id=policy.pk, trigger=Trigger.EVENT, extra_attrs=attributes)
        key = f"event:{event['id']}:{policy.pk}"
        jobs.add_job(execution, COPY, first, key=key, max_attempts=MAX_ATTEMPTS)
        _add(execution, rest, key)


def _add(execution: Execution, specs: list[dict[str, Any]], key: str) -> None:
    """Jobs of which the broker hears a few at a time."""
    if not specs:
        return
    now = timezone.now()
    rows = [Job(execution=execution, kind=COPY, key=f"{key}:{at}", spec=spec) for at, spec in enumerate(specs, 1)]
    for row in rows:
        row.max_attempts, row.due_at = MAX_ATTEMPTS, now
    Job.objects.bulk_create(rows)
    transaction.on_commit(lambda: jobs.send_more(COPY, min(len(rows), jobs.WINDOW)), robust=True)


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
