"""The v2 protocol (OCI distribution specification 1.1): one view, one table of what may be done with what."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from gateway import blobs, lists, manifests
from gateway.callers import identify
from gateway.errors import VERSION, answer_to
from gateway.paths import Address, Kind, parse
from registry.errors import NameInvalid, Unsupported

Handler = Callable[[HttpRequest, Address], HttpResponse]


def ping(request: HttpRequest, address: Address) -> HttpResponse:
    """The protocol is spoken here, and the caller is known."""
    identify(request)
    return HttpResponse(b"{}", content_type="application/json")


HANDLERS: dict[Kind, dict[str, Handler]] = {
    Kind.PING: {"GET": ping, "HEAD": ping},
    Kind.CATALOG: {"GET": lists.catalog, "HEAD": lists.catalog},
    Kind.TAGS: {"GET": lists.tags, "HEAD": lists.tags},
    Kind.REFERRERS: {"GET": lists.referrers, "HEAD": lists.referrers},
    Kind.MANIFEST: {
        "GET": manifests.read,
        "HEAD": manifests.read,
        "PUT": manifests.put,
        "DELETE": manifests.delete,
    },
    # Only what the edge does not send to the registry by itself comes here: see deploy/edge.conf.
    Kind.BLOB: {"GET": blobs.read, "HEAD": blobs.read},
    Kind.UPLOADS: {"POST": blobs.start},
    Kind.UPLOAD: {"GET": blobs.go_on, "PATCH": blobs.go_on, "PUT": blobs.go_on, "DELETE": blobs.cancel},
}


def v2(request: HttpRequest) -> HttpResponse:
    """Everything below /v2/. Whatever goes wrong is answered in the protocol's form."""
    method = request.method or ""
    address, source = None, ""
    try:
        address = parse(canonical_path(request))
        source = blobs.mount_source(request) if address.kind is Kind.UPLOADS else ""
        handler = HANDLERS[address.kind].get(method)
        if handler is None:
            raise Unsupported(f"{method} is not supported here")
        response = handler(request, address)
    except Exception as error:
        response = answer_to(error, address, method, source)
    response.headers[VERSION] = "registry/2.0"
    if method == "HEAD" and "X-Accel-Redirect" not in response:
        response.headers["Content-Length"] = str(len(response.content))
        response.content = b""
    return response


def canonical_path(request: HttpRequest) -> str:
    """The path, if it was sent as it is understood. Raises NameInvalid for escapes that two readers could read in two
    ways."""
    path = request.path_info
    if path == "/v2":
        path = "/v2/"
    elif "RAW_URI" in request.META and request.META["RAW_URI"].partition("?")[0] != path:
        raise NameInvalid("the path is not canonical", {"path": path[:255]})
    return path
