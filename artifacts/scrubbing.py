"""Reading every blob that the registry holds, and hashing it. What is damaged is moved away where that is possible,
so that the next push writes it anew; a manifest is written anew at once, from the database."""

from __future__ import annotations

from collections.abc import Iterator

from artifacts.contents import read_back, store
from artifacts.damage import is_damaged
from artifacts.models import Artifact, ArtifactBlob
from registry.client import Registry
from registry.errors import RegistryError
from registry.manifests import parse
from registry.storage import FilesystemStorage, Storage, StorageError


def scrub(registry: Registry, storage: Storage) -> Iterator[tuple[str, str]]:
    """What was read: a digest, and a sentence about what is wrong with it; empty where nothing is."""
    seen: set[str] = set()
    for artifact in Artifact.objects.select_related("repository").order_by("pk").iterator(chunk_size=100):
        seen.add(artifact.stored_digest)
        yield artifact.stored_digest, _scrub_manifest(registry, storage, artifact)
    columns = ("blob__stored_digest", "blob__repository__name")
    for digest, repository in ArtifactBlob.objects.values_list(*columns).distinct().order_by(*columns).iterator():
        if digest not in seen:
            seen.add(digest)
            yield digest, _scrub_blob(registry, storage, repository, digest)
    if isinstance(storage, FilesystemStorage):
        # What no artifact references can be found in the storage alone.
        for digest in storage.blobs():
            if digest not in seen:
                yield digest, _put_away(storage, digest, "damaged") if is_damaged(storage, digest) else ""


def _scrub_manifest(registry: Registry, storage: Storage, artifact: Artifact) -> str:
    repository = artifact.repository.name
    try:
        read_back(registry, repository, artifact.stored_digest, artifact.kept)
    except RegistryError as error:
        wrong = f"manifest of {repository}: {error}"
        wrong = _put_away(storage, artifact.stored_digest, wrong)
        try:
            store(registry, repository, parse(bytes(artifact.manifest.content), artifact.media_type))
        except RegistryError as again:
            return f"{wrong}; it cannot be written anew: {again}"
        return f"{wrong}; written anew from the database"
    return ""


def _scrub_blob(registry: Registry, storage: Storage, repository: str, digest: str) -> str:
    try:
        with registry.get_blob(repository, digest) as stream:
            for _ in stream:
                pass
    except RegistryError as error:
        return _put_away(storage, digest, f"blob of {repository}: {error}")
    return ""


def _put_away(storage: Storage, digest: str, wrong: str) -> str:
    """Move the damaged blob out of the registry's sight, or say what a person has to do; adds to `wrong`."""
    if isinstance(storage, FilesystemStorage) and not is_damaged(storage, digest):
        return wrong
    try:
        return f"{wrong}; moved to {storage.quarantine(digest)}, the next push heals it"
    except FileNotFoundError:
        return f"{wrong}; it is gone already, the next push heals it"
    except StorageError as error:
        return f"{wrong}; {error}"
