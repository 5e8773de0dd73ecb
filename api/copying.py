"""Copying an artifact of this registry into another of its repositories."""

from __future__ import annotations

from urllib.parse import unquote

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, actor_of
from accounts.errors import BadRequest, Denied, NotFound
from api import parameters
from api.operations import operation
from api.shapes import Text
from api.views import Endpoint, created, project_of
from artifacts import actions, copying
from artifacts.models import Accessory, Artifact
from projects.permissions import PULL, find
from registry.errors import RegistryError
from registry.references import MAX_NAME, Reference, is_name, parse_digest
from tokens.upstream import registry


class Copying(Endpoint):
    @operation("CopyArtifact", status=201, query={"from": Text(required=True)})
    def post(self, request: Request, project_name: str, repository_name: str) -> Response:
        """Copied by its digest an artifact takes all its tags along, copied by a tag only this one."""
        origin = parse_origin(parameters.required(request, "from"))
        target = project_of(request, project_name, "artifact", "create", by_name=True)
        name = f"{target.name}/{unquote(repository_name)}"
        if not is_name(name):
            raise BadRequest(f"invalid repository name: {name[:MAX_NAME]}")
        source = source_of(actor_of(request), origin)
        tags = sorted(tag.name for tag in source.tags.all()) if origin.is_digest else [origin.identifier]
        copies = copying.prepare(registry(), source, target.pk, name, tuple(tags))
        actions.record_copy(actor_of(request), source, target, copies)
        return created(request, origin.identifier)


def parse_origin(text: str) -> Reference:
    """`project/repository:tag` or `project/repository@digest`; the digest counts where both are given."""
    name, by_digest, digest = text.partition("@")
    name, _, tag = name.partition(":")
    try:
        origin = Reference.parse(name, parse_digest(digest) if by_digest else tag)
    except RegistryError:
        origin = None
    if origin is None or origin.repository == origin.project:
        raise BadRequest(f"invalid input: {text[:MAX_NAME]}")
    return origin


def source_of(actor: Actor, origin: Reference) -> Artifact:
    """The artifact to copy, for who may look at it and pull it. An accessory goes where its subject goes."""
    find(actor, "artifact", "read", name=origin.project)
    project = find(actor, *PULL, name=origin.project)
    rows = Artifact.objects.filter(repository__project=project, repository__name=origin.repository)
    named = rows.filter(digest=origin.identifier) if origin.is_digest else rows.filter(tags__name=origin.identifier)
    source = named.select_related("repository__project").first()
    if source is None:
        raise NotFound(f"artifact {origin} not found")
    if Accessory.objects.filter(artifact=source).exists():
        raise Denied("the operation isn't supported for an artifact accessory")
    return source
