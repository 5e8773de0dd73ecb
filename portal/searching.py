"""The search over everything a reader may see: projects and repositories by name, artifacts by tag and by digest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Collate

from accounts.actors import Actor
from artifacts.models import Artifact, Repository, RepositoryQuerySet, Tag
from artifacts.totals import with_counts
from portal.artifacts import artifact_url, kind_of
from portal.context import registry_host
from portal.words import SHORT_DIGEST
from projects.models import Project

_DIGEST = re.compile(r"(?:.*@)?(?:sha256:)?(?P<hash>[0-9a-f]{7,64})", re.ASCII)
_TAGGED = re.compile(r"(?P<repository>[^:]+):(?P<tag>[\w.-]+)", re.ASCII)
AFTER_ASCII = "\x7f"
"""Sorts behind every letter that a tag may have, where letters are compared as bytes."""
AFTER_HEX = "g"
"""Sorts behind every hexadecimal digit: a prefix is a range of an index, on every database and in every collation."""


@dataclass(frozen=True)
class Hit:
    """An artifact that was found, by a tag or by its digest."""

    repository: Repository
    artifact: Artifact
    tag: str
    kind: Any
    url: str

    @property
    def name(self) -> str:
        """`payments/api:2.11.0`, or the beginning of the digest where it was found by that."""
        digest = self.artifact.digest[: len("sha256:") + SHORT_DIGEST]
        return f"{self.repository.name}:{self.tag}" if self.tag else f"{self.repository.name}@{digest}"


@dataclass(frozen=True)
class Found:
    """What a search found, `limit` of a kind at most."""

    projects: list[Project] = field(default_factory=list)
    repositories: list[Repository] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    limit: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.projects or self.repositories or self.hits)

    @property
    def is_cut(self) -> bool:
        """Whether there may be more."""
        return self.limit in (len(self.projects), len(self.repositories), len(self.hits))


def search(actor: Actor, asked: str, limit: int) -> Found:
    """What `actor` may see of what `asked` means: a part of a name, `repository:tag`, a digest or its beginning."""
    query = asked.removeprefix(f"{registry_host()}/").strip()
    if not query:
        return Found()
    seen = Repository.objects.visible_to(actor)
    if hash_ := _DIGEST.fullmatch(query):
        hits = by_digest(seen, hash_["hash"], limit)
        if hits or "sha256:" in query:
            return Found(hits=hits, limit=limit)
    if tagged := _TAGGED.fullmatch(query):
        return Found(hits=by_tag(seen.search(tagged["repository"]), tagged["tag"], limit), limit=limit)
    projects = Project.objects.visible_to(actor).search(query).with_counts().order_by("name")
    repositories = with_counts(list(seen.search(query).order_by("name")[:limit]))
    hits = by_tag(seen, query, limit) if re.fullmatch(r"[\w.-]{2,128}", query, re.ASCII) else []
    return Found(list(projects[:limit]), repositories, hits, limit)


def by_digest(seen: RepositoryQuerySet, hash_: str, limit: int) -> list[Hit]:
    """Artifacts whose digest begins so, in the repositories `seen`."""
    start = f"sha256:{hash_}"
    rows = Artifact.objects.filter(stored_digest__gte=start, stored_digest__lt=f"{start}{AFTER_HEX}")
    rows = rows.filter(repository__in=seen).select_related("repository").order_by("stored_digest", "pk")
    return [_hit(row, "") for row in rows[:limit]]


def by_tag(seen: RepositoryQuerySet, start: str, limit: int) -> list[Hit]:
    """Artifacts with a tag that begins with `start`, in the repositories `seen`."""
    octets = Collate("name", "C") if connection.vendor == "postgresql" else F("name")
    tags = Tag.objects.alias(octets=octets).filter(octets__gte=start, octets__lt=f"{start}{AFTER_ASCII}")
    rows = tags.filter(repository__in=seen).select_related("artifact", "artifact__repository")
    rows = rows.order_by("octets", "pk")
    return [_hit(tag.artifact, tag.name) for tag in rows[:limit]]


def _hit(artifact: Artifact, tag: str) -> Hit:
    repository = artifact.repository
    return Hit(repository, artifact, tag, kind_of(artifact), artifact_url(repository, artifact.digest))
