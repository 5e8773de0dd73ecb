"""Artifacts: what a repository holds, with its tags, its entries if it is an index, and what belongs to it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from django.db.models import Exists, OuterRef, Q, Subquery
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
from artifacts.totals import BRIEFLY, UNTIL_COUNTED, found, total
from projects.models import Label, Project, Quota
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
ARTIFACTS = Listing(
    default=("-push_time", "-pk"),
    filters=FILTERS,
    sorts={name: name for name in ("id", "digest", "size", "push_time", "pull_time", "repository_id")}
    | {"type": ("type", "push_time")},
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


def counted_by(request: Request, listing: Listing, state: object) -> Listing:
    """`listing` of contents that are as they are since `state`: counted once for each, and what `q` asks for is looked
    for once in a while."""
    asked, seconds = terms(request), BRIEFLY
    if "pull_time" in asked or "pull_time" in query.snake(request.GET.get("sort", "")):
        seconds = UNTIL_COUNTED
    if "labels" in asked:
        state = (state, labelled(asked["labels"]))
    if asked or "latest_in_repository" in request.GET:
        return replace(listing, find=lambda rows: found(rows, state, seconds))
    return replace(listing, count=lambda rows: total(rows, state))


def terms(request: Request) -> dict[str, query.Term]:
    """What `q` asks for, by the names of columns."""
    asked = query.parse(request.GET.get("q", ""))
    return {query.snake(key.partition("__")[0]): term for key, term in asked.items()}


def labelled(term: query.Term) -> list[int]:
    """Which of the labels that `q` asks for there are: they go without the artifacts that carry them being changed."""
    wanted = [int(value) for value in getattr(term, "values", ()) if re.fullmatch("[0-9]{1,18}", value)]
    return list(Label.objects.filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))


class Artifacts(Copying):
    @operation("listArtifacts", [Artifact], query=LISTED | WITH, headers=ACCEPTED)
    def get(self, request: Request, project_name: str, repository_name: str) -> Response:
        project = project_of(request, project_name, "artifact", "list", by_name=True)
        name = f"{project.name}/{unquote(repository_name)}"
        # By its id: then the database knows how much it holds, and walks it in order instead of sorting it.
        columns = ("pk", "update_time", "project__quota__update_time")
        row = models.Repository.objects.filter(project=project, name=name).values_list(*columns).first()
        repository, *state = row or (0, None, None)
        everything = models.Artifact.objects.filter(repository=repository)
        listing = counted_by(request, ARTIFACTS, state if "labels" in terms(request) else state[0])
        show = partial(Wanted.by(request).show, everything)
        return listing.answer_keys(request, asked_for(request, everything), show)


class ProjectArtifacts(Endpoint):
    @operation("listArtifactsOfProject", [Artifact], query=LISTED | WITH | LATEST, headers=ACCEPTED)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        authenticated(request)
        project = project_of(request, project_name_or_id, "artifact", "list")
        state = Quota.objects.filter(project=project).values_list("update_time", flat=True).first()
        everything = models.Artifact.objects.filter(project=project)
        rows = asked_for(request, everything)
        if parameters.flag(request, "latest_in_repository"):
            rows = newest(request, project, rows)
        listing = counted_by(request, ARTIFACTS, state)
        return listing.answer_keys(request, rows, partial(Wanted.by(request).show, everything))


def newest(request: Request, project: Project, rows: ArtifactQuerySet) -> ArtifactQuerySet:
    """Of those of `rows` that `q` asks for, the one of each repository that was pushed last."""
    terms = query.parse(request.GET.get("q", ""))
    if ("media_type" in terms) == ("artifact_type" in terms):
        raise BadRequest(
            "either 'media_type' or 'artifact_type' must be specified, but not both, "
            "when querying with latest_in_repository"
        )
    matching = rows.filter(query.condition(terms, FILTERS), repository=OuterRef("pk"))
    last = Subquery(matching.order_by("-push_time", "-pk").values("pk")[:1])
    # Asked of each repository: the database reads the last of each along an index, and compares none with another.
    return rows.filter(pk__in=models.Repository.objects.filter(project=project).values(last=last))


class OneArtifact(Endpoint):
    @operation("getArtifact", Artifact, query=PAGED | WITH | {"with_signature": Flag(default=False)}, headers=ACCEPTED)
    def get(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact", "read")
        shown = Wanted.by(request).show(models.Artifact.objects.all(), [artifact.pk], entries=None)
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
