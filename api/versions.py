"""`GET /api/version`: which API is spoken here. It lies above the API it names."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from api.views import Endpoint


class Version(Endpoint):
    def get(self, request: Request) -> Response:
        return Response({"version": "v2.0"})
