"""Forged, stale and borrowed tokens: 401, on manifests and on blobs, and nothing behind the edge hears of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.stack import content
from tests.stack.people import People
from tests.stack.stack import Stack
from tests.stack.wire import Answer

pytestmark = pytest.mark.stack

IMAGE = content.image(text="guarded")
REPOSITORY = "private/guarded"
Forge = Callable[[dict[str, Any], dict[str, Any]], str]


@pytest.fixture(scope="module", autouse=True)
def _guarded(people: People) -> None:
    assert people.client("developer").push(REPOSITORY, "1", IMAGE).status == 201


@pytest.fixture(scope="module")
def genuine(people: People) -> str:
    return people.client("developer").scoped(f"repository:{REPOSITORY}:pull,push")


@pytest.fixture(scope="module")
def private_key(stack: Stack) -> ec.EllipticCurvePrivateKey:
    """The key that signs: of the key files in order of time the last but one."""
    files = sorted((stack.data / "keys").glob("*.pem"))
    pem = [path for path in files if b"PRIVATE" in path.read_bytes()][-2].read_bytes()
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


@pytest.fixture(scope="module")
def forge(genuine: str, private_key: ec.EllipticCurvePrivateKey) -> Forge:
    """The genuine token with other claims and headers, properly signed; a claim or header of None is left out."""

    def forge(claims: dict[str, Any], headers: dict[str, Any]) -> str:
        kept = {**jwt.decode(genuine, options={"verify_signature": False}), **claims}
        kid = jwt.get_unverified_header(genuine)["kid"]
        named = {key: value for key, value in {"kid": kid, **headers}.items() if value is not None}
        return jwt.encode(
            {key: value for key, value in kept.items() if value is not None}, private_key, "ES256", headers=named
        )

    return forge


def asked_everywhere(people: People, token: str) -> list[Answer]:
    wire = people.client("anonymous")
    headers = {"Authorization": f"Bearer {token}", "Accept": "*/*", "Content-Type": IMAGE.media_type}
    base = f"/v2/{REPOSITORY}"
    return [
        wire.send("GET", f"{base}/manifests/1", headers=headers),
        wire.send("PUT", f"{base}/manifests/forged", IMAGE.content, headers),
        wire.send("GET", f"{base}/blobs/{IMAGE.blobs[0].digest()}", headers=headers),
        wire.send("POST", f"{base}/blobs/uploads/", b"", headers),
        wire.send("GET", f"{base}/tags/list", headers=headers),
    ]


def assert_refused(people: People, token: str) -> None:
    for answer in asked_everywhere(people, token):
        assert answer.status == 401, answer
        assert answer.codes == ["UNAUTHORIZED"], answer
        assert answer.headers["WWW-Authenticate"].startswith("Bearer realm="), answer
    assert people.client("developer").pull(REPOSITORY, "forged").status == 404


def test_the_forge_works(people: People, forge: Forge) -> None:
    """Otherwise the refusals below would show nothing."""
    assert [answer.status for answer in asked_everywhere(people, forge({}, {}))] == [200, 201, 200, 202, 200]
    assert people.client("maintainer")("DELETE", f"/v2/{REPOSITORY}/manifests/forged").status == 202


CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 61, "iat": int(time.time()) - 2000, "nbf": int(time.time()) - 2000},
    "without expiry": {"exp": None},
    "not yet valid": {"nbf": int(time.time()) + 3600},
    "wrong audience": {"aud": "another-registry"},
    "list of audiences": {"aud": ["harbor-registry", "x"]},
    "without audience": {"aud": None},
    "wrong issuer": {"iss": "somebody"},
    "without issuer": {"iss": None},
    "text as expiry": {"exp": "tomorrow"},
}


@pytest.mark.parametrize("name", CLAIMS)
def test_wrong_claims(people: People, forge: Forge, name: str) -> None:
    assert_refused(people, forge(CLAIMS[name], {}))


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def jwk_of(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}


def test_no_algorithm(people: People, genuine: str) -> None:
    _, payload, signature = genuine.split(".")
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        header = b64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
        assert_refused(people, f"{header}.{payload}.")
        assert_refused(people, f"{header}.{payload}.{signature}")


def test_hs256_with_the_public_key(people: People, genuine: str, private_key: ec.EllipticCurvePrivateKey) -> None:
    public = private_key.public_key()
    kid = jwt.get_unverified_header(genuine)["kid"]
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secrets = [pem, pem.strip(), public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
    for secret in secrets:
        signed = f"{b64(json.dumps({'alg': 'HS256', 'typ': 'JWT', 'kid': kid}).encode())}.{genuine.split('.')[1]}"
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert_refused(people, f"{signed}.{b64(signature)}")


def test_a_foreign_key(people: People, genuine: str) -> None:
    claims = jwt.decode(genuine, options={"verify_signature": False})
    kid = jwt.get_unverified_header(genuine)["kid"]
    own = ec.generate_private_key(ec.SECP256R1())
    jwk = jwk_of(own)
    for headers in (
        {"kid": kid},
        {},
        {"kid": "../../../../dev/null"},
        {"kid": kid, "jwk": jwk},
        {"jwk": jwk},
        {"kid": kid, "jku": "http://127.0.0.1:1/jwks.json"},
        {"kid": kid, "x5u": "http://127.0.0.1:1/x"},
        {"kid": kid, "x5c": ["MIIB"]},
    ):
        assert_refused(people, jwt.encode(claims, own, "ES256", headers=headers))
    assert_refused(people, jwt.encode(claims, rsa.generate_private_key(65537, 2048), "RS256", headers={"kid": kid}))


@pytest.mark.parametrize("header", ["jwk", "jku", "x5u", "crit", "cty", "b64"])
def test_headers_that_bring_their_own_idea_of_the_key(people: People, forge: Forge, header: str) -> None:
    """Even properly signed: manifests are refused; the registry ignores what it does not know."""
    token = forge({}, {header: ["x"] if header == "crit" else False if header == "b64" else "x"})
    wire = people.client("anonymous")

    answer = wire.send("GET", f"/v2/{REPOSITORY}/manifests/1", headers={"Authorization": f"Bearer {token}"})

    assert answer.status == 401, answer


def test_a_tampered_token(people: People, genuine: str) -> None:
    header, payload, signature = genuine.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["sub"] = "admin"
    assert_refused(people, f"{header}.{b64(json.dumps(claims).encode())}.{signature}")
    assert_refused(people, f"{header}.{payload}.{signature[:-4]}AAAA")
    assert_refused(people, f"{header}.{payload}")
    assert_refused(people, f"{genuine}.{signature}")


def test_a_token_for_another_repository(people: People) -> None:
    developer = people.client("developer")
    for scope in ("repository:private/other:pull,push", "repository:private/guarded-not:pull,push"):
        for answer in asked_everywhere(people, developer.scoped(scope)):
            assert answer.status in (401, 403), answer


def test_a_token_to_pull_does_not_push(people: People) -> None:
    get, put, blob, upload, tags = asked_everywhere(
        people, people.client("developer").scoped(f"repository:{REPOSITORY}:pull")
    )

    assert (get.status, blob.status, tags.status) == (200, 200, 200)
    assert put.status in (401, 403)
    assert upload.status in (401, 403)


@pytest.mark.parametrize(
    "scope",
    [
        "repository:private/*:pull",
        "repository:private:pull",
        "repository:*:*",
        "repository:PRIVATE/guarded:pull",
        "repository:private/guarded:*",
        "repository:private/guarded:pull:extra",
        "repository(plugin):private/guarded:pull",
        "repository:private%2Fguarded:pull",
        "repository:private/../private/guarded:pull",
        "repository:host:80/private/guarded:pull",
        "registry:catalog:*",
        "private/guarded",
        "::",
        "repository:private/guarded:",
        "repository:private/guarded:pull" + ",x" * 50,
    ],
)
def test_odd_scopes_give_a_stranger_nothing(people: People, scope: str) -> None:
    stranger = people.client("stranger")
    answer = stranger.send(
        "GET", f"/service/token?{urlencode({'service': 'harbor-registry', 'scope': scope})}", headers=stranger.basic
    )

    assert answer.status in (200, 400), answer
    if answer.status == 200:
        access = jwt.decode(answer.json["token"], options={"verify_signature": False})["access"]
        assert all(not entry["actions"] for entry in access), access
        for asked in asked_everywhere(people, answer.json["token"]):
            assert asked.status in (401, 403), asked


def test_too_many_scopes(people: People) -> None:
    developer = people.client("developer")
    for scopes in ([f"repository:private/r{number}:pull" for number in range(200)], ["repository:" + "a" * 100_000]):
        query = urlencode([("service", "harbor-registry"), *(("scope", scope) for scope in scopes)])
        assert developer.send("GET", f"/service/token?{query}", headers=developer.basic).status in (400, 414)


def test_our_own_token_for_the_registry_is_refused(people: People, stack: Stack) -> None:
    token = stack.ask(
        f"from tokens.signing import internal_token; answer = internal_token({REPOSITORY!r}, ['pull', 'push'])"
    )

    answers = asked_everywhere(people, token)

    assert answers[0].status == answers[1].status == answers[4].status == 401
