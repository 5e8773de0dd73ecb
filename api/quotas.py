"""Quotas: how many bytes each project may store, and does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import BigIntegerField, Case, F, QuerySet, Value, When
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.errors import BadRequest, NotFound
from accounts.permissions import require_system
from api import parameters
from api.operations import PAGED, operation
from api.paging import Listing
from api.shapes import Map, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, done
from projects import actions, models

STORAGE = "storage"
"""The one resource that is counted."""
REFERENCE = "project"
"""The one kind of thing that has a quota."""
MOST = 2**63 - 1


class Amounts(Map):
    """An object whose every value is a whole number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Number(), **options)

    def to_internal_value(self, data: Any) -> dict[str, int]:
        read = Number().to_internal_value
        pairs: dict[str, Any] = super().to_internal_value(data)
        return {Text().to_internal_value(key): read(value) for key, value in pairs.items() if value is not None}


class Quota(Shape):
    id = Number()
    ref = Map()
    hard = Amounts(always=True)
    used = Amounts(always=True)
    creation_time = Moment()
    update_time = Moment()


class QuotaUpdateReq(Shape):
    hard = Amounts()


QUOTAS = Listing(
    default=("-creation_time", "-pk"),
    sorts={
        "id": "id",
        "creation_time": "creation_time",
        "update_time": "update_time",
        "hard.storage": "limit",
        "used.storage": "used",
    },
)


def show_all(quotas: Iterable[models.Quota]) -> list[dict[str, Any]]:
    """`quotas`, read with their projects and owners, in Harbor's words."""
    return [show(quota) for quota in quotas]


def show(quota: models.Quota) -> dict[str, Any]:
    project = quota.project
    owner = project.owner.username if project.owner else ""
    return Quota.of(
        {
            "id": quota.pk,
            "ref": {"id": project.pk, "name": project.name, "owner_name": owner},
            "hard": {STORAGE: quota.hard},
            "used": {STORAGE: quota.used},
            "creation_time": quota.creation_time,
            "update_time": quota.update_time,
        }
    )


def listed(request: Request) -> QuerySet[models.Quota]:
    """The quotas that the parameters ask for; no limit is the highest one."""
    unlimited = When(hard=-1, then=Value(MOST))
    rows = models.Quota.objects.annotate(limit=Case(unlimited, default=F("hard"), output_field=BigIntegerField()))
    if (parameters.text(request, "reference") or REFERENCE) != REFERENCE:
        return rows.none()
    reference_id = parameters.text(request, "reference_id")
    if reference_id is None:
        return rows
    fits = reference_id.isascii() and reference_id.isdecimal() and int(reference_id[:20]) <= MOST
    return rows.filter(project=int(reference_id)) if fits else rows.none()


def quota_of(request: Request, quota_id: str, action: str) -> tuple[Actor, models.Quota]:
    """Who is asking, and the quota that a path names, for who may do this."""
    pk = parameters.integer(quota_id, "id")
    actor = authenticated(request)
    require_system(actor, "quota", action)
    quota = models.Quota.objects.select_related("project__owner").filter(pk=pk).first()
    if quota is None:
        raise NotFound(f"quota {pk} not found")
    return actor, quota


class Quotas(Endpoint):
    @operation("listQuotas", [Quota], query=PAGED | {"reference": Text(), "reference_id": Text(), "sort": Text()})
    def get(self, request: Request) -> Response:
        require_system(authenticated(request), "quota", "list")
        return QUOTAS.answer(request, listed(request), show_all, lambda rows: rows.select_related("project__owner"))


class OneQuota(Endpoint):
    @operation("getQuota", Quota)
    def get(self, request: Request, id: str) -> Response:
        return Response(show(quota_of(request, id, "read")[1]))

    @operation("updateQuota", body=QuotaUpdateReq)
    def put(self, request: Request, id: str) -> Response:
        hard = QuotaUpdateReq.read(request, "hard").get("hard")
        actor, quota = quota_of(request, id, "update")
        if not hard:
            raise BadRequest("hard required in body")
        if unknown := hard.keys() - {STORAGE}:
            raise BadRequest(f"resource {min(unknown)[:64]} not support")
        actions.set_quota(actor, quota.project, hard[STORAGE])
        return done()


routes = [
    path("quotas", Quotas.as_view()),
    path("quotas/<id>", OneQuota.as_view()),
]
