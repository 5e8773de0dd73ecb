"""Copying an image: digests first, then what is missing below it, its manifest last."""

from __future__ import annotations

from registry.client import Registry
from registry.references import Reference
from replication.transfer.terms import Options, Outcome, Watch


def copy(
    source: Registry, target: Registry, origin: Reference, goal: Reference, *, watch: Watch, options: Options
) -> Outcome:
    """Copy the image `origin` of `source`, with all that belongs to it, to `goal` of `target`.

    `goal.identifier` is a tag, or the image's own digest. The two registries need sessions that no other copy uses:
    stopping this one cuts their connections. Not safe to call from two threads with the same Watch.
    """
    raise NotImplementedError
