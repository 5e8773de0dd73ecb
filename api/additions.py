"""What else there is to read about an artifact: how an image was built, what a chart says of itself."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import BadRequest
from api import parameters
from api.artifact_rows import ADDITIONS
from api.artifacts import ACCEPTED, OF_REPOSITORY, artifact_of
from api.operations import operation
from api.shapes import Anything, Map, Text
from api.views import Endpoint
from artifacts import modelpacks
from artifacts.charts import read_chart
from artifacts.history import build_history
from artifacts.models import Artifact
from tokens.upstream import registry

KNOWN = ("build_history", "values.yaml", "readme.md", "dependencies", "sbom", "license", "files")
JSON = "application/json; charset=utf-8"


class Addition(Endpoint):
    answers_json = False

    @operation("getAddition", Anything(), path={"addition": Text(one_of=KNOWN)}, texts=("text/plain", "text/markdown"))
    def get(
        self, request: Request, project_name: str, repository_name: str, reference: str, addition: str
    ) -> HttpResponseBase:
        parameters.one_of(addition, "addition", KNOWN)
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact-addition", "read")
        if not artifact.config_media_type or addition not in ADDITIONS.get(artifact.type, ()):
            raise BadRequest(f"addition {addition} isn't supported for {artifact.type}")
        return content_of(artifact, addition)


def content_of(artifact: Artifact, addition: str) -> HttpResponseBase:
    """What `addition` says of `artifact`, read from the registry: JSON, or a file of a chart or a model as it is."""
    match artifact.type, addition:
        case _, "build_history":
            return Response(build_history(registry(), artifact), content_type=JSON)
        case _, "files":
            return Response(modelpacks.files(artifact), content_type=JSON)
        case "CNAI", _:
            return text(modelpacks.read_document(registry(), artifact, addition), addition)
    chart = read_chart(registry(), artifact)
    if addition == "dependencies":
        return Response(chart.dependencies, content_type=JSON)
    return text(chart.readme if addition == "readme.md" else chart.values, addition)


def text(content: str, addition: str) -> HttpResponse:
    """A file as it is: a readme is Markdown."""
    kind = "markdown" if addition == "readme.md" else "plain"
    return HttpResponse(content, content_type=f"text/{kind}; charset=utf-8")


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
