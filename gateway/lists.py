"""Lists: tags, repositories, referrers. All from the database, in the order of their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db import connection, models
from django.db.models.functions import Collate
from django.http import HttpRequest, HttpResponse, JsonResponse

from artifacts.models import Artifact, Repository, Tag
from gateway.callers import authorize, authorize_catalog
from gateway.paths import Address
from registry.errors import NameUnknown, PaginationNumberInvalid
from registry.manifests import OCI_INDEX
from registry.references import MAX_NAME, parse_digest

LONGEST_PAGE = 10_000
Row = TypeVar("Row", bound=models.Model)


def tags(request: HttpRequest, address: Address) -> HttpResponse:
    """The repository's tags."""
    found = authorize(request, address.repository, "pull")
    if found.repository_id is None:
        raise NameUnknown(detail={"name": address.repository})
    names, link = _page(request, address, Tag.objects.filter(repository=found.repository_id))
    return JsonResponse({"name": address.repository, "tags": names}, headers=link)


def catalog(request: HttpRequest, address: Address) -> HttpResponse:
    """The names of all repositories that hold something, for administrators."""
    authorize_catalog(request)
    held = models.Exists(Artifact.objects.filter(repository=models.OuterRef("pk")))
    names, link = _page(request, address, Repository.objects.filter(held))
    return JsonResponse({"repositories": names}, headers=link)


def referrers(request: HttpRequest, address: Address) -> HttpResponse:
    """An index of what has this digest as its subject, whether the subject is there or not."""
    digest = parse_digest(address.identifier)
    found = authorize(request, address.repository, "pull")
    artifacts = Artifact.objects.filter(repository=found.repository_id, subject_digest=digest).order_by("pk")
    headers = {}
    if wanted := request.GET.get("artifactType", ""):
        artifacts = artifacts.filter(artifact_type=wanted)
        headers["OCI-Filters-Applied"] = "artifactType"
    columns = ("media_type", "digest", "manifest_size", "artifact_type", "annotations")
    entries = [_descriptor(*row) for row in artifacts.values_list(*columns)] if found.repository_id else []
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return JsonResponse(index, content_type=OCI_INDEX, headers=headers)


def _descriptor(media_type: str, digest: str, size: int, artifact_type: str, annotations: Any) -> dict[str, Any]:
    descriptor = {"mediaType": media_type, "digest": digest, "size": size}
    if artifact_type:
        descriptor["artifactType"] = artifact_type
    if annotations:
        descriptor["annotations"] = annotations
    return descriptor


def _page(request: HttpRequest, address: Address, rows: models.QuerySet[Row]) -> tuple[Sequence[str], dict[str, str]]:
    """The names that `n` and `last` ask for, and the Link header to those that follow."""
    size, last = _size(request), request.GET.get("last", "")[:MAX_NAME]
    # The database's own order may know languages; clients compare bytes.
    keyed = rows.annotate(key=Collate("name", "C" if connection.vendor == "postgresql" else "BINARY"))
    following = keyed.filter(key__gt=last) if last else keyed
    names = list(following.order_by("key").values_list("name", flat=True)[: size + 1])
    if len(names) <= size or not size:
        return names[:size], {}
    query = urlencode({"n": size, "last": names[size - 1]})
    return names[:size], {"Link": f'<{address.path}?{query}>; rel="next"'}


def _size(request: HttpRequest) -> int:
    """How many names one page holds. Raises PaginationNumberInvalid for what is no number."""
    text = request.GET.get("n")
    if text is None:
        return LONGEST_PAGE
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise PaginationNumberInvalid(detail={"n": text[:32]})
    return min(int(text), LONGEST_PAGE)
