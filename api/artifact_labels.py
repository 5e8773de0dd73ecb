"""Labels put on artifacts, and taken off."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import NotFound
from api import parameters
from api.artifacts import OF_REPOSITORY, artifact_of
from api.labels import Label
from api.operations import operation
from api.views import Endpoint, done
from artifacts import actions
from artifacts.models import Artifact
from projects import models


def usable(artifact: Artifact, pk: int) -> models.Label:
    """The label of that id, if the artifact may carry it: others might as well not be there."""
    label = models.Label.objects.usable_in(artifact.repository.project).filter(pk=pk).first()
    if label is None:
        raise NotFound(f"label {pk} not found in the project {artifact.repository.project.name}")
    return label


class ArtifactLabels(Endpoint):
    @operation("addLabel", body=Label, errors=(409,))
    def post(self, request: Request, project_name: str, repository_name: str, reference: str) -> Response:
        asked = Label.read(request, "label")
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact-label", "create")
        actions.attach_label(actor_of(request), artifact, usable(artifact, asked.get("id", 0)))
        return done()


class OneArtifactLabel(Endpoint):
    @operation("removeLabel")
    def delete(
        self, request: Request, project_name: str, repository_name: str, reference: str, label_id: str
    ) -> Response:
        pk = parameters.integer(label_id, "label_id")
        artifact = artifact_of(request, project_name, repository_name, reference, "artifact-label", "delete")
        actions.detach_label(actor_of(request), artifact, usable(artifact, pk))
        return done()


routes = [
    path(f"{OF_REPOSITORY}/<reference>/labels", ArtifactLabels.as_view()),
    path(f"{OF_REPOSITORY}/<reference>/labels/<label_id>", OneArtifactLabel.as_view()),
]
