"""Deleting at the target."""

from __future__ import annotations

from registry.client import Registry
from registry.errors import ManifestInvalid, RegistryError, Unsupported
from registry.references import Reference
from replication.transfer.sentences import TARGET, explain


def delete(target: Registry, goal: Reference) -> bool:
    """Delete one tag of the target (or a manifest, where `goal` names a digest); False where it was gone already.

    Never more than that tag: raises Unsupported where the registry could only delete the digest with all its tags.
    """
    try:
        return target.delete_manifest(goal)
    except RegistryError as error:
        # 2.8 takes the tag for a digest that it cannot read.
        if goal.is_digest or not (isinstance(error, Unsupported | ManifestInvalid) or error.status in (400, 405)):
            raise explain(error, TARGET, f"deleting {goal}") from error
        raise Unsupported(
            f"{TARGET}, deleting {goal}: this registry cannot delete a single tag, only an image with all of its "
            "tags, which was not done; delete it there by hand"
        ) from error
