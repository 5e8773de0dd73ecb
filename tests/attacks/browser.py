"""A browser with a session, as Django's test client sees one: it sends its cookies wherever a page tells it to."""

from __future__ import annotations

import re

from django.test import Client

from tests.cast import PASSWORD

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SIGN_IN = "/account/sign-in"


def form_token(client: Client, path: str = SIGN_IN) -> str:
    """The token of a page's first form."""
    found = TOKEN.search(client.get(path).content.decode())
    assert found, path
    return found[1]


def signed_in(name: str, password: str = PASSWORD) -> Client:
    """A browser in which `name` signed in to the portal."""
    client = Client(enforce_csrf_checks=True)
    answer = client.post(SIGN_IN, {"username": name, "password": password, "csrfmiddlewaretoken": form_token(client)})
    assert answer.status_code == 302, answer.content
    return client
