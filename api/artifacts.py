"""Artifacts: what a repository holds, with its tags, its entries if it is an index, and what belongs to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from django.db.models import Exists, OuterRef, Q
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import BadRequest, NotFound
from api import parameters, query
from api.artifact_rows import WITH, Accessory, Artifact, Wanted, accessories
from api.copying import Copying
from api.operations import LISTED, PAGED, operation
from api.paging import Listing
from api.shapes import Flag, Text
from api.views import Endpoint, authenticated, done, project_of
from artifacts import actions, models
from artifacts.models import ArtifactQuerySet
from artifacts.totals import narrowed
from projects.models import Quota
from registry.references import is_digest

LATEST = {"latest_in_repository": Flag(default=False)}
ACCEPTED = {
    "X-Accept-Vulnerabilities": Text(
        default="application/vnd.security.vulnerability.report; version=1.1, "
        "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0"
    )
}


def by_tag(term: query.Term, operator: str) -> Q:
    """`tags=*` has any, `tags=nil` has none, `tags=v1` has this one, `tags=~v` one that contains it."""
    # In the artifact's repository: where that is known, the database finds a name there at once.
    own = models.Tag.objects.filter(artifact=OuterRef("pk"), repository=OuterRef("repository"))
    match term:
        case query.Exactly("*"):
            return Q(tagged=True)
        case query.Exactly("nil"):
            return Q(tagged=False)
        case query.Exactly(name):
            return Q(Exists(own.called(name)))
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
CHANGING = frozenset({"pull_time", "labels"})
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


def artifact_of(
    request: Request, project_name: str, repository_name: str, reference: str, resource: str, action: str
) -> models.Artifact:
    """The artifact that a path names by tag or digest, for an actor who may do this in its project."""
    project = project_of(request, project_name, resource, action, by_name=True)
    name = f"{project.name}/{unquote(repository_name)}"
    rows = models.Artifact.objects.filter(repository__project=project, repository__name=name)
    tagged = rows.filter(tags__name=reference, tags__repository__name=name)  # both, as the index of tags is made
    found = rows.filter(digest=reference) if is_digest(reference) else tagged
    artifact = found.select_related("repository").first()
    if artifact is None:
        raise NotFound(f"artifact {name}{'@' if ':' in reference else ':'}{reference} not found")
    return artifact


def asked_for(request: Request, rows: ArtifactQuerySet) -> ArtifactQuerySet:
    """`rows` without accessories and an index's children, unless `q=base=*` asks for all there is."""
    return rows if "base" in query.parse(request.GET.get("q", "")) else rows.listed()


def counted_by(request: Request, listing: Listing, state: datetime | None, changing: frozenset[str]) -> Listing:
    """`listing` of contents that are as they are since `state`: what `q` asks for is looked for once for each state,
    unless it asks about what is `changing` without it."""
    terms = query.parse(request.GET.get("q", ""))
    if {query.snake(key.partition("__")[0]) for key in terms} & changing:
        return listing
    return replace(listing, narrow=lambda rows: narrowed(rows, state, by_ids=bool(terms)))


class Artifacts(Copying):
    @operation("listArtifacts", [Artifact], query=LISTED | WITH, headers=ACCEPTED)
    def get(self, request: Request, project_name: str, repository_name: str) -> Response:
        project = project_of(request, project_name, "artifact", "list", by_name=True)
        name = f"{project.name}/{unquote(repository_name)}"
        # By its id: then the database knows how much it holds, and walks it in order instead of sorting it.
        found = models.Repository.objects.filter(project=project, name=name).values_list("pk", "update_time")
        repository, state = found.first() or (0, None)
        rows = asked_for(request, models.Artifact.objects.filter(repository=repository))
        listing = counted_by(request, ARTIFACTS, state, CHANGING)
        return listing.answer_keys(request, rows, Wanted.by(request).show)


class ProjectArtifacts(Endpoint):
    @operation("listArtifactsOfProject", [Artifact], query=LISTED | WITH | LATEST, headers=ACCEPTED)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        authenticated(request)
        project = project_of(request, project_name_or_id, "artifact", "list")
        state = Quota.objects.filter(project=project).values_list("update_time", flat=True).first()
        rows = asked_for(request, models.Artifact.objects.filter(project=project))
        if parameters.flag(request, "latest_in_repository"):
            rows = newest(request, rows)
        listing = counted_by(request, ARTIFACTS, state, CHANGING)
        return listing.answer_keys(request, rows, Wanted.by(request).show)


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
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact", "read")
        shown = Wanted.by(request).show([artifact.pk], entries=None)
        if not shown:
            raise NotFound(f"artifact {reference} not found")
        return Response(shown[0])

    @operation("deleteArtifact", errors=(412,))
    def delete(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact", "delete")
        actions.delete_artifact(actor_of(request), artifact)
        return done()


class Accessories(Endpoint):
    @operation("listAccessories", [Accessory], query=LISTED)
    def get(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        artifact = artifact_of(request, project_name, repository_name, reference, "accessory", "list")
        rows = models.Accessory.objects.filter(subject=artifact)
        return ACCESSORIES.answer_keys(request, rows, shown_accessories)


def shown_accessories(keys: list[int]) -> list[dict[str, Any]]:
    """The accessories with these ids in Harbor's words, in their order."""
    found = {row["id"]: row for row in accessories(models.Accessory.objects.filter(pk__in=keys))}
    return Accessory.each(found[key] for key in keys if key in found)


OF_REPOSITORY = "projects/<project_name>/repositories/<repository_name>/artifacts"
routes = [
    path(OF_REPOSITORY, Artifacts.as_view()),
    path(f"{OF_REPOSITORY}/<reference>", OneArtifact.as_view()),
    path(f"{OF_REPOSITORY}/<reference>/accessories", Accessories.as_view()),
    path("projects/<project_name_or_id>/artifacts", ProjectArtifacts.as_view()),
]
