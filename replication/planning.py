"""From a rule to jobs: one for each artifact that it matches. The rows are the plan; workers hear of a few at a time.

What stands at the target already is looked up here, many at once, so that a run that has nothing to do ends at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.utils import timezone

from jobs import actions as jobs
from jobs.models import Execution, Job, Status
from jobs.running import Running, Stopped
from registry.errors import RegistryError
from registry.manifests import INDEX_TYPES
from registry.references import Reference
from replication import selecting
from replication.filters import Filters
from replication.models import COPY, VENDOR, Finding, Policy
from replication.naming import NameUnfit
from replication.permissions import may_still_run
from replication.selecting import Candidate, batched
from replication.sides import Failed, Impossible, Sides, opened, policy_of, reference

BATCH = 500
"""Jobs written at a time."""
COMPARED = 1000
"""Questions to the target while planning, one for each repository, and for each artifact where that holds something;
the jobs of those beyond find out themselves."""
PARALLEL = 16
MAX_ATTEMPTS = 5
MOST_FOLLOWERS = 20
"""Tags of signatures that a job is told of; where there are more it asks."""


@dataclass(frozen=True)
class Planned:
    """One artifact and what became of it while planning: `there`, or the problem that keeps it from being copied."""

    candidate: Candidate
    target: str
    there: bool = False
    problem: str = ""
    new: bool = False
    """Whether the target's repository held nothing at all."""


def plan(spec: Mapping[str, Any], running: Running) -> str:
    """Make the jobs of a run (a job's function). May run twice: a job's key says what it is about."""
    policy = policy_of(spec["policy"])
    _require_turn(policy, running)
    try:
        told = _plan_repair(spec["repairs"], running) if "repairs" in spec else _plan(policy, running)
        if jobs.is_asked_to_stop(running.job):
            raise Stopped
        return told
    except Stopped:
        if Job.objects.filter(pk=running.job.pk, stop_requested=True).exists():
            jobs.stop(running.job.execution)  # also what was written after somebody stopped it
        raise
    except RegistryError as error:
        raise Failed(error) from error


def _plan(policy: Policy, running: Running) -> str:
    matched = there = sent = 0
    with opened(policy) as sides:
        for batch in batched(planned(sides, running), BATCH):
            _write(policy, running.job.execution, batch)
            matched += len(batch)
            there += sum(one.there for one in batch)
            running.progress(matched=matched, there=there)
            if sent < jobs.WINDOW:
                sent += jobs.send_more(COPY, jobs.WINDOW - sent)
    return f"{matched} artifacts match, {there} of them are there already"


def _plan_repair(checked: int, running: Running) -> str:
    """Jobs for what the verification `checked` found amiss, each to look at everything."""
    drifted = Finding.objects.filter(job=checked, state__in=Finding.DRIFT).order_by("pk")
    number = 0
    for batch in batched(drifted.values_list("subject", flat=True).iterator(chunk_size=BATCH), BATCH):
        running.check()
        now, execution = timezone.now(), running.job.execution
        specs = [{**subject, "thorough": True} for subject in batch]
        rows = [
            Job(execution=execution, kind=COPY, key=key_of(execution.pk, each), spec=each, due_at=now) for each in specs
        ]
        Job.objects.bulk_create(rows, ignore_conflicts=True)
        number += len(rows)
    jobs.send_more(COPY)
    return f"{number} artifacts differ"


def planned(sides: Sides, running: Running) -> Iterator[Planned]:
    """What the rule matches, with its name at the target, looked up there until COMPARED questions were asked."""
    named = (name(sides, candidate) for candidate in candidates(sides, running))
    looked_up, empty = 0, dict[str, bool]()
    for batch in batched(named, PARALLEL * 8):
        running.check()
        if looked_up < COMPARED:
            known = len(empty)
            batch = _compared(sides, batch, empty)
            looked_up += len(empty) - known + sum(not one.new for one in batch)
        yield from batch


def candidates(sides: Sides, running: Running) -> Iterator[Candidate]:
    """The artifacts that the rule matches."""
    policy = sides.policy
    filters = Filters.of(policy.filters)
    if sides.source_adapter:
        return selecting.of_endpoint(sides.source_adapter, filters, running.check)
    return selecting.of_haven(filters, policy.project, running.check)


def copy_spec(policy: Policy, candidate: Candidate, target: str) -> dict[str, Any]:
    """What the job that copies is told; see `copying.copy`."""
    found = candidate.found
    spec = {
        "policy": policy.pk,
        "operation": "copy",
        "resource_type": found.type.lower(),
        "source": found.repository,
        "target": target,
        "tags": list(found.tags),
        "digest": found.digest,
        "public": candidate.public,
    }
    if candidate.followers is not None and len(candidate.followers) <= MOST_FOLLOWERS:
        spec["followers"] = list(candidate.followers)
    return spec


def key_of(execution_id: int, spec: Mapping[str, Any]) -> str:
    """The name under which a run has this job once."""
    subject = "\n".join([spec["operation"], spec["source"], spec["digest"], *spec["tags"]])
    return f"{execution_id}:{hashlib.sha256(subject.encode()).hexdigest()[:40]}"


def _require_turn(policy: Policy, running: Running) -> None:
    """Return if the run may go on. Of a rule that runs once at a time, the run that was first does."""
    if problem := may_still_run(policy):
        raise Impossible(problem)
    if not policy.enabled:
        raise Stopped("the rule is disabled")
    if policy.single_active:
        runs = Execution.objects.filter(vendor_type=VENDOR, vendor_id=policy.pk, pk__lt=running.job.execution_id)
        if runs.unfinished().exists():
            raise Stopped("skipped: an earlier run of this rule is still in progress")


def name(sides: Sides, candidate: Candidate) -> Planned:
    """The candidate with its name at the target, or why it has none."""
    repository = candidate.found.repository
    try:
        return Planned(candidate, sides.name_at_target(repository))
    except NameUnfit as error:
        return Planned(candidate, repository, problem=str(error))


def _compared(sides: Sides, batch: list[Planned], empty: dict[str, bool]) -> list[Planned]:
    """The batch, looked up at the target; `empty` is what is known of the target's repositories, and grows."""
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="compare") as pool:
        unknown = list(dict.fromkeys(one.target for one in batch if not one.problem and one.target not in empty))
        empty.update(zip(unknown, pool.map(partial(_is_empty, sides), unknown), strict=True))
        marked = [replace(one, new=empty.get(one.target, False) and not one.problem) for one in batch]
        found = list(pool.map(partial(_stands, sides), marked))
    return [replace(one, there=there) for one, there in zip(marked, found, strict=True)]


def _is_empty(sides: Sides, repository: str) -> bool:
    """Whether the target's repository is known to have no tag, or not to be there."""
    try:
        return next(iter(sides.target_for(repository).tags(repository)), None) is None
    except RegistryError as error:
        return error.status == 404


def _stands(sides: Sides, one: Planned) -> bool:
    """Whether the target has all of it. Where that cannot be told quickly, it does not: the job will see."""
    if one.problem or one.new:
        return False
    try:
        return _is_there(sides, one)
    except RegistryError:
        return False


def _is_there(sides: Sides, one: Planned) -> bool:
    found, kin = one.candidate.found, one.candidate.kin
    for name in found.tags or (found.digest,):
        digest = found.digest
        if not digest:
            origin = sides.source.head_manifest(Reference(found.repository, name))
            if origin is None or origin.media_type in INDEX_TYPES:
                return False
            digest = origin.digest
        there = sides.target.head_manifest(Reference(one.target, name))
        if there is None or there.digest != digest:
            return False
        if kin is None and not _refers_nothing(sides, one.candidate, digest):
            return False
    return all(_has(sides, one.target, name, digest) for name, digest in kin or ())


def _has(sides: Sides, repository: str, name: str, digest: str) -> bool:
    there = sides.target.head_manifest(Reference(repository, name))
    return there is not None and there.digest == digest


def _refers_nothing(sides: Sides, candidate: Candidate, digest: str) -> bool:
    """Whether nothing refers to the image at the source, as far as can be told without asking much."""
    if candidate.followers is None or sides.source.referrers(candidate.found.repository, digest):
        return False
    name = digest.replace(":", "-")
    return not any(tag.startswith(name) for tag in candidate.followers)


def _write(policy: Policy, execution: Execution, batch: Iterable[Planned]) -> None:
    """The rows of a batch, those that need no work ended already; what was written before is left alone."""
    Job.objects.bulk_create([_row(policy, execution, one) for one in batch], ignore_conflicts=True)


def _row(policy: Policy, execution: Execution, one: Planned) -> Job:
    now = timezone.now()
    spec = copy_spec(policy, one.candidate, one.target) | ({"new": True} if one.new else {})
    job = Job(execution=execution, kind=COPY, key=key_of(execution.pk, spec), spec=spec, due_at=now)
    job.max_attempts = MAX_ATTEMPTS
    if one.there or one.problem:
        job.status = Status.SUCCESS if one.there else Status.ERROR
        job.status_message = (one.problem or f"there already: {reference(one.target, one.candidate.found)}")[:1024]
        job.start_time = job.end_time = now
        job.progress = {"bytes": 0, "done": 0}
    return job
