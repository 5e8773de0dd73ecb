"""Artifacts: what a repository holds, with its tags, its entries if it is an index, and what belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from django.db.models import Exists, OuterRef, Q
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import BadRequest, NotFound
from api import labels, parameters, query
from api.copying import Copying
from api.icons import icon_of
from api.labels import Label
from api.operations import LISTED, PAGED, operation
from api.overviews import NativeReportSummary, SBOMOverview
from api.paging import Listing
from api.shapes import Flag, ListOf, Map, Moment, Number, Shape, Text, TextMap
from api.views import Endpoint, authenticated, done, project_of
from artifacts import actions, models
from artifacts.models import LISTED_ENTRIES, ArtifactQuerySet
from artifacts.totals import total
from registry.references import is_digest


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
    child_digest = Text(source="child.digest")
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


class Icon(Text):
    """The picture of a type, by its digest."""

    def to_representation(self, value: str) -> str:
        return icon_of(value)


class Accessory(Shape):
    id = Number()
    artifact_id = Number(always=True)
    subject_artifact_id = Number(source="subject_id")
    subject_artifact_digest = Text(source="subject_digest", always=True)
    subject_artifact_repo = Text(source="repository.name", always=True)
    size = Number(source="artifact.size", always=True)
    digest = Text(source="artifact.digest", always=True)
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


def by_tag(term: query.Term, operator: str) -> Q:
    """`tags=*` has any, `tags=nil` has none, `tags=v1` has this one, `tags=~v` one that contains it."""
    own = models.Tag.objects.filter(artifact=OuterRef("pk"))
    match term:
        case query.Exactly("*"):
            return Q(Exists(own))
        case query.Exactly("nil"):
            return ~Q(Exists(own))
        case query.Exactly(name):
            return Q(Exists(own.filter(name=name)))
        case query.Like(part):
            return Q(Exists(own.filter(name__contains=part)))
    raise BadRequest("the type of the value of 'tags' is not supported")


def by_labels(term: query.Term, operator: str) -> Q:
    """`labels=(1 2)`: carries all of these."""
    message = 'the value of "labels" query can only be integer list with intersection relationship'
    if not isinstance(term, query.AllOf):
        raise BadRequest(message)
    try:
        wanted = {query.whole(value) for value in term.values}
    except ValueError:
        raise BadRequest(message) from None
    if len(wanted) > MOST_LABELS:
        raise BadRequest(f"at most {MOST_LABELS} labels can be asked for at once")
    found = Q()
    for pk in sorted(wanted):
        found &= Q(Exists(models.ArtifactLabel.objects.filter(artifact=OuterRef("pk"), label=pk)))
    return found


MOST_LABELS = 20
"""In one query: each is a look-up for every artifact."""
FILTERS: dict[str, query.Filter] = {
    "id": query.number("id"),
    "type": query.text("type"),
    "media_type": query.text("config_media_type"),
    "manifest_media_type": query.text("media_type"),
    "artifact_type": query.text("artifact_type"),
    "repository_id": query.number("repository_id"),
    "repository_name": query.text("repository__name"),
    "digest": query.text("digest"),
    "size": query.number("size"),
    "push_time": query.when("push_time"),
    "pull_time": query.when("pull_time"),
    "tags": by_tag,
    "labels": by_labels,
}
CHANGING = {"pull_time", "labels"}
"""What changes while the repository does not."""
ARTIFACTS = Listing(
    default=("-push_time", "-pk"),
    filters=FILTERS,
    sorts={name: name for name in ("id", "digest", "type", "size", "push_time", "pull_time", "repository_id")},
)
ACCESSORIES = Listing(
    default=("pk",),
    filters={
        "id": query.number("id"),
        "type": query.text("type"),
        "digest": query.text("artifact__digest"),
        "size": query.number("artifact__size"),
        "artifact_id": query.number("artifact_id"),
        "creation_time": query.when("creation_time"),
    },
    sorts={"id": "id", "type": "type", "size": "artifact__size", "creation_time": "creation_time"},
)


_OPTIONAL = ("label", "scan_overview", "sbom_overview", "immutable_status", "accessory", "inherited_accessory")
WITH = {"with_tag": Flag(default=True), **{f"with_{name}": Flag(default=False) for name in _OPTIONAL}}
"""The parameters that ask for more about each artifact."""
LATEST = {"latest_in_repository": Flag(default=False)}
ACCEPTED = {
    "X-Accept-Vulnerabilities": Text(
        default="application/vnd.security.vulnerability.report; version=1.1, "
        "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0"
    )
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants to see of each artifact, beside itself."""

    tags: bool
    accessories: bool
    labels: bool

    @classmethod
    def by(cls, request: Request) -> Wanted:
        return cls(
            tags=parameters.flag(request, "with_tag", True),
            accessories=parameters.flag(request, "with_accessory"),
            labels=parameters.flag(request, "with_label"),
        )

    def dress(self, rows: ArtifactQuerySet, entries: int | None = LISTED_ENTRIES) -> ArtifactQuerySet:
        """`rows` with all of it, one query for each kind of thing; of an index the first `entries`, None for all."""
        rows = rows.select_related("repository").with_references(entries)
        rows = rows.with_tags() if self.tags else rows
        rows = rows.with_labels() if self.labels else rows
        return rows.with_accessories() if self.accessories else rows

    def show(self, artifact: models.Artifact) -> dict[str, Any]:
        """`artifact` in Harbor's words."""
        tags = artifact.tags.all() if self.tags else ()
        accessories = artifact.accessories.all() if self.accessories else ()
        return Artifact.of(
            {
                "id": artifact.pk,
                "type": artifact.type,
                "media_type": artifact.config_media_type,
                "manifest_media_type": artifact.media_type,
                "artifact_type": artifact.artifact_type,
                "project_id": artifact.project_id,
                "repository_id": artifact.repository_id,
                "repository_name": artifact.repository.name,
                "digest": artifact.digest,
                "size": artifact.size,
                "icon": icon_of(artifact.type),
                "push_time": artifact.push_time,
                "pull_time": artifact.pull_time,
                "extra_attrs": artifact.extra_attrs,
                "annotations": artifact.annotations,
                "references": [entry_of(reference) for reference in artifact.references.all()] or None,
                "tags": list(tags) or None,
                "accessories": list(accessories) or None,
                "labels": [labels.facts(label) for label in artifact.labels.all()] or None if self.labels else None,
                "addition_links": addition_links(artifact),
            }
        )

    def show_all(self, artifacts: list[models.Artifact]) -> list[dict[str, Any]]:
        return [self.show(artifact) for artifact in artifacts]


def entry_of(reference: models.Reference) -> dict[str, Any]:
    """An index's entry; the platform's dotted names are quoted, as Harbor does."""
    quoted = {f"'{name}'" if "." in name else name: value for name, value in reference.platform.items()}
    return {
        "parent_id": reference.parent_id,
        "child_id": reference.child_id,
        "child": reference.child,
        "platform": quoted or None,
        "annotations": reference.annotations,
        "urls": reference.urls or None,
    }


def addition_links(artifact: models.Artifact) -> dict[str, Any]:
    """Where to read what else there is about `artifact`; the repository's slashes are encoded twice."""
    if not artifact.config_media_type:
        return {}
    project, _, name = artifact.repository.name.partition("/")
    where = f"/api/v2.0/projects/{project}/repositories/{quote(quote(name, safe=''), safe='')}/artifacts"
    href = f"{where}/{artifact.digest}/additions"
    return {name: {"href": f"{href}/{name}", "absolute": False} for name in ADDITIONS.get(artifact.type, ())}


ADDITIONS = {"IMAGE": ("build_history",), "CHART": ("values.yaml", "readme.md", "dependencies")}
"""What else there is to read, by the type of artifact."""


def artifact_of(
    request: Request,
    project_name: str,
    repository_name: str,
    reference: str,
    resource: str,
    action: str,
    dress: Callable[[ArtifactQuerySet], ArtifactQuerySet] = lambda rows: rows,
) -> models.Artifact:
    """The artifact that a path names by tag or digest, for an actor who may do this in its project."""
    project = project_of(request, project_name, resource, action, by_name=True)
    name = f"{project.name}/{unquote(repository_name)}"
    rows = models.Artifact.objects.filter(repository__project=project, repository__name=name)
    tagged = rows.filter(tags__name=reference, tags__repository__name=name)  # both, as the index of tags is made
    found = rows.filter(digest=reference) if is_digest(reference) else tagged
    artifact = dress(found.select_related("repository")).first()
    if artifact is None:
        raise NotFound(f"artifact {name}{'@' if ':' in reference else ':'}{reference} not found")
    return artifact


def asked_for(request: Request, rows: ArtifactQuerySet) -> ArtifactQuerySet:
    """`rows` without accessories and an index's children, unless `q=base=*` asks for all there is."""
    return rows if "base" in query.parse(request.GET.get("q", "")) else rows.listed()


def counting(request: Request, repositories: models.RepositoryQuerySet) -> Listing:
    """The list of the artifacts of `repositories`, counted anew only where something that `q` asks about changed."""
    keys = {key.partition("__")[0] for key in query.parse(request.GET.get("q", ""))}
    if {query.snake(key) for key in keys} & CHANGING:
        return ARTIFACTS
    return replace(ARTIFACTS, count=lambda rows: total(rows, repositories))


class Artifacts(Copying):
    @operation("listArtifacts", [Artifact], query=LISTED | WITH, headers=ACCEPTED)
    def get(self, request: Request, project_name: str, repository_name: str) -> Response:
        project = project_of(request, project_name, "artifact", "list", by_name=True)
        name = f"{project.name}/{unquote(repository_name)}"
        # By its id: then the database knows how much it holds, and walks it in order instead of sorting it.
        repository = models.Repository.objects.filter(project=project, name=name).values_list("pk", flat=True).first()
        rows = models.Artifact.objects.filter(repository=repository or 0)
        wanted = Wanted.by(request)
        listing = counting(request, models.Repository.objects.filter(pk=repository or 0))
        return listing.answer(request, asked_for(request, rows), wanted.show_all, wanted.dress)


class ProjectArtifacts(Endpoint):
    @operation("listArtifactsOfProject", [Artifact], query=LISTED | WITH | LATEST, headers=ACCEPTED)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        authenticated(request)
        project = project_of(request, project_name_or_id, "artifact", "list")
        rows = asked_for(request, models.Artifact.objects.filter(project=project))
        if parameters.flag(request, "latest_in_repository"):
            rows = newest(request, rows)
        wanted = Wanted.by(request)
        listing = counting(request, models.Repository.objects.filter(project=project))
        return listing.answer(request, rows, wanted.show_all, wanted.dress)


def newest(request: Request, rows: ArtifactQuerySet) -> ArtifactQuerySet:
    """Of those of `rows` that `q` asks for, the one of each repository that was pushed last."""
    terms = query.parse(request.GET.get("q", ""))
    if ("media_type" in terms) == ("artifact_type" in terms):
        raise BadRequest(
            "either 'media_type' or 'artifact_type' must be specified, but not both, "
            "when querying with latest_in_repository"
        )
    matching = rows.filter(query.condition(terms, FILTERS))
    rivals = matching.filter(repository=OuterRef("repository"))
    newer = Q(push_time__gt=OuterRef("push_time")) | Q(push_time=OuterRef("push_time"), pk__gt=OuterRef("pk"))
    return matching.filter(~Exists(rivals.filter(newer)))


class OneArtifact(Endpoint):
    @operation("getArtifact", Artifact, query=PAGED | WITH | {"with_signature": Flag(default=False)}, headers=ACCEPTED)
    def get(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        wanted = Wanted.by(request)
        dress = partial(wanted.dress, entries=None)
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact", "read", dress)
        return Response(wanted.show(artifact))

    @operation("deleteArtifact", errors=(412,))
    def delete(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact", "delete")
        actions.delete_artifact(actor_of(request), artifact)
        return done()


class Accessories(Endpoint):
    @operation("listAccessories", [Accessory], query=LISTED)
    def get(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        artifact = artifact_of(request, project_name, repository_name, reference, "accessory", "list")
        return ACCESSORIES.answer(
            request,
            models.Accessory.objects.filter(subject=artifact),
            Accessory.each,
            lambda rows: rows.select_related("artifact", "repository"),
        )


OF_REPOSITORY = "projects/<project_name>/repositories/<repository_name>/artifacts"
routes = [
    path(OF_REPOSITORY, Artifacts.as_view()),
    path(f"{OF_REPOSITORY}/<reference>", OneArtifact.as_view()),
    path(f"{OF_REPOSITORY}/<reference>/accessories", Accessories.as_view()),
    path("projects/<project_name_or_id>/artifacts", ProjectArtifacts.as_view()),
]
