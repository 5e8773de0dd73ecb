"""What projects really use, counted anew: what `Quota.used` should say."""

from __future__ import annotations

from artifacts.models import Artifact, ArtifactBlob


def used(project_id: int) -> int:
    """Bytes of the distinct blobs and manifests that the project's artifacts reference."""
    manifests = Artifact.objects.filter(project=project_id).values_list("stored_digest", "manifest_size")
    blobs = ArtifactBlob.objects.filter(artifact__project=project_id)
    parts = dict(blobs.values_list("blob__stored_digest", "blob__size")) | dict(manifests)
    return sum(parts.values())
