"""What an artifact's answers show, read with one query for each kind of thing, however many artifacts there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.db.models import F, QuerySet
from rest_framework.request import Request

from api import labels, parameters
from api.icons import icon_of
from api.labels import Label
from api.overviews import NativeReportSummary, SBOMOverview
from api.shapes import Flag, ListOf, Map, Moment, Number, Shape, Text, TextMap, moment
from artifacts import models
from artifacts.kinship import SIGNATURE_COSIGN, SIGNATURE_NOTATION
from artifacts.models import LISTED_ENTRIES
from registry.manifests import INDEX_TYPES


class Platform(Shape):
    """Harbor's schema puts quotes round two of the names, and so do its answers."""

    architecture = Text()
    os = Text()
    variant = Text()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "'os.version'": Text(), "'os.features'": ListOf(Text())}


class Reference(Shape):
    parent_id = Number()
    child_id = Number()
    child_digest = Text()
    platform = Platform()
    annotations = TextMap()
    urls = ListOf(Text())


class Tag(Shape):
    id = Number()
    repository_id = Number()
    artifact_id = Number()
    name = Text()
    push_time = Moment()
    pull_time = Moment()
    immutable = Flag(always=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        if type(instance) is not dict:
            return super().to_representation(instance)
        # A page of artifacts holds a thousand of these: each takes half the time if nothing is looked up or copied.
        instance["push_time"] = moment(instance["push_time"])
        instance["pull_time"] = moment(instance["pull_time"])
        instance["immutable"] = False
        return instance


class Icon(Text):
    """The picture of a type, by its digest."""

    def to_representation(self, value: str) -> str:
        return icon_of(value)


class Accessory(Shape):
    id = Number()
    artifact_id = Number(always=True)
    subject_artifact_id = Number(source="subject_id")
    subject_artifact_digest = Text(source="subject_digest", always=True)
    subject_artifact_repo = Text(always=True)
    size = Number(always=True)
    digest = Text(always=True)
    type = Text(always=True)
    icon = Icon(source="type", always=True)
    creation_time = Moment()


class AdditionLink(Shape):
    href = Text()
    absolute = Flag(always=True)


class Artifact(Shape):
    id = Number()
    type = Text()
    media_type = Text()
    manifest_media_type = Text()
    artifact_type = Text()
    project_id = Number()
    repository_id = Number()
    repository_name = Text()
    digest = Text()
    size = Number()
    icon = Text()
    push_time = Moment()
    pull_time = Moment()
    extra_attrs = Map()
    annotations = TextMap()
    references = ListOf(Reference())
    tags = ListOf(Tag())
    addition_links = Map(AdditionLink())
    labels = ListOf(Label())
    scan_overview = Map(NativeReportSummary())
    sbom_overview = SBOMOverview()
    accessories = ListOf(Accessory())
    inherited_accessories = ListOf(Accessory(), omitted=True)


_OPTIONAL = ("label", "scan_overview", "sbom_overview", "immutable_status", "accessory", "inherited_accessory")
WITH = {"with_tag": Flag(default=True), **{f"with_{name}": Flag(default=False) for name in _OPTIONAL}}
"""The parameters that ask for more about each artifact."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants to see of each artifact, beside itself."""

    tags: bool
    accessories: bool
    inherited: bool
    labels: bool

    @classmethod
    def by(cls, request: Request) -> Wanted:
        return cls(
            tags=parameters.flag(request, "with_tag", True),
            accessories=parameters.flag(request, "with_accessory"),
            inherited=parameters.flag(request, "with_inherited_accessory"),
            labels=parameters.flag(request, "with_label"),
        )

    def show(
        self, rows: QuerySet[models.Artifact], keys: list[int], entries: int | None = LISTED_ENTRIES
    ) -> list[dict[str, Any]]:
        """Those of `rows` with these ids in Harbor's words, in their order; of an index the first `entries`, None: all.

        Of many rows plain values are read: to make a model's instance of each costs more than all the rest.
        """
        found = {row["id"]: row for row in rows.filter(pk__in=keys).values(*COLUMNS)}
        indexes = [key for key, row in found.items() if row["media_type"] in INDEX_TYPES]
        for name, things in {"references": references(indexes, entries), **self.read(list(found))}.items():
            for key, entry in things:
                found[key].setdefault(name, []).append(entry)
        return [Artifact.of(completed(found[key])) for key in keys if key in found]

    def read(self, keys: list[int]) -> dict[str, Iterable[tuple[int, dict[str, Any]]]]:
        """What hangs on the artifacts, by its name in the answer; each with the id of its artifact."""
        found: dict[str, Iterable[tuple[int, dict[str, Any]]]] = {}
        if self.tags:
            found["tags"] = tags(keys)
        if self.labels:
            uses = models.ArtifactLabel.objects.filter(artifact__in=keys).select_related("label")
            ordered = uses.order_by("label__name", "label")
            found["labels"] = ((use.artifact_id, labels.facts(use.label)) for use in ordered)
        if self.accessories:
            rows = accessories(models.Accessory.objects.filter(subject__in=keys).order_by("pk"))
            found["accessories"] = ((row["subject_id"], row) for row in rows)
        if self.inherited:
            found["inherited_accessories"] = inherited(keys)
        return found


COLUMNS = (
    "id",
    "type",
    "media_type",
    "artifact_type",
    "config_media_type",
    "project_id",
    "repository_id",
    "repository__name",
    "digest",
    "size",
    "push_time",
    "pull_time",
    "extra_attrs",
    "annotations",
)


def completed(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of an artifact, as `Artifact` shows them."""
    name = row["repository__name"]
    return {
        **row,
        "manifest_media_type": row["media_type"],
        "media_type": row["config_media_type"],
        "repository_name": name,
        "icon": icon_of(row["type"]),
        "addition_links": addition_links(row["type"], row["config_media_type"], name, row["digest"]),
    }


def tags(keys: Collection[int]) -> Iterable[tuple[int, dict[str, Any]]]:
    """The tags of these artifacts, the newest first."""
    rows = models.Tag.objects.filter(artifact__in=keys).order_by("-push_time", "-id")
    return ((row["artifact_id"], row) for row in rows.values(*TAG_COLUMNS))


TAG_COLUMNS = ("id", "repository_id", "artifact_id", "name", "push_time", "pull_time")


def references(keys: Collection[int], most: int | None) -> Iterable[tuple[int, dict[str, Any]]]:
    """The entries of these indexes, in the index's order; of each the first `most`, or all."""
    rows = models.Reference.objects.filter(parent__in=keys).order_by("parent", "position")
    rows = rows if most is None else rows.filter(position__lt=most)
    columns = ("parent_id", "child_id", "platform", "annotations", "urls")
    for row in rows.values(*columns, child_digest=F("child__digest")):
        # The platform's dotted names are quoted, as Harbor does.
        platform = {f"'{name}'" if "." in name else name: value for name, value in row["platform"].items()}
        yield row["parent_id"], {**row, "platform": platform or None, "urls": row["urls"] or None}


def accessories(rows: QuerySet[models.Accessory], *also: str) -> Any:
    """`rows` as `Accessory` shows them, and these columns `also`."""
    return rows.values(
        *also,
        "id",
        "artifact_id",
        "subject_id",
        "subject_digest",
        "type",
        "creation_time",
        subject_artifact_repo=F("repository__name"),
        size=F("artifact__size"),
        digest=F("artifact__digest"),
    )


def inherited(keys: Collection[int]) -> Iterable[tuple[int, Any]]:
    """The signatures of the indexes that name these artifacts: who signed an index stands for what is in it."""
    of_parents = models.Accessory.objects.filter(subject__references__child__in=keys, type__in=SIGNATURES)
    named = of_parents.annotate(child_id=F("subject__references__child")).order_by("pk").distinct()
    for row in accessories(named, "child_id")[:MOST_INHERITED]:
        yield row.pop("child_id"), row


SIGNATURES = (SIGNATURE_COSIGN, SIGNATURE_NOTATION)
MOST_INHERITED = 1000
"""On one page: an image may be named by any number of indexes."""
ADDITIONS = {
    "IMAGE": ("build_history",),
    "CHART": ("values.yaml", "readme.md", "dependencies"),
    "CNAI": ("readme.md", "license", "files"),
}
"""What else there is to read, by the type of artifact."""


def addition_links(kind: str, config_media_type: str, repository: str, digest: str) -> dict[str, Any]:
    """Where to read what else there is about an artifact."""
    if not config_media_type:
        return {}
    href = f"{address_of(repository)}/{digest}/additions"
    return {name: {"href": f"{href}/{name}", "absolute": False} for name in ADDITIONS.get(kind, ())}


@lru_cache(maxsize=1024)
def address_of(repository: str) -> str:
    """Where the artifacts of `repository` are; its slashes are encoded twice."""
    project, _, name = repository.partition("/")
    return f"/api/v2.0/projects/{project}/repositories/{quote(quote(name, safe=''), safe='')}/artifacts"
