"""Removing rows of artifacts. Called by `actions` alone, inside its transaction and under its locks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from accounts.errors import NotFound, PreconditionFailed
from artifacts.models import Accessory, Artifact, ArtifactBlob, ArtifactLabel, Blob, Reference, Repository, Tag
from artifacts.standing import settle

BATCH = 500
"""Artifacts that are told of at a time."""


class InUse(PreconditionFailed):
    """An index names it."""

    code = "VIOLATE_FOREIGN_KEY_CONSTRAINT"


def remove(repository: Repository, artifact_id: int) -> int:
    """Remove the artifact with what depends on it alone; the bytes that its project no longer pays for.

    Raises InUse for a child of an index, NotFound for one that somebody else removed.
    """
    if not Artifact.objects.filter(pk=artifact_id).exists():
        raise NotFound("the artifact has been deleted")
    if Reference.objects.filter(child=artifact_id).exists():
        raise InUse("the artifact is part of an index: delete the index first")
    return _remove(repository.project_id, _dependent(artifact_id))


def remove_all(repository: Repository) -> int:
    """Remove the repository with all it holds; the bytes that its project no longer pays for."""
    everything = set(repository.artifacts.values_list("pk", flat=True))
    released = _remove(repository.project_id, everything)
    Repository.objects.filter(pk=repository.pk).delete()
    return released


def contents(repository: Repository) -> Iterator[list[dict[str, Any]]]:
    """What a list of the repository shows, in batches: of each artifact digest, kind, and the names of tags and
    labels."""
    tags_of: defaultdict[int, list[str]] = defaultdict(list)
    labels_of: defaultdict[int, list[str]] = defaultdict(list)
    for artifact, tag in Tag.objects.filter(repository=repository).order_by("name").values_list("artifact", "name"):
        tags_of[artifact].append(tag)
    labelled = ArtifactLabel.objects.filter(artifact__repository=repository).order_by("label__name")
    for artifact, label in labelled.values_list("artifact", "label__name"):
        labels_of[artifact].append(label)
    batch = []
    for pk, digest, kind in repository.artifacts.listed().order_by("pk").values_list("pk", "digest", "type"):
        batch.append({"digest": digest, "kind": kind, "tags": tags_of[pk], "labels": labels_of[pk]})
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _dependent(artifact_id: int) -> set[int]:
    """The artifact, its accessories, and the children of its index that no tag and no other index holds; and theirs."""
    doomed, fresh = {artifact_id}, {artifact_id}
    while fresh:
        accessories = Accessory.objects.filter(subject__in=fresh).values_list("artifact", flat=True)
        children = Reference.objects.filter(parent__in=fresh).values_list("child", flat=True)
        fresh = ({*accessories, *children} - doomed) - _kept(children, doomed | fresh)
        elsewhere = Reference.objects.filter(child__in=fresh).exclude(parent__in=doomed)
        fresh -= set(elsewhere.values_list("child", flat=True))
        doomed |= fresh
    return doomed


def _kept(children: Collection[int], doomed: set[int]) -> set[int]:
    """Those of `children` that a tag holds."""
    return set(Tag.objects.filter(artifact__in=list(children)).values_list("artifact", flat=True)) - doomed


def _remove(project_id: int, doomed: set[int]) -> int:
    paid = dict(Blob.objects.filter(uses__artifact__in=doomed).values_list("stored_digest", "size"))
    paid |= dict(Artifact.objects.filter(pk__in=doomed).values_list("stored_digest", "manifest_size"))
    left = set(Reference.objects.filter(parent__in=doomed).values_list("child", flat=True)) - doomed
    Reference.objects.filter(parent__in=doomed).delete()
    settle(left)
    Artifact.objects.filter(pk__in=doomed).delete()
    uses = ArtifactBlob.objects.filter(artifact__project=project_id, blob__stored_digest__in=paid)
    still = set(uses.values_list("blob__stored_digest", flat=True))
    manifests = Artifact.objects.filter(project=project_id, stored_digest__in=paid)
    still |= set(manifests.values_list("stored_digest", flat=True))
    return sum(size for digest, size in paid.items() if digest not in still)
