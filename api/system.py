"""Ping, version, general information: what a client asks before it asks for anything else."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import NotFound
from accounts.permissions import require_system
from api.operations import operation
from api.shapes import File, Flag, ListOf, Moment, Number, Shape, Text
from api.views import Endpoint
from configuration import values

VERSION = "v2.16.0-haven"
"""The Harbor whose dialect this is, as its clients read it; what follows the hyphen is Harbor's commit, or us."""


class AuthproxySetting(Shape):
    endpoint = Text()
    tokenreivew_endpoint = Text()  # Harbor's spelling
    skip_search = Flag()
    verify_cert = Flag()
    server_certificate = Text()


class GeneralInfo(Shape):
    banner_message = Text(nullable=True)
    current_time = Moment(nullable=True)
    registry_url = Text(nullable=True)
    external_url = Text(nullable=True)
    auth_mode = Text(nullable=True)
    primary_auth_mode = Flag(nullable=True)
    project_creation_restriction = Text(nullable=True)
    self_registration = Flag(nullable=True)
    has_ca_root = Flag(nullable=True)
    harbor_version = Text(nullable=True)
    registry_storage_provider_name = Text(nullable=True)
    read_only = Flag(nullable=True)  # type: ignore[assignment]  # a property here, not the option of a field
    notification_enable = Flag(nullable=True)
    authproxy_settings = AuthproxySetting()
    oidc_provider_name = Text(nullable=True)


class Storage(Shape):
    total = Number()
    free = Number()


class SystemInfo(Shape):
    storage = ListOf(Storage())


class Ping(Endpoint):
    answers_json = False

    @operation("getPing", Text(), media_type="text/plain", anybody=True)
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse("Pong", content_type="text/plain")


class Info(Endpoint):
    @operation("getSystemInfo", GeneralInfo, anybody=True)
    def get(self, request: Request) -> Response:
        shown = public_info()
        if actor_of(request).is_authenticated:
            shown |= protected_info()
        return Response(GeneralInfo.of(shown))


class Certificate(Endpoint):
    answers_json = False

    @operation("getCert", File(), media_type="application/octet-stream", errors=(404,), anybody=True)
    def get(self, request: Request) -> HttpResponse:
        authority = certificate_authority()
        if authority is None:
            raise NotFound("no root certificate found")
        response = HttpResponse(authority.read_bytes(), content_type="application/octet-stream")
        response["Content-Disposition"] = "attachment; filename=ca.crt"
        return response


class Volumes(Endpoint):
    @operation("getVolumes", SystemInfo)
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), "system-volumes", "read")
        root = Path(settings.REGISTRY_STORAGE["root"])
        local = settings.REGISTRY_STORAGE["driver"] == "filesystem" and root.exists()
        usage = shutil.disk_usage(root) if local else None
        room = {"total": usage.total, "free": usage.free} if usage else {}
        return Response(SystemInfo.of({"storage": [room]}))


def public_info() -> dict[str, Any]:
    """What anybody may know: how to sign in."""
    shown = {
        name: values.get(name) for name in ("auth_mode", "primary_auth_mode", "self_registration", "banner_message")
    }
    shown["oidc_provider_name"] = values.get("oidc_name") if shown["auth_mode"] == "oidc_auth" else ""
    if shown["auth_mode"] == "http_auth":
        shown["authproxy_settings"] = {
            "endpoint": values.get("http_authproxy_endpoint"),
            "tokenreivew_endpoint": values.get("http_authproxy_tokenreview_endpoint"),
            "skip_search": values.get("http_authproxy_skip_search"),
            "verify_cert": values.get("http_authproxy_verify_cert"),
            "server_certificate": values.get("http_authproxy_server_certificate"),
        }
    return shown


def protected_info() -> dict[str, Any]:
    """What who signed in may know as well."""
    kept = ("project_creation_restriction", "read_only", "notification_enable")
    return {name: values.get(name) for name in kept} | {
        "current_time": datetime.now(UTC),
        "external_url": settings.EXTERNAL_URL,
        "registry_url": settings.EXTERNAL_URL.partition("://")[2],
        "has_ca_root": certificate_authority() is not None,
        "harbor_version": VERSION,
        "registry_storage_provider_name": settings.REGISTRY_STORAGE["driver"],
    }


def certificate_authority() -> Path | None:
    """The private authority that signed the edge's certificate, where the operator left it."""
    authority = Path(settings.DATA) / "ca.crt"
    return authority if authority.is_file() else None


routes = [
    path("ping", Ping.as_view()),
    path("systeminfo", Info.as_view()),
    path("systeminfo/volumes", Volumes.as_view()),
    path("systeminfo/getcert", Certificate.as_view()),
]
