"""Lists: tags, repositories, referrers. All from the database, in the order of their bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db import connection, models
from django.db.models.functions import Collate
from django.http import HttpRequest, HttpResponse, JsonResponse

from artifacts.description import MOST_SHOWN
from artifacts.models import Artifact, Manifest, Repository, Tag
from gateway.callers import authorize, authorize_catalog
from gateway.paths import Address
from registry.errors import NameUnknown, PaginationNumberInvalid
from registry.manifests import OCI_INDEX
from registry.references import MAX_NAME, parse_digest

LONGEST_PAGE = 10_000
LARGEST_INDEX = 4 * 1024 * 1024
"""Bytes of the manifests that one page of referrers stands for: what they say of themselves is not larger."""
MOST_REFERRERS = 1000
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
    """An index of what has this digest as its subject, whether the subject is there or not; page by page if large."""
    digest = parse_digest(address.identifier)
    found = authorize(request, address.repository, "pull")
    artifacts = Artifact.objects.filter(repository=found.repository_id, subject_digest=digest).order_by("pk")
    headers, query = {}, {}
    if wanted := request.GET.get("artifactType", ""):
        artifacts = artifacts.filter(artifact_type=wanted)
        headers["OCI-Filters-Applied"] = "artifactType"
        query["artifactType"] = wanted
    artifacts = artifacts.filter(pk__gt=_number(request, "last", 0)) if found.repository_id else artifacts.none()
    page, is_cut = _cut(artifacts.values_list("pk", "manifest_size")[: MOST_REFERRERS + 1])
    if is_cut:
        headers["Link"] = f'<{address.path}?{urlencode({**query, "last": page[-1]})}>; rel="next"'
    columns = ("pk", "media_type", "digest", "manifest_size", "artifact_type", "annotations")
    entries = [_descriptor(*row) for row in artifacts.filter(pk__lte=page[-1]).values_list(*columns)] if page else []
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return JsonResponse(index, content_type=OCI_INDEX, headers=headers)


def _cut(sizes: Iterable[tuple[int, int]]) -> tuple[list[int], bool]:
    """Of artifacts, given as ids and sizes, the ids of as many as fit into one answer; and whether some did not."""
    page: list[int] = []
    total = 0
    for pk, size in sizes:
        total += size
        if page and (total > LARGEST_INDEX or len(page) == MOST_REFERRERS):
            return page, True
        page.append(pk)
    return page, False


def _descriptor(
    pk: int, media_type: str, digest: str, size: int, artifact_type: str, annotations: Any
) -> dict[str, Any]:
    if not annotations and size > MOST_SHOWN:
        annotations = json.loads(bytes(Manifest.objects.get(pk=pk).content)).get("annotations")
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
    return min(_number(request, "n", LONGEST_PAGE), LONGEST_PAGE)


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise PaginationNumberInvalid(detail={name: text[:32]})
    return int(text)
