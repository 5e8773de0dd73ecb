"""Tokens that end while a layer is on its way to a real registry, sooner than their realm says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from deploy.registry import generation_of
from replication.transfer import Options, Result, Unwatched, copy
from tests.registry.listener import Answer, Listener, listening
from tests.replication.plain import BINARY, Plain, client
from tests.replication.ways import CHUNK, OPTIONS, ORIGIN, OVERHEAD, SIZE, image, source
from tokens.keys import CERTIFICATES, KEY_SET, Key, KeyFolder

pytestmark = pytest.mark.stack
__all__ = ["image", "source"]

LIFETIME = 2
"""Seconds."""
LEEWAY = 60
"""Seconds that `distribution` lets clocks differ."""
RATE = 4 * 2**20
ISSUER, SERVICE = "realm", "guarded"


@dataclass
class Guarded:
    """A registry, and the realm whose tokens it takes."""

    registry: Plain
    realm: Listener


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    folder = KeyFolder(tmp_path / "keys")
    folder.prepare()
    key = folder.ring().signing
    with listening(lambda method, path: token_for(path, key)) as realm:
        token = {"realm": f"{realm.url}/token", "service": SERVICE, "issuer": ISSUER}
        token["rootcertbundle"] = str(tmp_path / "keys" / CERTIFICATES)
        if generation_of(BINARY) >= 3:
            token["jwks"] = str(tmp_path / "keys" / KEY_SET)
        registry = Plain(auth={"token": token})
        try:
            yield Guarded(registry.start(), realm)
        finally:
            registry.remove()


def token_for(path: str, key: Key) -> Answer:
    """What the realm answers: a token for what is asked, which it says will live much longer than it does."""
    asked, now = parse_qs(urlsplit(path).query), int(time.time())
    access = []
    for scope in asked.get("scope", []):
        kind, name, actions = scope.split(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    claims = {"iss": ISSUER, "sub": "", "aud": SERVICE, "jti": str(now), "access": access}
    times = {"exp": now + LIFETIME - LEEWAY, "nbf": now - 2 * LEEWAY, "iat": now - 2 * LEEWAY}
    token = jwt.encode({**claims, **times}, key.private, algorithm="ES256", headers={"kid": key.kid})
    return 200, {"Content-Type": "application/json"}, json.dumps({"token": token, "expires_in": 300}).encode()


class Slow(Unwatched):
    def throttle(self, count: int) -> float:
        return count / RATE


def test_a_token_that_ends_in_the_middle_of_a_layer(source: Plain, guarded: Guarded, tmp_path: Path) -> None:
    options = Options(**{**vars(OPTIONS), "bandwidth": RATE, "spool": tmp_path / "spool"})
    target = client(guarded.registry.url)

    outcome = copy(client(source.url), target, ORIGIN, ORIGIN, watch=Slow(), options=options)

    assert outcome.result == Result.COPIED
    renewed = len(guarded.realm.seen)
    assert SIZE / RATE / LIFETIME - 1 <= renewed <= 12, renewed
    assert outcome.bytes_sent <= SIZE + renewed * CHUNK + OVERHEAD and outcome.bytes_read <= SIZE + OVERHEAD
    manifest = client(source.url).get_manifest(ORIGIN)
    with target.get_blob(ORIGIN.repository, manifest.layers[0].digest) as stream:
        assert sum(map(len, stream)) == SIZE  # the stream checks the digest
