"""The path a client really sent. A repository's name holds slashes, which clients send as `%252F` or `%2F`, so a path
must be cut into segments before it is decoded."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from django.http import HttpRequest

BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadPath(ValueError):
    """A path that no client of good faith sends: dots that climb, control characters, escapes that are none."""


def raw_path(request: HttpRequest) -> str:
    """The path of `request` as it came over the wire, without the query; fit for a header."""
    sent = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or quote(request.path)
    path = sent.partition("?")[0].partition("#")[0]
    if not path.startswith("/"):  # the absolute form, `GET http://host/path`
        path = "/" + path.partition("://")[2].partition("/")[2]
    return quote(path, safe="/%:@!$&'()*+,;=~-._")


def canonical(path: str) -> str:
    """`path` decoded once, segment by segment; a slash inside a segment stays `%2F`. BadPath for what is not one."""
    if BROKEN_ESCAPE.search(path):
        raise BadPath("invalid URL escape")
    try:
        segments = [unquote(segment, errors="strict") for segment in path.split("/") if segment]
    except UnicodeDecodeError as error:
        raise BadPath("the path is not UTF-8") from error
    for segment in segments:
        twice = unquote(segment)
        if CONTROL.search(twice) or {".", ".."} & set(twice.split("/")):
            raise BadPath("invalid path")
    return "/" + "/".join(segment.replace("/", "%2F") for segment in segments)
