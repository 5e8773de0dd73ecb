"""Manifests: served from the database, put into registry and database both."""

from __future__ import annotations

import hashlib
import logging
import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.errors import NotFound
from artifacts import actions
from artifacts.contents import Push, complete
from artifacts.models import Artifact, Tag
from audit.pulls import PullRecord, count_pull
from gateway.callers import authorize
from gateway.lookup import Found
from gateway.paths import Address
from gateway.rules import check_push
from registry.errors import Damaged, DigestInvalid, ManifestUnknown, NameUnknown, TagInvalid, TooLarge
from registry.manifests import MAX_MANIFEST, Manifest, parse
from registry.references import Reference, algorithm_of, digest_of
from tokens.upstream import registry

DIGEST = "Docker-Content-Digest"
_log = logging.getLogger(__name__)


def read(request: HttpRequest, address: Address) -> HttpResponse:
    """A manifest by tag or digest. A GET counts as a pull; nothing is written to the database on the way."""
    reference = _reference(address)
    found = authorize(request, address.repository, "pull", reference)
    content = _content(found, reference)
    tag = f'"{found.digest}"'
    headers = {DIGEST: found.digest or "", "ETag": tag}
    if tag in _asked_tags(request):
        return HttpResponse(status=304, headers=headers)
    if request.method == "GET":
        _count(request, found, reference)
    return HttpResponse(content, content_type=found.media_type, headers=headers)


def put(request: HttpRequest, address: Address) -> HttpResponse:
    """A manifest, by tag or digest. 201 says that the registry gave the same bytes back and that they are recorded."""
    reference = Reference.parse(address.repository, address.identifier)
    found = authorize(request, address.repository, "push")
    project = found.project
    if project is None:
        raise NameUnknown()
    manifest = _manifest(request)
    push = Push(reference, _digest(reference, manifest), manifest)
    check_push(push)
    artifact = actions.record_push(
        found.actor, project, complete(registry(), project.pk, push), permissions=found.permissions
    )
    headers = {"Location": f"/v2/{address.repository}/manifests/{artifact.digest}", DIGEST: artifact.digest}
    if manifest.subject:
        headers["OCI-Subject"] = manifest.subject.digest
    return HttpResponse(status=201, headers=headers)


def delete(request: HttpRequest, address: Address) -> HttpResponse:
    """A digest takes the artifact and its tags, a tag takes only itself."""
    reference = _reference(address)
    found = authorize(request, address.repository, "delete", reference)
    _require_found(found, reference)
    try:
        if found.tag_id:
            tag = Tag.objects.select_related("repository__project", "artifact").get(pk=found.tag_id)
            actions.delete_tag(found.actor, tag)
        else:
            artifacts = Artifact.objects.select_related("repository__project")
            actions.delete_artifact(found.actor, artifacts.get(pk=found.artifact_id or 0))
    except (Tag.DoesNotExist, Artifact.DoesNotExist, NotFound) as error:  # somebody was faster
        raise ManifestUnknown() from error
    return HttpResponse(status=202)


def _reference(address: Address) -> Reference:
    """What is asked for; what can be no tag is no manifest either."""
    try:
        return Reference.parse(address.repository, address.identifier)
    except TagInvalid as error:
        raise ManifestUnknown(detail={"tag": address.identifier[:128]}) from error


def _require_found(found: Found, reference: Reference) -> None:
    if found.repository_id is None:
        raise NameUnknown(detail={"name": reference.repository})
    if found.artifact_id is None:
        raise ManifestUnknown(f"manifest unknown: {reference.identifier}", {"reference": reference.identifier})


def _content(found: Found, reference: Reference) -> bytes:
    _require_found(found, reference)
    assert found.digest
    content = bytes(found.content or b"")
    algorithm, _, expected = found.digest.partition(":")
    if hashlib.new(algorithm, content).hexdigest() != expected:
        _log.critical("the database's copy of %s in %s is damaged", found.digest, reference.repository)
        raise Damaged("the manifest is damaged", {"digest": found.digest})
    return content


def _asked_tags(request: HttpRequest) -> list[str]:
    """The entity tags of If-None-Match. Weak ones mean the same: equal digests are equal bytes."""
    header = request.META.get("HTTP_IF_NONE_MATCH", "")
    return [tag.strip().removeprefix("W/") for tag in header.split(",")] if header else []


def _count(request: HttpRequest, found: Found, reference: Reference) -> None:
    assert found.artifact_id and found.digest and found.project_id
    count_pull(
        PullRecord(
            event_id=_event_id(request),
            artifact_id=found.artifact_id,
            digest=found.digest,
            tag="" if reference.is_digest else reference.identifier,
            repository=reference.repository,
            project_id=found.project_id,
            username=found.actor.name,
            time=timezone.now(),
            address=request.META.get("REMOTE_ADDR", ""),
        )
    )


def _event_id(request: HttpRequest) -> uuid.UUID:
    """The pull's id: the edge's for the request, so that one which it sends again, because whoever had it died before
    the answer was out, is one pull. The edge sets the header whatever a client sends."""
    try:
        return uuid.UUID(hex=request.META.get("HTTP_X_EDGE_ID", ""))
    except ValueError:
        return uuid.uuid4()


def _manifest(request: HttpRequest) -> Manifest:
    """The request's manifest, read strictly. Raises TooLarge before reading what says that it is."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > MAX_MANIFEST:
        raise TooLarge(f"the manifest is larger than {MAX_MANIFEST} bytes")
    content = request.read(MAX_MANIFEST + 1)
    return parse(content, request.META.get("CONTENT_TYPE", ""))


def _digest(reference: Reference, manifest: Manifest) -> str:
    """What the artifact will be called. Raises DigestInvalid where the client calls it something that it is not."""
    if not reference.is_digest:
        return manifest.digest
    actual = digest_of(manifest.content, algorithm_of(reference.identifier))
    if actual != reference.identifier:
        raise DigestInvalid(detail={"named": reference.identifier, "actual": actual})
    return actual
