"""Copying an artifact into another repository of this registry. No byte of a layer moves: the registry is told that the
other repository holds it too. All that is done here can be done again; rows are `actions.record_copy`'s to make.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from accounts.errors import BadRequest
from artifacts import adding
from artifacts.contents import Push, look, patiently, store
from artifacts.description import Description
from artifacts.kinship import kinship
from artifacts.models import Accessory, Artifact, ArtifactBlob
from artifacts.models import Reference as Entry
from artifacts.survey import SeenBlob, Survey
from projects.actions import require_room
from registry.client import Registry
from registry.errors import ManifestBlobUnknown
from registry.manifests import Manifest, parse
from registry.references import Reference

MOST_MANIFESTS = 1000
MOST_BYTES = 32 * 1024 * 1024
"""Of all manifests together. Who copies more than that at once copies with a client, which takes its time."""
PARALLEL = 4
"""Blobs handed over at once, in the whole process."""
_pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="mount-blob")


@dataclass(frozen=True)
class Copy:
    """One manifest on its way into the other repository, and the tags that shall point to it there."""

    push: Push
    tags: tuple[str, ...] = ()


def prepare(
    registry: Registry, source: Artifact, project_id: int, repository: str, tags: tuple[str, ...]
) -> list[Copy]:
    """`source`, as it will be in `repository` of the project, with its children and what belongs to any of them: all of
    it readable there already, so far as the registry is concerned. `tags` will be those of `source` itself.

    Raises Denied where the project has no room for it, before the registry is asked for anything.
    """
    copies = [_copy(artifact, repository, tags if artifact == source else ()) for artifact in _family(source)]
    surveys = [look(project_id, copy.push) for copy in copies]
    if price := _price((copy.push for copy in copies), surveys):
        require_room(project_id, price)
    return [
        copy if copy.push.digest in seen.artifacts else _hand_over(registry, source.repository.name, copy, seen)
        for copy, seen in zip(copies, surveys, strict=True)
    ]


def _family(source: Artifact) -> list[Artifact]:
    """The artifact, its children and accessories, and theirs. Ids rise, so a child comes before its index."""
    found, fresh = {source.pk}, {source.pk}
    while fresh:
        children = Entry.objects.filter(parent__in=fresh).values_list("child", flat=True)
        accessories = Accessory.objects.filter(subject__in=fresh).values_list("artifact", flat=True)
        fresh = {*children, *accessories} - found
        found |= fresh
        if len(found) > MOST_MANIFESTS:
            raise BadRequest(f"more than {MOST_MANIFESTS} manifests belong to the artifact: copy it with a client")
    family = Artifact.objects.filter(pk__in=found).order_by("pk")
    if sum(family.values_list("manifest_size", flat=True)) > MOST_BYTES:
        raise BadRequest("the artifact's manifests are too large together: copy it with a client")
    return list(family.select_related("manifest").prefetch_related("tags", "accessory"))


def _copy(artifact: Artifact, repository: str, tags: tuple[str, ...]) -> Copy:
    manifest = parse(bytes(artifact.manifest.content), artifact.media_type)
    if hasattr(artifact, "accessory"):
        tags = _cosign_tags(artifact, manifest)
    uses = ArtifactBlob.objects.filter(artifact=artifact).order_by("pk")
    blobs = uses.values_list("blob__digest", "blob__stored_digest", "blob__size")
    push = Push(
        Reference(repository, tags[0] if tags else artifact.digest),
        artifact.digest,
        manifest,
        tuple(SeenBlob(*blob) for blob in blobs),
        description=Description(type=artifact.type, extra_attrs=artifact.extra_attrs),
    )
    return Copy(push, tags)


def _cosign_tags(artifact: Artifact, manifest: Manifest) -> tuple[str, ...]:
    """The tag that says what a signature belongs to, where the manifest itself does not."""
    if manifest.subject:
        return ()
    return tuple(sorted(tag.name for tag in artifact.tags.all() if kinship(manifest, tag.name)))[:1]


def _price(pushes: Iterable[Push], surveys: Iterable[Survey]) -> int:
    """What all of `pushes` together add to the project, each blob once."""
    parts: dict[str, int] = {}
    for push, seen in zip(pushes, surveys, strict=True):
        parts |= adding.parts_to_pay(push, seen)
    return sum(parts.values())


def _hand_over(registry: Registry, origin: str, copy: Copy, seen: Survey) -> Copy:
    """`copy`, once the registry serves the manifest and its blobs from the other repository, too."""
    target = copy.push.reference.repository
    missing = [blob.stored_digest for blob in copy.push.blobs if blob.digest not in seen.blobs]

    def mount(digest: str) -> bool:
        return patiently(lambda: registry.mount_blob(origin, target, digest))

    for digest, mounted in zip(missing, _pool.map(mount, missing), strict=True):
        if not mounted:
            raise ManifestBlobUnknown(f"the registry does not hold {digest} in {origin}", {"digest": digest})
    return replace(copy, push=replace(copy.push, kept=store(registry, target, copy.push.manifest)))
