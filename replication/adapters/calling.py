"""How an adapter speaks to a vendor's own API: JSON over the guarded session, bounded, no redirects, clear refusals.

What comes back is not believed: bodies are limited, lists end, and none of a foreign body's words are in an error.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from registry import http
from registry.auth import Challenge, challenges
from registry.errors import Denied, RegistryError, Unauthorized, Unavailable, error_for
from registry.transport import REDIRECTS

ANSWER = 8 * 1024 * 1024
"""Bytes of one answer that are read."""
MOST_PAGES = 10_000
T = TypeVar("T")
Sign = Callable[[http.Request], None]
"""Puts the credentials into a request that is otherwise ready."""


@dataclass(frozen=True)
class Answer:
    """What an API answered; `document` is None where the body is not JSON."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    document: Any = None

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def get(self, *path: str) -> Any:
        """The value at this path of the document; None where there is none."""
        return at(self.document, *path)

    def text(self, *path: str) -> str:
        """As `get`; empty for what is no text."""
        value = self.get(*path)
        return value if isinstance(value, str) else ""

    def entries(self, *path: str) -> list[dict[str, Any]]:
        """The objects of the list at this path."""
        return objects(self.get(*path))


@dataclass(frozen=True)
class Api:
    """A vendor's API at `url`."""

    url: str
    session: http.Session
    sign: Sign = field(default=lambda request: None, repr=False)

    def send(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, object]] = (),
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status. Raises Unavailable for none, or one that leads elsewhere."""
        pairs = [(name, str(value)) for name, value in query]
        address = f"{self.url.rstrip('/')}{path}" + (f"?{encoded(pairs)}" if pairs else "")
        given = {"Accept": "application/json", **(headers or {})}
        if body is not None:
            given = {"Content-Type": "application/json", **given}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = http.Request(method, address, headers=given, data=content)
        self.sign(request)
        response = self.session.send(self.session.prepare_request(request))
        if response.status_code in REDIRECTS:
            response.close()
            raise Unavailable("the registry's API answers with a redirect: give the address that it leads to")
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, _document(http.read(response, ANSWER)))

    def ask(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, object]] = (),
        body: Any = None,
        *,
        also: tuple[int, ...] = (),
        headers: Mapping[str, str] | None = None,
        what: str = "",
    ) -> Answer:
        """The answer, if it is a 2xx or one of `also`; `what` says in an error what could not be done."""
        answer = self.send(method, path, query, body, headers)
        if not answer.is_good and answer.status not in also:
            raise refusal(answer, what)
        return answer


def refusal(answer: Answer, what: str = "") -> RegistryError:
    """What an API's refusal stands for, in our words."""
    if answer.status == 401:
        return Unauthorized("the registry refuses these credentials")
    wait = _asked_to_wait(answer)
    if answer.status == 403 and wait is None:
        return Denied(f"the account may not do this there{': ' if what else ''}{what}")
    status = 429 if answer.status == 403 else answer.status  # GitHub's limits
    error = error_for(status, message=what or "the registry's API answers with an error")
    error.retry_after = wait
    return error


def _asked_to_wait(answer: Answer) -> int | None:
    """Seconds that the API asks us to wait: by Retry-After, or by the moment at which Docker Hub (X-Retry-After) or
    GitHub (X-RateLimit-Reset, when nothing remains) will listen again."""
    seconds = answer.headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}", seconds, re.ASCII):
        return min(int(seconds), http.LONGEST_WAIT)
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    moment = answer.headers.get("x-retry-after") or (answer.headers.get("x-ratelimit-reset", "") if spent else "")
    if re.fullmatch(r"\d{10}", moment, re.ASCII):
        return min(max(int(moment) - int(time.time()), 0), http.LONGEST_WAIT)
    return None


def challenge_of(url: str, session: http.Session) -> Challenge:
    """What the v2 API at `url` asks of somebody who brings nothing: a Bearer challenge before others."""
    response = session.ask("GET", f"{url.rstrip('/')}/v2/")
    response.close()
    found = challenges(response.headers.get("WWW-Authenticate", ""))
    bearer = [challenge for challenge in found if challenge.scheme == "bearer"]
    return (bearer or found or [Challenge("", {})])[0]


def basic(username: str, secret: str) -> Sign:
    """Signs by Basic; nothing where there is no user name."""
    pair = base64.b64encode(f"{username}:{secret}".encode()).decode()
    return bearing(f"Basic {pair}" if username else "")


def bearing(authorization: str) -> Sign:
    """Signs with this Authorization header, if it is not empty."""

    def sign(request: http.Request) -> None:
        if authorization:
            request.headers["Authorization"] = authorization

    return sign


def numbered(read: Callable[[int], tuple[list[T], bool]]) -> Iterator[T]:
    """The entries of pages 1, 2, ...: `read` gives a page's entries and whether another follows."""
    for number in range(1, MOST_PAGES + 1):
        entries, more = read(number)
        yield from entries
        if not more or not entries:
            return
    raise Unavailable("the registry's list does not end")


def marked(read: Callable[[str], tuple[list[T], str]]) -> Iterator[T]:
    """The entries of pages that name their successor: `read` is given its mark, empty for the first."""
    mark = ""
    for _ in range(MOST_PAGES):
        entries, following = read(mark)
        yield from entries
        if not following:
            return
        if following == mark:
            break
        mark = following
    raise Unavailable("the registry's list does not end")


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """A query by RFC 3986, as signatures have it: a space is %20."""
    return urlencode(list(pairs), quote_via=quote, safe="-_.~")


def part(text: str) -> str:
    """`text` as one component of a path."""
    return quote(text, safe="")


def host_of(url: str) -> str:
    """The host (and port, where it is not the scheme's own) of an address, as a Host header has it."""
    parts = urlsplit(url)
    standard = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.removesuffix(standard) if standard else parts.netloc


def at(document: Any, *path: str) -> Any:
    """The value at this path of a document; None where there is none."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty for what is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def texts(entries: Iterable[dict[str, Any]], name: str) -> Iterator[str]:
    """The texts of this name in `entries`."""
    return (entry[name] for entry in entries if isinstance(entry.get(name), str) and entry[name])


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
