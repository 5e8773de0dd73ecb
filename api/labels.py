"""Labels: those for every project (scope `g`) and those of one (scope `p`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import BadRequest, NotFound
from api import parameters, query
from api.operations import LISTED, operation
from api.paging import Listing
from api.shapes import Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, created, done
from projects import labels, models
from projects.permissions import find

EVERYWHERE, OF_PROJECT = "g", "p"


class Label(Shape):
    id = Number()
    name = Text()
    description = Text()
    color = Text()
    scope = Text()
    project_id = Number()
    creation_time = Moment()
    update_time = Moment()


LABELS = Listing(
    default=("name",),
    filters={
        "id": query.number("id"),
        "name": query.text("name"),
        "description": query.text("description"),
        "color": query.text("color"),
        "creation_time": query.when("creation_time"),
        "update_time": query.when("update_time"),
    },
    sorts={name: name for name in ("id", "name", "creation_time", "update_time")},
)


def facts(label: models.Label) -> dict[str, Any]:
    """`label` in Harbor's words."""
    return {
        "id": label.pk,
        "name": label.name,
        "description": label.description,
        "color": label.color,
        "scope": OF_PROJECT if label.project_id else EVERYWHERE,
        "project_id": label.project_id,
        "creation_time": label.creation_time,
        "update_time": label.update_time,
    }


def show_all(found: Iterable[models.Label]) -> list[dict[str, Any]]:
    return [Label.of(facts(label)) for label in found]


def listed(request: Request) -> models.LabelQuerySet:
    """The labels of the scope that `request` names. Those for every project are nobody's secret."""
    project_id = parameters.number(request, "project_id", 0)
    scope = parameters.text(request, "scope") or ""
    if scope == EVERYWHERE:
        rows = models.Label.objects.everywhere()
    elif scope != OF_PROJECT:
        raise BadRequest(f"invalid scope: {scope[:64]}")
    elif not project_id:
        raise BadRequest("must with project ID when to query project labels")
    else:
        rows = models.Label.objects.filter(project=find(actor_of(request), "label", "list", pk=project_id))
    name = parameters.text(request, "name")
    return rows.filter(name__icontains=name) if name else rows


def label_of(request: Request, label_id: str, action: str) -> models.Label:
    """The label that a path names, for who may do this to it."""
    pk = parameters.integer(label_id, "label_id")
    label = models.Label.objects.select_related("project").filter(pk=pk).first()
    if label is None:
        raise NotFound(f"label {pk} not found")
    labels.require_labels(actor_of(request), action, label.project)
    return label


SCOPED = {"name": Text(), "scope": Text(), "project_id": Number()}


class Labels(Endpoint):
    @operation("ListLabels", [Label], query=LISTED | SCOPED, errors=(404,))
    def get(self, request: Request) -> Response:
        return LABELS.answer(request, listed(request), show_all)

    @operation("CreateLabel", status=201, body=Label, errors=(404, 409))
    def post(self, request: Request) -> Response:
        asked = Label.read(request, "label")
        actor = authenticated(request)
        scope, project_id = asked.get("scope", ""), asked.get("project_id", 0)
        if scope not in (EVERYWHERE, OF_PROJECT) or (scope == OF_PROJECT and project_id < 1):
            raise BadRequest("unsupported label scope")
        label = labels.create_label(
            actor,
            name=asked.get("name", ""),
            project=find(actor, "label", "create", pk=project_id) if scope == OF_PROJECT else None,
            color=asked.get("color", ""),
            description=asked.get("description", ""),
        )
        return created(request, label.pk)


class OneLabel(Endpoint):
    @operation("GetLabelByID", Label)
    def get(self, request: Request, label_id: str) -> Response:
        return Response(Label.of(facts(label_of(request, label_id, "read"))))

    @operation("UpdateLabel", body=Label, errors=(409,))
    def put(self, request: Request, label_id: str) -> Response:
        """All but where it belongs."""
        asked = Label.read(request, "label")
        label = label_of(request, label_id, "update")
        labels.update_label(
            actor_of(request),
            label,
            name=asked.get("name", ""),
            color=asked.get("color", ""),
            description=asked.get("description", ""),
        )
        return done()

    @operation("DeleteLabel")
    def delete(self, request: Request, label_id: str) -> Response:
        labels.delete_label(actor_of(request), label_of(request, label_id, "delete"))
        return done()


routes = [
    path("labels", Labels.as_view()),
    path("labels/<label_id>", OneLabel.as_view()),
]
