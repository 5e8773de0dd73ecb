"""A project's metadata, key by key."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import BadRequest
from api.errors import Invalid
from api.operations import operation
from api.shapes import Text, TextMap, described, has_body
from api.views import Endpoint, done, project_of
from projects import actions
from projects.actions import shown_metadata


def read(request: Request) -> dict[str, str]:
    """The body: names and texts."""
    data: Any = request.data if has_body(request) else {}
    if not isinstance(data, dict):
        raise Invalid(f"metadata in body must be of type object: {described(data)}")
    for name, value in data.items():
        if not isinstance(value, str):
            raise Invalid(f"{name} in body must be of type string: {described(value)}")
    text = Text()
    return {text.to_internal_value(name): text.to_internal_value(value) for name, value in data.items()}


class Metadatas(Endpoint):
    @operation("listProjectMetadatas", TextMap())
    def get(self, request: Request, project_name_or_id: str) -> Response:
        return Response(shown_metadata(project_of(request, project_name_or_id, "metadata", "list")))

    @operation("addProjectMetadatas", body=TextMap(), body_required=False, errors=(409,))
    def post(self, request: Request, project_name_or_id: str) -> Response:
        asked = read(request)
        project = project_of(request, project_name_or_id, "metadata", "create")
        if len(asked) != 1:
            raise BadRequest("only allow one key/value pair")
        ((key, value),) = asked.items()
        actions.add_metadata(actor_of(request), project, key, value)
        return done()


class OneMetadata(Endpoint):
    @operation("getProjectMetadata", TextMap())
    def get(self, request: Request, project_name_or_id: str, meta_name: str) -> Response:
        shown = shown_metadata(project_of(request, project_name_or_id, "metadata", "read"))
        return Response({key: value for key, value in shown.items() if key == meta_name})

    @operation("updateProjectMetadata", body=TextMap(), body_required=False)
    def put(self, request: Request, project_name_or_id: str, meta_name: str) -> Response:
        asked = read(request)
        project = project_of(request, project_name_or_id, "metadata", "update")
        actions.set_metadata(actor_of(request), project, meta_name, asked.get(meta_name, ""))
        return done()

    @operation("deleteProjectMetadata")
    def delete(self, request: Request, project_name_or_id: str, meta_name: str) -> Response:
        project = project_of(request, project_name_or_id, "metadata", "delete")
        actions.delete_metadata(actor_of(request), project, meta_name)
        return done()


routes = [
    path("projects/<project_name_or_id>/metadatas", Metadatas.as_view()),
    path("projects/<project_name_or_id>/metadatas/<meta_name>", OneMetadata.as_view()),
]
