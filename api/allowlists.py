"""The vulnerabilities that every project puts up with."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.permissions import require_system
from api.operations import operation
from api.shapes import ListOf, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, done
from projects.allowlists import allowlist_of, set_allowlist
from projects.models import Allowlist


class CVEAllowlistItem(Shape):
    cve_id = Text()


class CVEAllowlist(Shape):
    id = Number()
    project_id = Number()
    expires_at = Number(nullable=True)
    items = ListOf(CVEAllowlistItem())
    creation_time = Moment()
    update_time = Moment()


def show(allowlist: Allowlist) -> dict[str, Any]:
    """`allowlist` in Harbor's words; the system's belongs to project 0."""
    return {
        "id": allowlist.pk or 0,
        "project_id": allowlist.project_id or 0,
        "expires_at": allowlist.expires_at,
        "items": [{"cve_id": name} for name in allowlist.items],
        "creation_time": allowlist.creation_time,
        "update_time": allowlist.update_time,
    }


def names(asked: dict[str, Any]) -> list[str]:
    """The names that a body lists."""
    return [item.get("cve_id", "") for item in asked.get("items", ())]


class SystemAllowlist(Endpoint):
    @operation("getSystemCVEAllowlist", CVEAllowlist)
    def get(self, request: Request) -> Response:
        authenticated(request)
        return Response(CVEAllowlist.of(show(allowlist_of(None))))

    @operation("putSystemCVEAllowlist", body=CVEAllowlist, body_required=False)
    def put(self, request: Request) -> Response:
        asked = CVEAllowlist.read(request, "allowlist", required=False)
        actor = actor_of(request)
        require_system(actor, "configuration", "update")
        set_allowlist(actor, None, names(asked), expires_at=asked.get("expires_at"))
        return done()


routes = [path("system/CVEAllowlist", SystemAllowlist.as_view())]
