"""The OpenID Connect provider, for who administers it: an address tried."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import BadRequest, Unavailable
from accounts.oidc import provider
from accounts.permissions import require_system
from api.operations import operation
from api.shapes import Flag, Shape, Text
from api.views import Endpoint, done
from configuration import types


class Endpoints(Shape):
    url = Text()
    verify_cert = Flag()


class Ping(Endpoint):
    heeds_read_only = False

    @operation("pingOIDC", body=Endpoints)
    def post(self, request: Request) -> Response:
        asked = Endpoints.read(request, "endpoint")
        require_system(actor_of(request), "configuration", "update")
        try:
            provider.check(types.url(asked.get("url", "")), asked.get("verify_cert", False))
        except ValueError as error:
            raise BadRequest(f"url {error}", "url") from None
        except Unavailable as error:
            raise BadRequest(f"failed to verify connection: {error.message}") from None
        return done()


routes = [path("system/oidc/ping", Ping.as_view())]
