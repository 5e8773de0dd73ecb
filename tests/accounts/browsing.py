"""A browser that signs in at the provider."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from tests.oidc import Provider


def depart(client: Client, query: str = "") -> str:
    """Where the browser is sent."""
    response = client.get(f"/c/oidc/login{query}")
    assert response.status_code == 302, response.content
    return str(response["Location"])


def sign_in(provider: Provider, client: Client, query: str = "") -> Any:
    """The answer to a browser that comes back."""
    return come_back(client, provider.browse(depart(client, query)))


def come_back(client: Client, url: str) -> Any:
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://haven.test:8080/c/oidc/callback"
    return client.get(f"{parts.path}?{parts.query}")


def is_anybody(client: Client) -> bool:
    return "_auth_user_id" in client.session
