"""The scanner of a project. Nothing scans yet: no project has one, and there is none to choose."""

from __future__ import annotations

from typing import NoReturn

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import NotFound
from api import query
from api.operations import LISTED, operation
from api.shapes import Flag, Map, Moment, Shape, Text
from api.views import Endpoint, authenticated, project_of


class ScannerRegistration(Shape):
    uuid = Text()
    name = Text()
    description = Text(always=True)
    url = Text()
    disabled = Flag(always=True)
    is_default = Flag(always=True)
    auth = Text(always=True)
    access_credential = Text(always=True)
    skip_certVerify = Flag(always=True)
    use_internal_addr = Flag(always=True)
    create_time = Moment()
    update_time = Moment()
    adapter = Text()
    vendor = Text()
    version = Text()
    health = Text()
    capabilities = Map()


class ProjectScanner(Shape):
    uuid = Text(required=True)


class OfProject(Endpoint):
    @operation("getScannerOfProject", ScannerRegistration)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        """A registration without a name: Harbor answers with nothing at all, which not every client can read."""
        authenticated(request)
        project_of(request, project_name_or_id, "scanner", "read")
        return Response(ScannerRegistration.of({}))

    @operation("setScannerOfProject", body=ProjectScanner)
    def put(self, request: Request, project_name_or_id: str) -> NoReturn:
        asked = ProjectScanner.read(request, "payload")
        authenticated(request)
        project_of(request, project_name_or_id, "scanner", "create")
        raise NotFound(f"scanner registration {asked['uuid'][:64]} not found")


class Candidates(Endpoint):
    @operation("listScannerCandidatesOfProject", [ScannerRegistration], query=LISTED)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        authenticated(request)
        project_of(request, project_name_or_id, "scanner", "create")
        query.parse(request.GET.get("q", ""))
        return Response([], headers={"X-Total-Count": "0"})


routes = [
    path("projects/<project_name_or_id>/scanner", OfProject.as_view()),
    path("projects/<project_name_or_id>/scanner/candidates", Candidates.as_view()),
]
