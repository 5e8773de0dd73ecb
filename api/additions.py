"""What else there is to read about an artifact: how an image was built. Each kind of artifact has its own additions."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import BadRequest
from api import parameters
from api.artifacts import ACCEPTED, OF_REPOSITORY, addition_links, artifact_of
from api.operations import operation
from api.shapes import Anything, Map, Text
from api.views import Endpoint
from artifacts.history import build_history
from tokens.upstream import registry

KNOWN = ("build_history", "values.yaml", "readme.md", "dependencies", "sbom", "license", "files")


class Addition(Endpoint):
    @operation("getAddition", Anything(), path={"addition": Text(one_of=KNOWN)})
    def get(self, request: Request, project_name: str, repository_name: str, reference: str, addition: str) -> Response:
        parameters.one_of(addition, "addition", KNOWN)
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact-addition", "read")
        if addition not in addition_links(artifact):
            raise BadRequest(f"addition {addition} isn't supported for {artifact.type}")
        return Response(build_history(registry(), artifact), content_type="application/json; charset=utf-8")


class Vulnerabilities(Endpoint):
    """Reports by their media type; there is none until something scans."""

    @operation("getVulnerabilitiesAddition", Map(), headers=ACCEPTED)
    def get(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        artifact_of(request, project_name, repository_name, reference, "artifact-addition", "read")
        return Response({})


routes = [
    path(f"{OF_REPOSITORY}/<reference>/additions/vulnerabilities", Vulnerabilities.as_view()),
    path(f"{OF_REPOSITORY}/<reference>/additions/<addition>", Addition.as_view()),
]
