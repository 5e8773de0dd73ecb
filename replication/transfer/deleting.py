"""Deleting at the target."""

from __future__ import annotations

from registry.client import Registry
from registry.references import Reference


def delete(target: Registry, goal: Reference) -> bool:
    """Delete one tag of the target (or a manifest, where `goal` names a digest); False where it was gone already.

    Never more than that tag: raises Unsupported where the registry could only delete the digest with all its tags.
    """
    raise NotImplementedError
