"""The pictures of the kinds of artifacts, by digest: an artifact's `icon` names one. They are our own, drawn here."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import NotFound
from api import parameters
from api.operations import operation
from api.shapes import Shape, Text
from api.views import Endpoint

MEDIA_TYPE = "image/svg+xml"
DEFAULT = "M10 14 25 6l15 8v22l-15 8-15-8zM10 14l15 8 15-8M25 22v22"
STROKES = {
    "IMAGE": "M8 12h34v7H8zM8 22h34v7H8zM8 32h34v7H8z",
    "CHART": "M25 8v34M8 25h34M13 13l24 24M37 13 13 37M25 17a8 8 0 1 0 .1 0",
    "CNAB": "M8 16h34v26H8zM8 16l6-8h22l6 8M21 16v10h8V16",
    "WASM": "M8 8h34v34H8zM14 18l4 16 4-12 4 12 4-16M33 34l3-14 3 14",
    "SBOM": "M12 6h18l8 8v30H12zM30 6v8h8M18 22h14M18 29h14M18 36h9",
    "signature.cosign": "M8 38h34M12 32c8-20 14-22 16-18s-8 16-2 16 8-8 12-8",
    "signature.notation": "M8 38h34M12 30c4-14 8-14 8-4s6 6 8-2 6-6 10 2",
    "sbom.harbor": "M12 6h18l8 8v30H12zM30 6v8h8M18 24l4 4 8-10M18 36h14",
    "accelerator.nydus": "M25 8a17 17 0 1 0 .1 0M25 25l9-9M25 25v-3",
}


def drawn(strokes: str) -> str:
    """A picture of 50 by 50 points, of these strokes."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50" viewBox="0 0 50 50" fill="none" '
        'stroke="#2f5597" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{strokes}"/></svg>'
    )


def digest(picture: str) -> str:
    return f"sha256:{hashlib.sha256(picture.encode()).hexdigest()}"


PICTURES = {digest(drawn(strokes)): drawn(strokes) for strokes in (DEFAULT, *STROKES.values())}


@cache
def icon_of(kind: str) -> str:
    """The digest of the picture of artifacts, or accessories, of this type."""
    return digest(drawn(STROKES.get(kind, DEFAULT)))


class Icon(Shape):
    content = Text()

    def get_fields(self) -> dict[str, object]:  # type: ignore[override]
        return {"content-type": Text(source="media_type"), **super().get_fields()}


class OneIcon(Endpoint):
    @operation("getIcon", Icon, anybody=True)
    def get(self, request: Request, digest: str) -> Response:
        picture = PICTURES.get(parameters.clean(digest, "digest", "path"))
        if picture is None:
            raise NotFound(f"the icon {digest} not found")
        content = base64.b64encode(picture.encode()).decode()
        return Response(Icon.of({"media_type": MEDIA_TYPE, "content": content}))


routes = [path("icons/<digest>", OneIcon.as_view())]
