"""The yardsticks: the same answer without Django, database or any decision, and a Django view that does nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jwt

from tokens.keys import KeyFolder

Start = Callable[[str, list[tuple[str, str]]], object]
KEY = KeyFolder(Path(os.environ["HAVEN_DATA"]) / "keys").read().signing


def sign(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """A WSGI application that signs the claims of a robot's token for two repositories, whoever asks."""
    now = int(time.time())
    access = [{"type": "repository", "name": name, "actions": ["pull", "push"]} for name in ("p0/app", "p1/app")]
    claims = {
        "iss": "harbor-token-issuer",
        "sub": "robot$bench",
        "aud": "harbor-registry",
        "exp": now + 1800,
        "nbf": now - 60,
        "iat": now,
        "jti": os.urandom(8).hex(),
        "access": access,
        "haven": {"k": "robot", "i": 1, "e": 0},
    }
    token = jwt.encode(claims, KEY.private, algorithm="ES256", headers={"kid": KEY.kid})
    body = json.dumps({"token": token, "access_token": token, "expires_in": 1800}).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def manifest(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """A WSGI application that verifies the token of the request and answers the one manifest there is."""
    token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    try:
        jwt.decode(
            token,
            KEY.public,
            algorithms=["ES256"],
            audience="harbor-registry",
            issuer="harbor-token-issuer",
            leeway=60,
        )
    except jwt.PyJWTError:
        start("401 Unauthorized", [("Content-Length", "0")])
        return []
    start("200 OK", [*MANIFEST_HEADERS, ("Content-Length", str(len(MANIFEST)))])
    return [MANIFEST]


MANIFEST_FILE = Path(os.environ["HAVEN_DATA"]) / "manifest.json"
MANIFEST = MANIFEST_FILE.read_bytes() if MANIFEST_FILE.exists() else b""
MANIFEST_HEADERS = [("Content-Type", "application/vnd.oci.image.manifest.v1+json")]
