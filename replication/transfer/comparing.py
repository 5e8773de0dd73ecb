"""What the target lacks, or has otherwise: looked at digest by digest, nothing moved."""

from __future__ import annotations

from registry.client import Registry
from registry.references import Reference
from replication.transfer.terms import Difference, Missing, Options, Watch


def missing(
    source: Registry, target: Registry, origin: Reference, goal: Reference, *, watch: Watch, options: Options
) -> Missing:
    """What `copy` would have to move, and how many bytes that is. Reads manifests alone; writes nothing."""
    raise NotImplementedError


def compare(
    source: Registry, target: Registry, origin: Reference, goal: Reference, *, watch: Watch, options: Options
) -> list[Difference]:
    """In what `goal` at the target differs from `origin`: every manifest, blob and referrer by digest; [] if in
    nothing. What the target has beyond that is no difference."""
    raise NotImplementedError
