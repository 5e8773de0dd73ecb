"""Tokens that are not ours, or not for us, or not for now: all refused. CVE-2025-24976 and its relatives."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from accounts.actors import ANONYMOUS, Actor, Kind
from registry.errors import Unauthorized
from tokens import signing
from tokens.keys import KeyFolder
from tokens.scopes import Scope, parse_scopes
from tokens.signing import LEEWAY, Claims, internal_token, key_folder, mint, verify

ALICE = Actor(Kind.USER, "alice", user_id=7, auth_epoch=3)
ROBOT = Actor(Kind.ROBOT, "robot$x", robot_id=9, auth_epoch=1)


@pytest.fixture(autouse=True)
def _keys() -> None:
    key_folder().prepare()


def claims(**more: Any) -> dict[str, Any]:
    """The claims of a good token; `more` replaces or, by None, removes some."""
    now = int(time.time())
    good = {
        "iss": settings.TOKEN_ISSUER,
        "sub": "alice",
        "aud": settings.TOKEN_SERVICE,
        "exp": now + 60,
        "nbf": now,
        "iat": now,
        "jti": "x",
        "access": [],
        "haven": {"k": "user", "i": 7, "e": 3},
    }
    return {name: value for name, value in {**good, **more}.items() if value is not None}


@pytest.mark.parametrize(("actor", "actor_id"), [(ALICE, 7), (ROBOT, 9), (ANONYMOUS, None)])
def test_what_was_signed_is_read(actor: Actor, actor_id: int | None) -> None:
    access = parse_scopes(["repository:a/b:pull,push registry:catalog:*"])
    found = verify(mint(actor, access, 600))
    assert found == Claims(
        actor.name, actor.kind, actor_id, actor.auth_epoch, tuple(access), found.issued_at, found.issued_at + 600
    )
    assert found.allows("a/b", "push") and found.allows_catalog
    assert not found.allows("a/b", "delete") and not found.allows("a/c", "pull") and not found.allows("a", "pull")


def test_claims_are_docker_s() -> None:
    decoded = jwt.decode(
        mint(ALICE, [Scope("repository", "a/b", frozenset({"push", "pull"}))], 60), options={"verify_signature": False}
    )
    assert decoded["access"] == [{"type": "repository", "name": "a/b", "actions": ["pull", "push"]}]
    assert isinstance(decoded["aud"], str) and decoded["sub"] == "alice" and len(decoded["jti"]) == 16


def test_no_token_lives_longer_than_a_day() -> None:
    found = verify(mint(ALICE, [], 10**9))
    assert found.expires_at - found.issued_at == 24 * 3600


def test_our_own_tokens_open_no_door_of_ours() -> None:
    with pytest.raises(Unauthorized):
        verify(internal_token("a/b", ["pull"]))


@pytest.mark.parametrize(
    "shifted",
    [
        {"exp": -LEEWAY + 2},
        {"nbf": LEEWAY - 2},
        {"iat": LEEWAY - 2, "nbf": 0},
    ],
)
def test_clocks_may_differ_a_little(shifted: dict[str, int]) -> None:
    now = int(time.time())
    verify(signing.sign(claims(**{name: now + by for name, by in shifted.items()})))


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": -LEEWAY - 2},
        {"nbf": LEEWAY + 5},
        {"iat": LEEWAY + 5, "nbf": 0},
        {"iat": 10**6, "nbf": 0, "exp": 10**7},
    ],
)
def test_but_no_more(wrong: dict[str, int]) -> None:
    now = int(time.time())
    with pytest.raises(Unauthorized):
        verify(signing.sign(claims(**{name: now + by for name, by in wrong.items()})))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody"},
        {"aud": "another"},
        {"aud": [settings.TOKEN_SERVICE]},
        {"aud": [settings.TOKEN_SERVICE, "x"]},
        *({name: None} for name in ("iss", "aud", "exp", "nbf", "iat", "sub", "access", "haven")),
        {"haven": {}},
        {"haven": {"k": "system", "i": None, "e": 0}},
        {"haven": {"k": "god", "i": 1, "e": 0}},
        {"haven": "x"},
        {"access": [{"type": "repository"}]},
        {"access": "x"},
        {"iat": "now"},
        {"sub": 7},
    ],
)
def test_claims_that_are_not_ours(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        verify(signing.sign(claims(**wrong)))


@pytest.mark.parametrize(
    "more",
    [
        {"jwk": {"kty": "EC"}},
        {"jku": "https://x"},
        {"x5u": "https://x"},
        {"x5c": ["x"]},
        {"crit": ["x"]},
        {"b64": False},
    ],
)
def test_headers_that_bring_a_key(more: dict[str, Any]) -> None:
    key = signing.keys().signing
    with pytest.raises(Unauthorized):
        verify(jwt.encode(claims(), key.private, algorithm="ES256", headers={"kid": key.kid, **more}))


def test_a_foreign_key_under_our_name() -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    for kid in [signing.keys().signing.kid, "../../dev/null", "", "x" * 5000]:
        with pytest.raises(Unauthorized):
            verify(jwt.encode(claims(), stranger, algorithm="ES256", headers={"kid": kid}))


@pytest.mark.parametrize("kid", [7, None, ["x"], {"a": 1}])
def test_a_kid_that_is_no_text(kid: Any) -> None:
    with pytest.raises(Unauthorized):
        verify(_forged({"alg": "ES256", "kid": kid}, claims()))


def test_a_foreign_key_that_the_token_brings_along(tmp_path: Path) -> None:
    stranger = KeyFolder(tmp_path / "keys").prepare().signing
    headers = {"kid": stranger.kid, "jwk": stranger.jwk}
    with pytest.raises(Unauthorized):
        verify(jwt.encode(claims(), stranger.private, algorithm="ES256", headers=headers))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "RS256", "ES384", "EdDSA", ""])
def test_other_algorithms_without_a_signature(algorithm: str) -> None:
    with pytest.raises(Unauthorized):
        verify(_forged({"alg": algorithm, "kid": signing.keys().signing.kid}, claims()))


def test_hs256_with_the_public_key() -> None:
    import hashlib
    import hmac

    key = signing.keys().signing
    pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, key.certificate_pem, key.kid.encode(), json.dumps(key.jwk).encode()):
        unsigned = _forged({"alg": "HS256", "kid": key.kid}, claims()).rpartition(".")[0]
        signature = _base64url(hmac.new(secret, unsigned.encode(), hashlib.sha256).digest())
        with pytest.raises(Unauthorized):
            verify(f"{unsigned}.{signature}")


def test_rsa_of_somebody() -> None:
    key = rsa.generate_private_key(65537, 2048)
    with pytest.raises(Unauthorized):
        verify(jwt.encode(claims(), key, algorithm="RS256", headers={"kid": signing.keys().signing.kid}))


def test_a_changed_token() -> None:
    header, payload, signature = mint(ALICE, [], 60).split(".")
    more = _base64url(json.dumps(claims(access=[{"type": "repository", "name": "a/b", "actions": ["pull"]}])).encode())
    for token in (f"{header}.{more}.{signature}", f"{header}.{payload}.", f"{header}.{payload}.{signature[:-4]}AAAA"):
        with pytest.raises(Unauthorized):
            verify(token)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "x" * 10_000, "ä.ö.ü", "\x00", "e30.e30.e30", "null.null.null"]
)
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(Unauthorized):
        verify(token)


def _forged(header: dict[str, Any], body: dict[str, Any]) -> str:
    parts = (_base64url(json.dumps(part).encode()) for part in (header, body))
    return ".".join([*parts, ""])


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
