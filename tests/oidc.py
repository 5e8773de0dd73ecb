"""A provider of OpenID Connect of the test's own: HTTP on a port of loopback, and tokens that are really signed.

Whoever comes to its sign-in page is signed in as `person` at once. `twist` spoils what it signs, to see who notices.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "haven", "s3cret:of/the client"
Twist = Callable[[dict[str, Any], dict[str, Any]], str | None]
"""Takes header and claims, to spoil them; may give another token instead."""


class Provider:
    """The server. `url` is its issuer."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        self.issuer = self.url
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.reset()

    def reset(self) -> None:
        """As it was at first: Alice, in two groups, and nothing spoilt."""
        self.person: dict[str, Any] = {
            "sub": "subject-1",
            "name": "Alice Liddell",
            "preferred_username": "alice",
            "email": "alice@wonder.test",
            "email_verified": True,
            "groups": ["team", "admins"],
        }
        self.told_by_userinfo: dict[str, Any] | None = None
        self.twist: Twist | None = None
        self.lifetime = 300
        self.gives_refresh_tokens = True
        self.metadata: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: set[str] = set()
        self.asked: list[str] = []
        self.away = False

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def browse(self, url: str) -> str:
        """What a browser does with `url` at the provider; where it is sent back to."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.url
        connection = HTTPConnection("127.0.0.1", self.server.server_port)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        assert answer.status == 302, answer.read()
        return answer.headers["Location"]

    def authorize(self, asked: dict[str, str]) -> str:
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT, asked
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
        if [unquote(part) for part in pair] != [CLIENT, SECRET]:
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return 400, {"error": "invalid_grant"}
            self.refresh_tokens.remove(form["refresh_token"])
            return 200, self.tokens("")
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        kept = (form["redirect_uri"], challenge.decode())
        if asked is None or (asked["redirect_uri"], asked["code_challenge"]) != kept:
            return 400, {"error": "invalid_grant"}
        return 200, self.tokens(asked["nonce"])

    def tokens(self, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, **self.person}
        claims |= {"nonce": nonce} if nonce else {}
        told: dict[str, Any] = {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }
        other = self.twist(header, claims) if self.twist else None
        told["id_token"] = jwt.encode(header, claims, self.key) if other is None else other
        if self.gives_refresh_tokens:
            told["refresh_token"] = secrets.token_urlsafe(16)
            self.refresh_tokens.add(told["refresh_token"])
        return told

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/logout",
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, self.document()
            case "/keys":
                return 200, dict(KeySet([self.key]).as_dict(private=False))
            case "/userinfo":
                return 200, self.told_by_userinfo if self.told_by_userinfo is not None else self.person
        return 404, {}


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token by nobody: `alg` is `none`."""
    parts = (json.dumps(part).encode() for part in ({**header, "alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def signed_by_secret(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token signed by what both sides know."""
    head, body = (json.dumps(part).encode() for part in ({**header, "alg": "HS256"}, claims))
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (head, body))
    digest = hmac.digest(secret, signed, "sha256")
    return (signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


def signed_by(key: RSAKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token signed by another key."""
    return jwt.encode(header, claims, key)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(dict(parse_qsl(parts.query))))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._answer(*provider.get(parts.path))

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, told: dict[str, Any]) -> None:
            content = json.dumps(told).encode()
            self.send_response(503 if provider.away else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            """Nothing."""

    return Handler
