"""Haven itself as one side of a copy: manifests by the database and through the door that every push takes, blobs
straight from and to the registry behind us."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.actors import Actor, Kind
from accounts.errors import Conflict, DomainError
from artifacts import aliases
from artifacts.actions import record_push, require_writable
from artifacts.contents import Push, complete
from artifacts.models import Artifact, Blob, Manifest, Repository, Tag
from jobs import pools
from projects.actions import create_project, require_room
from projects.models import Project
from registry import manifests
from registry.auth import OwnTokens
from registry.client import BlobStream, Registry, StoredBlob
from registry.errors import Damaged, Denied, ManifestBlobUnknown, ManifestUnknown, NameUnknown, Unavailable
from registry.http import session_to
from registry.manifests import Descriptor
from registry.references import Reference, algorithm_of, digest_of
from tokens.upstream import own_token, registry

ACTOR = Actor(Kind.SYSTEM, "replication", is_admin=True)
"""Who stores what a rule pulls; the rule itself was authorized when it was saved and when its run was planned."""
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 60.0
MOST_KEPT = 32
"""Clients that wait for their next user; a worker has as many as it does jobs at once."""

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def by_database(
    method: Callable[Concatenate[LocalRegistry, Arguments], Answer],
) -> Callable[Concatenate[LocalRegistry, Arguments], Answer]:
    """For methods that ask the database: the engine's threads, which come and go, share one connection for that."""

    @wraps(method)
    def asked(self: LocalRegistry, *args: Arguments.args, **options: Arguments.kwargs) -> Answer:
        if threading.get_ident() == self.home:
            return method(self, *args, **options)
        with self.lock:
            connections[DEFAULT_DB_ALIAS] = self.connection
            try:
                return method(self, *args, **options)
            finally:
                del connections[DEFAULT_DB_ALIAS]

    return cast("Callable[Concatenate[LocalRegistry, Arguments], Answer]", asked)


class LocalRegistry(Registry):
    """Ours. Has a session of its own, so that whoever stops a copy cuts nobody else's connections. `close` it."""

    def __init__(self) -> None:
        session = session_to(settings.REGISTRY_URL, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT))
        super().__init__(settings.REGISTRY_URL, session, OwnTokens(own_token))
        self.home = threading.get_ident()
        self.lock = threading.RLock()
        self.connection = connections.create_connection(DEFAULT_DB_ALIAS)
        self.connection.inc_thread_sharing()

    def lend(self) -> None:
        """To this thread, from now on."""
        self.home = threading.get_ident()
        self.connection.close_if_unusable_or_obsolete()

    def close(self) -> None:
        """End the connections."""
        self.session.close()
        self.connection.close()

    @by_database
    def get_manifest(self, reference: Reference) -> manifests.Manifest:
        artifact = self._find(reference)
        if artifact is None:
            raise ManifestUnknown(f"{reference.repository}:{reference.identifier} is not here")
        row = Manifest.objects.filter(pk=artifact.pk).first()
        content = bytes(row.content) if row else b""
        if digest_of(content, algorithm_of(artifact.digest)) != artifact.digest:
            raise Damaged("the manifest is damaged here", {"digest": artifact.digest})
        return manifests.parse(content, artifact.media_type)

    @by_database
    def head_manifest(self, reference: Reference) -> Descriptor | None:
        artifact = self._find(reference)
        return Descriptor(artifact.media_type, artifact.digest, artifact.manifest_size) if artifact else None

    @by_database
    def put_manifest(self, reference: Reference, manifest: manifests.Manifest) -> bool:
        """As a push would: with quota, rules and events. Raises Denied with the rule's own words."""
        project = Project.objects.filter(name=reference.project).first()
        if project is None:
            raise NameUnknown(f"the project {reference.project} is gone")
        digest = reference.identifier if reference.is_digest else manifest.digest
        try:
            require_writable()
            push = complete(registry(), project.pk, Push(reference, digest, manifest))
            record_push(ACTOR, project, push)
        except ManifestBlobUnknown as error:
            # Collected between our look and our push: the next attempt uploads it.
            raise Unavailable(error.message) from error
        except DomainError as error:
            raise Denied(error.message) from error
        return True

    def delete_manifest(self, reference: Reference) -> bool:
        raise Denied("a rule deletes nothing here")

    def head_blob(self, repository: str, digest: str) -> StoredBlob | None:
        stored = super().head_blob(repository, digest)
        if stored is not None or algorithm_of(digest) == "sha256":
            return stored
        known = self._alias(digest)
        return super().head_blob(repository, known) if known else None

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> BlobStream:
        return super().open_blob(repository, self._stored(repository, digest), offset)

    def start_upload(self, repository: str) -> str:
        self._require_room(repository)
        return super().start_upload(repository)

    def mount_or_start(self, source: str, target: str, digest: str) -> str:
        self._require_room(target)
        return super().mount_or_start(source, target, self._stored(source, digest))

    @by_database
    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
        columns = ("media_type", "digest", "manifest_size", "artifact_type")
        found = Artifact.objects.filter(repository__name=repository, subject_digest=digest).order_by("pk")
        return tuple(Descriptor(*row) for row in found.values_list(*columns))

    @by_database
    def tags(self, repository: str) -> Iterator[str]:
        names = Tag.objects.filter(repository__name=repository).order_by("name").values_list("name", flat=True)
        return iter(list(names))

    @by_database
    def catalog(self) -> Iterator[str]:
        return iter(list(Repository.objects.order_by("name").values_list("name", flat=True)))

    def _find(self, reference: Reference) -> Artifact | None:
        artifacts = Artifact.objects.defer("extra_attrs", "annotations").filter(repository__name=reference.repository)
        if reference.is_digest:
            return artifacts.filter(digest=reference.identifier).first()
        return artifacts.filter(tags__name=reference.identifier).first()

    @by_database
    def _alias(self, digest: str) -> str | None:
        return aliases.known([digest]).get(digest)

    def _stored(self, repository: str, digest: str) -> str:
        """The digest that the registry knows the blob by."""
        return digest if algorithm_of(digest) == "sha256" else self._held(repository, digest)

    @by_database
    def _held(self, repository: str, digest: str) -> str:
        held = Blob.objects.filter(repository__name=repository, digest=digest).values_list("stored_digest", flat=True)
        return held.first() or digest

    @by_database
    def _require_room(self, repository: str) -> None:
        project = Project.objects.filter(name=repository.partition("/")[0]).values_list("pk", flat=True).first()
        if project is None:
            raise NameUnknown(f"there is no project {repository.partition('/')[0]} here")
        try:
            require_room(project, 0)
        except DomainError as error:
            raise Denied(error.message) from error


@contextmanager
def opened() -> Iterator[LocalRegistry]:
    """Ours, for one user at a time: in a worker with the connections that an earlier one left. Who fails leaves none,
    as stopping a copy cuts them."""
    with _lock:
        ours = _free.pop() if _free and pools.own() else LocalRegistry()
    ours.lend()
    try:
        yield ours
    except BaseException:
        ours.close()
        raise
    with _lock:
        if kept := pools.own() is not None and len(_free) < MOST_KEPT:
            _free.append(ours)
    if not kept:
        ours.close()


_lock = threading.Lock()
_free: list[LocalRegistry] = []


def prepare(repository: str) -> None:
    """See to it that the project of `repository` is here; a private one is made if not, as Harbor does."""
    name, separator, _ = repository.partition("/")
    if not separator:
        raise Denied(f"a repository here has a project and a name: {repository}")
    if Project.objects.filter(name=name).exists():
        return
    try:
        create_project(ACTOR, name=name)
    except Conflict:
        return
    except DomainError as error:
        raise Denied(f"the project {name} could not be made: {error.message}") from error


def holders(repository: str, digests: Sequence[str], most: int = 3) -> dict[str, list[str]]:
    """Of each blob, other repositories of the same project that hold it. Of others it is not taken: that the source
    names a digest does not prove that it has the bytes."""
    project = repository.partition("/")[0]
    held = Blob.objects.filter(repository__project__name=project).exclude(repository__name=repository)
    return repositories_of(held, digests, most)


def repositories_of(blobs: QuerySet[Blob], digests: Sequence[str], most: int) -> dict[str, list[str]]:
    """Of each digest that `blobs` have, the names of the repositories that hold it, the newest `most`. One query."""
    nth = Window(RowNumber(), partition_by=[F("stored_digest")], order_by=[F("pk").desc()])
    held = blobs.filter(stored_digest__in=digests).annotate(nth=nth).filter(nth__lte=most).order_by("-pk")
    found: dict[str, list[str]] = {}
    for digest, name in held.values_list("stored_digest", "repository__name"):
        found.setdefault(digest, []).append(name)
    return found
