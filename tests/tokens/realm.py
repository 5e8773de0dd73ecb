"""Asking the token realm, as clients do."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from tests.cast import PASSWORD
from tokens.signing import Claims, verify

Granted = dict[str, set[str]]


@dataclass
class Answer:
    """What the realm said; `granted` is what the token carries, by name."""

    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def claims(self) -> Claims:
        return verify(self.body["token"])

    @property
    def granted(self) -> Granted:
        return {scope.name: set(scope.actions) for scope in self.claims.access}


class Realm:
    """`/service/token`, asked by `address`."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        self.client = Client(REMOTE_ADDR=address)

    def get(self, *scopes: str, user: str = "", password: str = PASSWORD, header: str = "", **query: Any) -> Answer:
        """GET with Basic credentials, or with any `Authorization` header."""
        headers = {"Authorization": header or basic(user, password)} if header or user else {}
        parameters = {"service": settings.TOKEN_SERVICE, "scope": list(scopes), **query}
        parameters = {name: value for name, value in parameters.items() if value is not None}
        response = self.client.get("/service/token", parameters, headers=headers)
        return Answer(response.status_code, response.json(), response.headers)

    def post(self, **form: Any) -> Answer:
        """POST, the OAuth2 way."""
        fields = {"service": settings.TOKEN_SERVICE, "client_id": "test", **form}
        fields = {name: value for name, value in fields.items() if value is not None}
        response = self.client.post("/service/token", urlencode(fields), "application/x-www-form-urlencoded")
        return Answer(response.status_code, response.json(), response.headers)


def basic(user: str, password: str) -> str:
    """An `Authorization` header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
