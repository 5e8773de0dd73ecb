"""How requests reach a registry and what comes back: signed, followed no further than the protocol needs, judged.

What `registry.client` builds its questions upon.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

from registry import http
from registry.auth import Auth, Flow, Need, NoAuth
from registry.errors import Blocked, RegistryError, Unavailable, error_for

MAX_HOPS = 5
REDIRECTS = (301, 302, 303, 307, 308)


class Transport:
    """A registry at `base_url` (`https://host`, or `http+unix://%2Fpath` for a socket), spoken to through `session`.

    `upload_hosts` are the hosts beside its own that uploads may go on at, by https and without credentials.
    """

    def __init__(
        self, base_url: str, session: http.Session, auth: Auth | None = None, upload_hosts: frozenset[str] = frozenset()
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.session = session
        self.auth = auth or NoAuth()
        self.upload_hosts = upload_hosts

    @contextmanager
    def ask(
        self,
        method: str,
        path: str,
        needs: tuple[Need, ...],
        headers: dict[str, str] | None = None,
        data: Any = None,
        patience: float | None = None,
    ) -> Iterator[http.Response]:
        """The answer of the registry itself, if it is a 2xx. Raises what its status and error code stand for.

        `patience` is the seconds that it may take to answer, where that is not the session's.
        """
        url = path if "://" in path else f"{self.base_url}{path}"
        request = http.Request(method, url, headers=dict(headers or {}), data=data)
        response = self._authorized(request, needs, patience)
        with http.closing(response):
            if not 200 <= response.status_code < 300:
                raise _error(response, method)
            yield response

    def follow(
        self, method: str, path: str, needs: tuple[Need, ...], headers: dict[str, str] | None = None
    ) -> http.Response:
        """As `ask`, for blobs: the registry may point to where the bytes are. No credentials go there.

        The answer is the caller's to close.
        """
        url = f"{self.base_url}{path}"
        response = self._authorized(http.Request(method, url, headers=dict(headers or {})), needs)
        for _ in range(MAX_HOPS):
            if response.status_code not in REDIRECTS:
                break
            response.close()
            url = urljoin(url, response.headers.get("Location", ""))
            allowed = ("https",) if self.base_url.startswith("https:") else ("http", "https")
            if http.origin(url)[0] not in allowed:
                raise Blocked("the registry points somewhere that is not as safe as itself")
            response = self.session.ask(method, url, headers=headers)
        if 200 <= response.status_code < 300:
            return response
        with http.closing(response):
            raise _error(response, method)

    def _authorized(
        self, request: http.Request, needs: tuple[Need, ...], patience: float | None = None
    ) -> http.Response:
        flow: Flow = self.auth.flow(request, needs)
        request = next(flow)
        while True:
            timeout = (self.session.timeout[0], patience) if patience else None
            response = self.session.send(self.session.prepare_request(request), timeout=timeout)
            try:
                request = flow.send(response)
            except StopIteration:
                return response

    def location(self, response: http.Response) -> str:
        """Where an upload goes on."""
        location = response.headers.get("Location", "")
        if not location:
            raise Unavailable("the registry does not say where to go on")
        return location if self._is_upload_host(location) else self.resolve(location)

    def is_upload_address(self, location: str) -> bool:
        """Whether an address that was kept is still one that uploads may go on at."""
        return self._is_upload_host(location) or http.origin(location) == http.origin(self.base_url)

    def _is_upload_host(self, location: str) -> bool:
        return location.startswith("https://") and http.origin(location)[1] in self.upload_hosts

    def resolve(self, target: str) -> str:
        """`target` as a full URL, if it stays with the registry. Raises Blocked where it leads to a stranger."""
        if target.startswith("/") and not target.startswith("//"):
            return f"{self.base_url}{target}"
        if "://" in target and http.origin(target) == http.origin(self.base_url):
            return target
        raise Blocked("the registry points to another host")


def _one_line(text: Any) -> str:
    """A stranger's words, without what no database holds and no line shows."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text or "")[:1024])


def _error(response: http.Response, method: str) -> RegistryError:
    """What the answer stands for: by its JSON body, or by status and path where it has none (HEAD)."""
    entry: Any = {}
    if method != "HEAD":
        try:
            entry = http.read_json(response, http.ERROR_BODY)["errors"][0]
        except Exception:
            entry = {}
    entry = entry if isinstance(entry, dict) else {}
    code, message = (_one_line(entry.get(name)) for name in ("code", "message"))
    if response.status_code == 404 and code not in ("NAME_UNKNOWN", "BLOB_UPLOAD_UNKNOWN"):
        if "/manifests/" in response.url:
            code = "MANIFEST_UNKNOWN"
        elif "/blobs/" in response.url:
            code = "BLOB_UNKNOWN"
    error = error_for(response.status_code, code, message, entry.get("detail"))
    error.retry_after = http.retry_after(response)
    return error
