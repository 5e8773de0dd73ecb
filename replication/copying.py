"""What the jobs of a run do: copy one artifact, or delete one at the target."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from artifacts.models import Blob
from jobs.running import Running
from jobs.running import Stopped as JobStopped
from registry.errors import RegistryError
from registry.references import Reference
from replication import local, transfer
from replication.adapters import KINDS
from replication.bandwidth import Bucket
from replication.endpoints import sentence
from replication.models import Policy
from replication.naming import NameUnfit
from replication.newness import lacking, never
from replication.permissions import may_still_do
from replication.sides import Failed, Impossible, Sides, opened, policy_of
from replication.transfer import Options, Outcome, Result, Stopped
from replication.watching import Holders, JobWatch

KB = 1024
MOST_HOLDERS = 3


def run(spec: Mapping[str, Any], running: Running) -> str:
    """Do what `spec` says (a job's function): see `planning.copy_spec`. The message says what came of it."""
    policy = policy_of(spec["policy"])
    if problem := may_still_do(policy, spec):
        raise Impossible(problem)
    try:
        with opened(policy) as sides:
            return delete(sides, spec, running) if spec["operation"] == "deletion" else copy(sides, spec, running)
    except Stopped as error:
        raise JobStopped from error
    except NameUnfit as error:
        raise Impossible(str(error)) from error
    except RegistryError as error:
        running.log(f"failed: {sentence(error)}")
        raise Failed(error) from error


def copy(sides: Sides, spec: Mapping[str, Any], running: Running) -> str:
    """Copy one artifact with all its tags that matched."""
    policy, repository = sides.policy, str(spec["target"])
    bucket = Bucket(policy.pk, policy.speed * KB) if policy.speed else None
    lacks = lacking(running.job.execution_id, repository) if spec.get("new") else never
    watch = JobWatch(running, repository, bucket, holders_at_target(sides, repository), lacks)
    running.log(f"copying {spec['source']} to {repository} at {policy.endpoint.name if policy.is_push else 'Haven'}")
    sides.prepare(repository, bool(spec.get("public")))
    outcomes: list[Outcome] = []
    for name in spec["tags"] or [spec["digest"]]:
        running.check()
        origin, goal = Reference(spec["source"], name), Reference(repository, name)
        settled = frozenset(each.digest for each in outcomes if each.result != Result.KEPT)
        how = replace(options(policy, spec), settled=settled)
        outcome = transfer.copy(sides.source, sides.target, origin, goal, watch=watch, options=how)
        running.log(f"{goal.identifier}: {told(outcome)}")
        outcomes.append(outcome)
    show_end(running, outcomes)
    return "; ".join(dict.fromkeys(told(outcome) for outcome in outcomes))


def options(policy: Policy, spec: Mapping[str, Any]) -> Options:
    """How the rule wants it copied."""
    followers = spec.get("followers")
    kind = KINDS.get(policy.endpoint.type)
    in_one_piece = policy.is_push and kind is not None and kind.info.one_piece
    return Options(
        override=policy.override,
        thorough=bool(spec.get("thorough")),
        known_tags=None if followers is None else frozenset(followers),
        by_chunk=policy.copy_by_chunk or policy.endpoint.type == "harbor" or not policy.is_push,
        chunk=sys.maxsize if in_one_piece else Options.chunk,
        ready_chunks=not policy.is_push,  # our own registry is asked directly, and 2.8 ends an upload that is cut
        spool=Path(settings.REPLICATION_SPOOL),
        spool_owner=f"project {policy.project_id or 0}, endpoint {policy.endpoint.pk}",
        spool_limit=settings.REPLICATION_SPOOL_LIMIT,
        bandwidth=policy.speed * KB,
    )


def told(outcome: Outcome) -> str:
    """What came of a copy, for people."""
    match outcome.result:
        case Result.THERE:
            return "there already, 0 bytes moved"
        case Result.KEPT:
            return "the target's tag means something else and the rule does not override"
    parts = [f"{outcome.blobs_copied} blobs copied ({outcome.bytes_copied} bytes)"]
    if outcome.blobs_mounted:
        parts.append(f"{outcome.blobs_mounted} mounted")
    if outcome.blobs_there:
        parts.append(f"{outcome.blobs_there} there already")
    return f"{outcome.manifests} manifests and {', '.join(parts)}"


def show_end(running: Running, outcomes: Sequence[Outcome]) -> None:
    """The row's last progress, written with its outcome: what was really moved."""
    copied = sum(outcome.bytes_copied for outcome in outcomes)
    blobs = sum(outcome.blobs_copied for outcome in outcomes)
    running.conclude(
        bytes=copied,
        size=copied,
        done=blobs,
        blobs=blobs,
        rate=0,
        sent=sum(outcome.bytes_sent for outcome in outcomes),
        read=sum(outcome.bytes_read for outcome in outcomes),
        skipped=sum(outcome.bytes_skipped for outcome in outcomes),
        mounted=sum(outcome.blobs_mounted for outcome in outcomes),
    )


def holders_at_target(sides: Sides, repository: str) -> Holders:
    """Where the target may hold blobs besides: what we know of ourselves, under the names that it has there. For a
    project's rule only what is its own: the names of others are not its target's business."""
    if not sides.policy.is_push:
        return lambda digests: local.holders(repository, digests, MOST_HOLDERS)
    rows = Blob.objects.filter(repository__project=sides.policy.project_id) if sides.policy.project_id else Blob.objects

    def found(digests: Sequence[str]) -> dict[str, list[str]]:
        held = local.repositories_of(rows.all(), digests, MOST_HOLDERS * 2)
        return {digest: _named_there(sides, repository, names) for digest, names in held.items()}

    return found


def _named_there(sides: Sides, repository: str, names: Sequence[str]) -> list[str]:
    """What these repositories of ours are called at the target, other than `repository` itself."""
    found = []
    for name in names:
        try:
            found.append(sides.name_at_target(name))
        except NameUnfit:
            continue
    return [name for name in dict.fromkeys(found) if name != repository][:MOST_HOLDERS]


def delete(sides: Sides, spec: Mapping[str, Any], running: Running) -> str:
    """Delete at the target what has been deleted here, unless it means something else there by now."""
    adapter, repository, digest = sides.target_adapter, str(spec["target"]), str(spec["digest"])
    if adapter is None:
        raise Impossible("a rule deletes nothing here")
    gone = 0
    for name in spec["tags"] or [digest]:
        running.check()
        there = sides.target.head_manifest(Reference(repository, name))
        if there is None or there.digest != digest:
            running.log(f"{repository}:{name} is not there any more" if there is None else f"{name} was moved there")
            continue
        if spec.get("whole"):
            gone += adapter.delete(repository, "" if name == digest else name, digest)
        else:
            gone += transfer.delete(sides.target, Reference(repository, name))
        running.log(f"{repository}:{name} deleted")
    return f"{gone} deleted" if gone else "nothing to delete: it is not there, or is something else by now"
