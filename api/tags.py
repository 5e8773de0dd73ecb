"""The tags of an artifact."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import NotFound
from api import query
from api.artifact_rows import Tag
from api.artifacts import artifact_of, counted_by
from api.operations import LISTED, operation
from api.paging import Listing
from api.shapes import Flag, Shape, Text
from api.views import Endpoint, done
from artifacts import actions

TAGS = Listing(
    default=("-push_time", "-pk"),
    filters={
        "id": query.number("id"),
        "name": query.text("name"),
        "repository_id": query.number("repository_id"),
        "artifact_id": query.number("artifact_id"),
        "push_time": query.when("push_time"),
        "pull_time": query.when("pull_time"),
    },
    sorts={name: name for name in ("id", "name", "push_time", "pull_time")},
)


class NewTag(Shape):
    name = Text(required=True)


class Tags(Endpoint):
    @operation("listTags", [Tag], query=LISTED | {"with_immutable_status": Flag(default=False)})
    def get(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        artifact = artifact_of(request, project_name, repository_name, reference, "tag", "list")
        listing = counted_by(request, TAGS, artifact.repository.update_time)
        return listing.answer(request, artifact.tags.all(), Tag.each)

    @operation("createTag", status=201, body=NewTag, errors=(409, 412))
    def post(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        asked = NewTag.read(request, "tag")
        artifact = artifact_of(request, project_name, repository_name, reference, "tag", "create")
        actions.create_tag(actor_of(request), artifact, asked["name"])
        return Response(status=201)


class OneTag(Endpoint):
    @operation("deleteTag", errors=(412,))
    def delete(
        self, request: Request, project_name: str, repository_name: str, reference: str, tag_name: str
    ) -> Response:
        artifact = artifact_of(request, project_name, repository_name, reference, "tag", "delete")
        tag = artifact.tags.filter(name=tag_name).first()
        if tag is None:
            raise NotFound(f"tag {tag_name} attached to artifact {artifact.pk} not found")
        actions.delete_tag(actor_of(request), tag)
        return done()


OF_ARTIFACT = "projects/<project_name>/repositories/<repository_name>/artifacts/<reference>"
routes = [
    path(f"{OF_ARTIFACT}/tags", Tags.as_view()),
    path(f"{OF_ARTIFACT}/tags/<tag_name>", OneTag.as_view()),
]
