"""What a rule is about, artifact by artifact: read from our own tables, or listed by the endpoint."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from artifacts.kinship import ATTESTATION_BUILDKIT
from artifacts.models import Accessory, Artifact, Reference, Repository, Tag
from projects.models import Project
from replication.adapters import Adapter, Found
from replication.adapters.base import literal_prefix
from replication.filters import Filters

PARALLEL = 8
"""Repositories listed at a time."""
BATCH = 50
"""Repositories whose artifacts are read from the database at a time."""
FOLLOWER = re.compile(r"sha256-[a-f0-9]{64}(?:\.[a-z]+)?", re.ASCII)
"""Tags of signatures and the like, which travel with what they belong to and never alone."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An artifact that a rule matches."""

    found: Found
    kin: tuple[tuple[str, str], ...] | None = None
    """Of everything that refers to it and travels along, what it is called (a tag, or the digest) and its digest.
    None where only the source could tell."""
    followers: tuple[str, ...] | None = None
    """Where the source's tags were listed, those by which something may refer to it, and perhaps others."""
    public: bool = False
    """Whether its project is."""

    def only(self, tags: Iterable[str]) -> Candidate:
        """The same with no other than these tags."""
        wanted = set(tags)
        return replace(self, found=replace(self.found, tags=tuple(tag for tag in self.found.tags if tag in wanted)))


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def of_endpoint(adapter: Adapter, filters: Filters, check: Callable[[], None]) -> Iterator[Candidate]:
    """What the endpoint lists and the filters let pass; `check` is called now and then and may end it."""
    names = (name for name in adapter.repositories(filters.name) if filters.takes_repository(name))
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="list") as pool:
        for batch in batched(names, PARALLEL * 8):
            check()
            for found in pool.map(lambda name: list(adapter.artifacts(name)), batch):
                yield from _with_followers(found, filters)


def _with_followers(found: list[Found], filters: Filters) -> Iterator[Candidate]:
    """Of what one repository lists, what passes; what only follows something else is told with it."""
    following = tuple(tag for one in found for tag in one.tags if FOLLOWER.fullmatch(tag))
    for one in filters.apply(found):
        tags = tuple(tag for tag in one.tags if tag not in following)
        if tags or not one.tags:
            yield Candidate(replace(one, tags=tags), followers=None if one.digest else following)


def of_haven(filters: Filters, project: Project | None, check: Callable[[], None]) -> Iterator[Candidate]:
    """What is here and the filters let pass, of `project` alone if one is given."""
    rows = Repository.objects.filter(name__startswith=literal_prefix(filters.name)).order_by("name")
    if project is not None:
        rows = rows.filter(project=project)
    names = rows.values_list("pk", "name", "project__public").iterator(chunk_size=2000)
    taken = (row for row in names if filters.takes_repository(row[1]))
    for batch in batched(taken, BATCH):
        check()
        yield from _read(batch, filters)


def of_artifact(artifact: Artifact, filters: Filters) -> Candidate | None:
    """One artifact of ours, if the filters let it pass."""
    repository = artifact.repository
    if not filters.takes_repository(repository.name):
        return None
    candidates = _read([(repository.pk, repository.name, repository.project.public)], filters, artifact.pk)
    return next(candidates, None)


def _read(
    repositories: list[tuple[int, str, bool]], filters: Filters, artifact_id: int | None = None
) -> Iterator[Candidate]:
    keys = [pk for pk, _, _ in repositories]
    named = {pk: (name, public) for pk, name, public in repositories}
    artifacts = Artifact.objects.listed().filter(repository__in=keys)
    tags = Tag.objects.filter(repository__in=keys)
    if artifact_id:
        artifacts, tags = artifacts.filter(pk=artifact_id), tags.filter(artifact=artifact_id)
    tags_of: defaultdict[int, list[str]] = defaultdict(list)
    for key, tag in tags.order_by("name").values_list("artifact", "name"):
        tags_of[key].append(tag)
    labels_of = _labels(artifacts) if filters.labels else {}
    kin = Kin(keys)
    for pk, repository, digest, kind in artifacts.order_by("pk").values_list("pk", "repository", "digest", "type"):
        name, public = named[repository]
        labels = frozenset(labels_of.get(pk, ()))
        for one in filters.apply([Found(name, tuple(tags_of[pk]), digest, labels, kind)]):
            referring = kin.of(repository, digest)
            followers = tuple(tag for tag, _ in referring if FOLLOWER.fullmatch(tag))
            yield Candidate(one, referring, followers, public)


def _labels(artifacts: Iterable[Artifact]) -> dict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for pk, name in artifacts.filter(labels__isnull=False).values_list("pk", "labels__name"):  # type: ignore[attr-defined]
        found[pk].add(name)
    return found


class Kin:
    """What refers to what in some repositories of ours."""

    def __init__(self, repositories: list[int]) -> None:
        self._referring: defaultdict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
        self._children: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        accessories = Accessory.objects.filter(repository__in=repositories).exclude(type=ATTESTATION_BUILDKIT)
        columns = ("repository", "subject_digest", "artifact__digest", "artifact__tags__name")
        for repository, subject, digest, tag in accessories.order_by("pk").values_list(*columns):
            self._referring[repository, subject].append((tag or digest, digest))
        if self._referring:
            entries = Reference.objects.filter(parent__repository__in=repositories)
            for repository, parent, child in entries.values_list(
                "parent__repository", "parent__digest", "child__digest"
            ):
                self._children[repository, parent].append(child)

    def of(self, repository: int, digest: str) -> tuple[tuple[str, str], ...]:
        """Everything that refers to the artifact, to what it is made of, or to what refers to these."""
        found: dict[str, str] = {}
        waiting, seen = [digest], {digest}
        while waiting:
            current = waiting.pop()
            referring = self._referring.get((repository, current), [])
            found |= dict(referring)
            below = [*self._children.get((repository, current), ()), *(other for _, other in referring)]
            waiting += [other for other in below if other not in seen]
            seen.update(below)
        return tuple(found.items())
