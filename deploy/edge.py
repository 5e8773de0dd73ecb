"""Writes the edge's nginx configuration from `edge.conf`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

TEMPLATE = Path(__file__).with_name("edge.conf")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
NAME = f"{_PART}(?:/{_PART})+"
"""A repository's name (OCI distribution-spec), with its project before the first slash."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Edge:
    """Where the edge listens, to whom it answers, and who stands behind it."""

    listen: str
    """`127.0.0.1:8080`"""
    external_url: str
    web: str
    """`unix:/run/haven/web.sock` or `web:8000`"""
    registry: str
    folder: Path
    """Temporary files and the pid; private to this edge."""
    access_log: str
    error_log: str
    loopback: bool = False
    """Answer to localhost's names too."""
    workers: int = 2
    files: int = 16384
    user: str = ""
    """Whom nginx's workers run as, where it is started by root."""
    certificate: str = ""
    certificate_key: str = ""
    trusted_proxies: tuple[str, ...] = ()

    def configuration(self) -> str:
        """The whole nginx configuration."""
        text = TEMPLATE.read_text()
        for key, value in {**self._server(), **self._snippets(), "name": NAME}.items():
            text = text.replace(f"<<{key}>>", value)
        if left := re.search(r"<<\w+>>", text.partition("\n\n")[2]):
            raise AssertionError(f"edge.conf asks for {left[0]}, which nobody fills in")
        return text

    def _server(self) -> dict[str, str]:
        ssl = " ssl" if self.certificate else ""
        names = [urlsplit(self.external_url).netloc.rsplit("@")[-1]]
        names = [re.sub(r":\d+$", "", names[0]), *(LOOPBACK_NAMES if self.loopback else ())]
        certificate = f"ssl_certificate {self.certificate}; ssl_certificate_key {self.certificate_key};" if ssl else ""
        user = f"user {self.user};" if self.user else ""
        trusted = " ".join(f"set_real_ip_from {network};" for network in self.trusted_proxies)
        return {
            "user": user,
            "workers": str(self.workers),
            "files": str(self.files),
            "folder": str(self.folder),
            "access_log": f"{self.access_log} haven",
            "error_log": self.error_log,
            "web": self.web,
            "registry": self.registry,
            "external": self.external_url,
            "default_listen": f"listen {self.listen}{ssl} default_server backlog=4096;",
            "listen": f"listen {self.listen}{ssl};",
            "names": " ".join(dict.fromkeys(names)),
            "tls": certificate,
            "real_ip": f"{trusted} real_ip_header X-Forwarded-For; real_ip_recursive on;" if trusted else "",
        }

    def _snippets(self) -> dict[str, str]:
        """Directives that several locations share. nginx forgets inherited headers wherever one is set, so every
        location carries the whole list."""
        url = urlsplit(self.external_url)
        forwarded = [
            f"proxy_set_header Host {url.netloc};",
            f"proxy_set_header X-Forwarded-Proto {url.scheme};",
            "proxy_set_header X-Real-IP $remote_addr;",
            "proxy_set_header X-Request-Id $id;",
            # Never the client's word: what is asked again of another process is still one request.
            "proxy_set_header X-Edge-Id $request_id;",
            "proxy_set_header X-Upload-Length $content_length;",
            'proxy_set_header Connection "";',
            *(f'proxy_set_header {name} "";' for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Proxy")),
        ]
        answer = ["proxy_hide_header X-Request-Id;", "add_header X-Request-Id $id always;"]
        registry = [
            *forwarded,
            # A body that calls itself a form would be read as one, and its bytes lost.
            "proxy_set_header Content-Type application/octet-stream;",
            *answer,
            "proxy_hide_header Docker-Content-Digest;",
            "add_header Docker-Content-Digest $shown_digest always;",
            "proxy_hide_header Location;",
            "add_header Location $shown_location always;",
            # Measured with a 500 MB blob: twice as fast as nginx's own sizes, and nothing on disk.
            "proxy_buffer_size 1m; proxy_buffers 4 1m; proxy_busy_buffers_size 2m; proxy_max_temp_file_size 0;",
            "proxy_read_timeout 900s;",  # the registry hashes a large layer before it answers
            "proxy_send_timeout 60s;",
        ]
        web = [*forwarded, *answer, "proxy_buffer_size 16k; proxy_buffers 8 16k;", "proxy_read_timeout 120s;"]
        snippets = {
            "to_registry": ["proxy_pass http://registry$uri$is_args$args;", *registry, *REGISTRY_PAGES],
            "to_registry_path": ["proxy_pass http://registry$registry_path;", *registry, *REGISTRY_PAGES],
            "to_web": ["proxy_pass http://web;", *web],
            "web_headers": forwarded,
            "error_pages": ERROR_PAGES,
        }
        return {key: _block(lines) for key, lines in snippets.items()} | {"errors": _errors()}


def _block(lines: list[str]) -> str:
    return "\n            ".join(lines)


_ERRORS = {
    "bad_request": (400, "UNSUPPORTED", "the request is malformed, or its path is not in its canonical form"),
    "nothing": (404, "NAME_UNKNOWN", "there is nothing at this path"),
    "bad_method": (405, "UNSUPPORTED", "the method is not supported here"),
    "too_large": (413, "SIZE_INVALID", "the request body is larger than this address accepts"),
    "too_long": (414, "NAME_INVALID", "the request line is too long"),
    "plain_http": (400, "UNSUPPORTED", "this address speaks https"),
    "storage": (503, "UNAVAILABLE", "the storage failed or is full: ask the administrator, and try again later"),
    "unavailable": (503, "UNAVAILABLE", "a part of Haven is starting or restarting, try again"),
    "too_slow": (504, "UNAVAILABLE", "a part of Haven did not answer in time, try again"),
}
"""What nginx itself has to say, in the form of the OCI specification, which is Harbor's too."""

_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Haven</title>"
    "<p>Haven is starting or restarting. Try again in a moment.</p>"
    "<p lang=zh-Hans>Haven 正在启动或重新启动，请稍后再试。</p></html>"
)


ERROR_PAGES = [
    "error_page 400 411 494 500 501 505 = /_error/bad_request;",
    "error_page 404 = /_error/nothing;",
    "error_page 405 = /_error/bad_method;",
    "error_page 413 = /_error/too_large;",
    "error_page 414 = /_error/too_long;",
    "error_page 497 = /_error/plain_http;",
    "error_page 502 503 = /_error/unavailable;",
    "error_page 504 = /_error/too_slow;",
]
"""nginx forgets these, too, in every location that has one of its own."""
REGISTRY_PAGES = [
    "proxy_intercept_errors on;",
    "error_page 417 = /_error/bad_request;",  # ours; a 400 is the registry's, and its own words are kept
    "error_page 500 507 = /_error/storage;",
    "error_page 502 503 = /_error/unavailable;",
    "error_page 504 = /_error/too_slow;",
]
"""What the registry says when its storage fails names the files it keeps, so nobody hears it."""


def _errors() -> str:
    locations = []
    for name, (status, code, message) in _ERRORS.items():
        body = json.dumps({"errors": [{"code": code, "message": message}]})
        headers = ["add_header X-Request-Id $id always;"]
        if status == 405:
            headers.append('add_header Allow "GET, HEAD, POST, PUT, PATCH, DELETE" always;')
        if status >= 500:
            headers.append("add_header Retry-After 1 always;")
        lines = ["default_type application/json;", *headers, f"return {status} '{body}';"]
        locations.append(f"location = /_error/{name} {{ internal; {' '.join(lines)} }}")
    page = ["default_type text/html;", "charset utf-8;", "add_header Retry-After 1 always;", f"return 503 '{_PAGE}';"]
    locations.append(f"location = /_error/page {{ internal; {' '.join(page)} }}")
    return "\n        ".join(locations)
