"""Where an upload stands, for a client that never heard the answer to its last chunk.

Its address says less than the upload holds. `distribution` 3 tells the difference, but 2.8 ends such an upload; so
where the registry's files and its secret are within reach, the address is written anew here.
"""

from __future__ import annotations

import time
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from artifacts.damage import storage
from gateway.paths import Address
from registry import states
from registry.errors import Unavailable

SETTLED = 1.0
"""Seconds after which an upload that has not grown is not being written to."""


def standing(request: HttpRequest, address: Address) -> HttpResponse | None:
    """The answer; None where the registry can give it itself.

    Raises Unavailable while a chunk is still being stored, and BlobUploadInvalid for an address that is not one.
    """
    state, stored = request.GET.get("_state", ""), storage().upload(address.repository, address.identifier)
    if not state or not settings.REGISTRY_HTTP_SECRET or stored is None or stored.size <= states.offset_of(state):
        return None
    if time.time() - stored.touched < SETTLED:
        raise Unavailable("the last chunk is still being stored", retry_after=1)
    moved = states.moved_to(state, stored.size, settings.REGISTRY_HTTP_SECRET)
    return HttpResponse(
        status=204,
        headers={
            "Location": f"{address.path}?{urlencode({'_state': moved})}",
            "Range": f"0-{stored.size - 1}",
            "Docker-Upload-UUID": address.identifier,
        },
    )
