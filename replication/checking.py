"""Looking without moving anything: dry runs, verifications, the endpoints' health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from jobs.models import Execution
from jobs.running import Running
from jobs.running import Stopped as JobStopped
from registry.errors import RegistryError
from registry.references import Reference
from replication import transfer
from replication.actions import keep_health
from replication.copying import holders_at_target, options
from replication.endpoints import address_of, look, new_adapter, sentence
from replication.models import CHECKS, VENDOR, Endpoint, Finding, Policy
from replication.permissions import may_still_run
from replication.planning import Planned, candidates, copy_spec, name
from replication.selecting import batched
from replication.sides import Failed, Impossible, Sides, opened, policy_of, reference
from replication.transfer import Stopped
from replication.watching import JobWatch

BATCH = 100
PARALLEL = 8
SPOOL_AGE = 24 * 3600.0
FORGOTTEN = 200
"""Executions deleted at a time."""
State = Finding.State


@dataclass(frozen=True)
class Result:
    """What came of looking at one artifact."""

    state: str
    bytes: int = 0
    detail: str = ""


class Counted:
    """Blobs that this dry run has counted: by repository of the target, each once."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def fresh(self, repository: str, blobs: Mapping[str, int]) -> int:
        """Bytes of those of `blobs` that were not counted before."""
        new = {digest: size for digest, size in blobs.items() if (repository, digest) not in self._seen}
        self._seen.update((repository, digest) for digest in new)
        return sum(new.values())


def dry_run(spec: Mapping[str, Any], running: Running) -> str:
    """Write down what a run of the rule would move (a job's function)."""
    counted = Counted()
    totals = _look_at_all(spec, running, lambda sides, one, watch: _missing(sides, one, watch, counted))
    return f"{totals['missing'] + totals['different'] + totals['incomplete']} to copy, {totals['bytes']} bytes to move"


def verify(spec: Mapping[str, Any], running: Running) -> str:
    """Write down in what the target differs from the source (a job's function)."""
    totals = _look_at_all(spec, running, _compared)
    drifted = totals["missing"] + totals["different"] + totals["incomplete"]
    if totals["failed"]:
        return f"{drifted} of {totals['matched']} artifacts differ, {totals['failed']} could not be compared"
    return f"{drifted} of {totals['matched']} artifacts differ" if drifted else "nothing differs"


Look = Callable[[Sides, Planned, JobWatch], Result]


def _look_at_all(spec: Mapping[str, Any], running: Running, look_at: Look) -> Counter[str]:
    policy = policy_of(spec["policy"])
    if problem := may_still_run(policy):
        raise Impossible(problem)
    Finding.objects.filter(job=running.job).delete()  # of an attempt that did not end
    totals: Counter[str] = Counter()
    try:
        with opened(policy) as sides:
            named = (name(sides, candidate) for candidate in candidates(sides, running))
            for batch in batched(named, BATCH):
                rows = [_finding(running, policy, one, _safely(look_at, sides, one, running)) for one in batch]
                Finding.objects.bulk_create(rows)
                totals.update(row.state for row in rows)
                totals.update(matched=len(rows), bytes=sum(row.bytes for row in rows))
                running.progress(**totals)
    except Stopped as error:
        raise JobStopped from error
    except RegistryError as error:
        raise Failed(error) from error
    running.progress(**{state: 0 for state in State.values} | {"matched": 0, "bytes": 0} | totals)
    return totals


def _safely(look_at: Look, sides: Sides, one: Planned, running: Running) -> Result:
    """What comes of looking at one artifact; what goes wrong with it is a finding and does not end the look."""
    running.check()
    if one.problem:
        return Result(State.FAILED, detail=one.problem)
    watch = JobWatch(running, one.target, None, holders_at_target(sides, one.target))
    try:
        return look_at(sides, one, watch)
    except RegistryError as error:
        if error.temporary:
            raise
        return Result(State.FAILED, detail=sentence(error))


def _missing(sides: Sides, one: Planned, watch: JobWatch, counted: Counted) -> Result:
    found, state, size = one.candidate.found, State.THERE, 0
    how, target = (
        options(sides.policy, copy_spec(sides.policy, one.candidate, one.target)),
        sides.target_for(one.target),
    )
    for identifier in found.tags or (found.digest,):
        origin, goal = Reference(found.repository, identifier), Reference(one.target, identifier)
        lacks = transfer.missing(sides.source, target, origin, goal, watch=watch, options=how)
        size += counted.fresh(one.target, lacks.manifests | lacks.blobs)
        if lacks.replaces:
            state = State.DIFFERENT
        elif lacks.digest in lacks.manifests:
            state = State.MISSING if state == State.THERE else state
        elif lacks.manifests or lacks.blobs or lacks.mountable:
            state = State.INCOMPLETE if state == State.THERE else state
    kept = state == State.DIFFERENT and not sides.policy.override
    return Result(state, size, "the rule does not override: it would stay as it is" if kept else "")


def _compared(sides: Sides, one: Planned, watch: JobWatch) -> Result:
    found = one.candidate.found
    how, target = (
        options(sides.policy, copy_spec(sides.policy, one.candidate, one.target)),
        sides.target_for(one.target),
    )
    differences = []
    for identifier in found.tags or (found.digest,):
        origin, goal = Reference(found.repository, identifier), Reference(one.target, identifier)
        differences += transfer.compare(sides.source, target, origin, goal, watch=watch, options=how)
    if not differences:
        return Result(State.THERE)
    first = differences[0]
    if first.kind == "tag":
        return Result(State.DIFFERENT if first.there else State.MISSING, detail=first.sentence)
    return Result(State.INCOMPLETE, detail=first.sentence)


def _finding(running: Running, policy: Policy, one: Planned, result: Result) -> Finding:
    return Finding(
        job=running.job,
        source=reference(one.candidate.found.repository, one.candidate.found)[:512],
        target=reference(one.target, one.candidate.found)[:512],
        state=result.state,
        bytes=result.bytes,
        detail=result.detail[:512],
        subject=copy_spec(policy, one.candidate, one.target) if result.state != State.THERE else {},
    )


def check_health(spec: Mapping[str, Any], running: Running) -> str:
    """Look at every endpoint, forget runs of rules that are gone, and tidy the spool (a job's function)."""
    endpoints = list(Endpoint.objects.order_by("pk"))
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="health") as pool:
        for batch in batched(endpoints, PARALLEL * 4):
            running.check()
            addresses = [address_of(endpoint) for endpoint in batch]
            problems = list(pool.map(lambda address: look(new_adapter(address)), addresses))
            for endpoint, problem in zip(batch, problems, strict=True):
                keep_health(endpoint, problem, timezone.now())
    forgotten = _forget_orphans(running)
    spool = Path(settings.REPLICATION_SPOOL)
    swept = transfer.sweep(spool, SPOOL_AGE) if spool.is_dir() else 0
    return f"{len(endpoints)} endpoints looked at, {forgotten} runs forgotten, {swept} spooled files removed"


def _forget_orphans(running: Running) -> int:
    """Delete runs whose rule has been deleted."""
    forgotten = 0
    kept = Policy.objects.values("pk")
    orphans = Execution.objects.filter(vendor_type__in=(VENDOR, CHECKS)).exclude(vendor_id__in=kept)
    while keys := list(orphans.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN]):
        running.check()
        forgotten += len(keys)
        Execution.objects.filter(pk__in=keys).delete()
    return forgotten
