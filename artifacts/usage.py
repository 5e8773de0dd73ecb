"""What a project's storage is used for."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Exists, OuterRef, Sum

from artifacts.models import ArtifactBlob, Blob


class Stored(NamedTuple):
    """Bytes of the distinct blobs that a repository's artifacts use. Two repositories may share some."""

    repository: str
    size: int


def largest_repositories(project_id: int, limit: int) -> list[Stored]:
    """The repositories of the project that use most, the largest first. It adds up the project's blobs: keep it."""
    used = Exists(ArtifactBlob.objects.filter(blob=OuterRef("pk")))
    blobs = Blob.objects.filter(used, repository__project=project_id).values("repository__name")
    rows = blobs.annotate(size=Sum("size")).order_by("-size", "repository__name")
    return [Stored(row["repository__name"], row["size"]) for row in rows[:limit]]
