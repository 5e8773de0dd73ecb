"""Calling the API as a client does: with the path as it was sent, by Basic or by a session."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.test import Client
from django.urls import Resolver404, URLPattern

from accounts.models import User
from api.operations import Placed, methods
from api.urls import routes
from tests.cast import PASSWORD

BASE = "/api/v2.0"


@dataclass
class Caller:
    """Somebody who calls: a user or a robot by name and secret, or nobody."""

    name: str = ""
    secret: str = ""
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer to `method` of `path` below the API; `body` is sent as JSON, or as it is if it is bytes."""
        return self.raw(method, BASE + path, body, **headers)

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content_type = headers.pop("content_type", "application/json")
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if self.name:
            token = base64.b64encode(f"{self.name}:{self.secret}".encode()).decode()
            headers.setdefault("Authorization", f"Basic {token}")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(method, path, sent, content_type, headers=given, RAW_URI=path)
        require_documented(method, path, response)
        return response

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("DELETE", path, **headers)


def require_documented(method: str, path: str, response: Any) -> None:
    """Fail if an operation answers what our OpenAPI does not tell of it."""
    view = None
    with suppress(Resolver404):
        view = getattr(response.resolver_match.func, "view_class", None)
    if told := statuses().get((view, method)):
        assert response.status_code in told, f"{method} {path} is {response.status_code}, documented are {told}"


@cache
def statuses() -> dict[tuple[type | None, str], list[int]]:
    """Every status that each method of each view may answer."""
    told: dict[tuple[type | None, str], list[int]] = {}
    for route in (found for found in routes() if isinstance(found, URLPattern)):
        for module, method, where, declared in methods([route]):
            if declared:
                found = Placed(declared, method, where, module)
                told.setdefault((getattr(route.callback, "view_class", None), method), []).extend(
                    [declared.status, *found.refusals]
                )
    return told


def caller(user: User | None) -> Caller:
    """`user` by name and password; nobody for None."""
    return Caller(user.username, PASSWORD) if user else Caller()


def code(response: Any) -> str:
    """The code of the error that `response` tells, in Harbor's form and no other."""
    body = json.loads(response.content)
    assert response["Content-Type"] == "application/json; charset=utf-8", response.content
    assert response.content.endswith(b"}\n")
    assert set(body) == {"errors"} and len(body["errors"]) == 1, body
    assert set(body["errors"][0]) == {"code", "message"}
    assert "WWW-Authenticate" not in response
    found: str = body["errors"][0]["code"]
    return found


def message(response: Any) -> str:
    found: str = json.loads(response.content)["errors"][0]["message"]
    return found
