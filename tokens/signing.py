"""Tokens: signed for clients and for our own calls to the registry, and read back at the gateway.

ES256 and nothing else. The claims are those of Docker's token specification, so that `distribution` 2.8 and 3.x
accept them, and one of our own, `haven`, that says whose token it is so that the gateway can ask again what they may.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
from django.conf import settings

from accounts.actors import Actor, Kind
from registry.errors import Unauthorized
from tokens.keys import LONGEST_LIFETIME, Key, KeyFolder, KeyRing
from tokens.scopes import Scope

LEEWAY = 60
"""Seconds that clocks may differ, as `distribution` allows."""
INTERNAL_LIFETIME = 300
OURSELVES = Actor(Kind.SYSTEM, "haven")
HEADER_FIELDS = frozenset({"alg", "typ", "kid"})
"""Any other, such as `jwk` or `x5c`, would bring its own idea of the key."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says. Times are seconds since the epoch."""

    name: str
    kind: Kind
    actor_id: int | None
    """The id of the user or robot; None for anonymous."""
    auth_epoch: int
    access: tuple[Scope, ...]
    issued_at: int
    expires_at: int

    def allows(self, repository: str, action: str) -> bool:
        """Whether the token carries `action` on exactly this repository."""
        return any(
            scope.type == "repository" and scope.name == repository and action in scope.actions for scope in self.access
        )

    @property
    def allows_catalog(self) -> bool:
        """Whether the token carries `registry:catalog:*`."""
        return any(
            scope.type == "registry" and scope.name == "catalog" and "*" in scope.actions for scope in self.access
        )


def keys() -> KeyRing:
    """The keys in use. Raises KeysMissing before `manage.py init_token_keys`."""
    return key_folder().ring()


def key_folder() -> KeyFolder:
    """The folder that settings name."""
    return _folder(settings.TOKEN_KEYS)


@lru_cache(maxsize=4)
def _folder(path: Path | str) -> KeyFolder:
    return KeyFolder(Path(path))


def sign(claims: dict[str, Any], key: Key | None = None) -> str:
    """The claims as a token, signed with the key whose turn it is, or with `key`."""
    key = key or keys().signing
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid})


def mint(actor: Actor, access: Iterable[Scope], lifetime: int, now: int | None = None, key: Key | None = None) -> str:
    """A token of `actor` that carries `access` for `lifetime` seconds (at most a day)."""
    now = int(time.time()) if now is None else now
    return sign(
        {
            "iss": settings.TOKEN_ISSUER,
            "sub": actor.name,
            "aud": settings.TOKEN_SERVICE,
            "exp": now + min(lifetime, int(LONGEST_LIFETIME.total_seconds())),
            "nbf": now - LEEWAY,
            "iat": now,
            "jti": secrets.token_hex(8),
            "access": [scope.claim for scope in access],
            "haven": {"k": actor.kind.value, "i": actor.user_id or actor.robot_id, "e": actor.auth_epoch},
        },
        key,
    )


def internal_token(repository: str, actions: Iterable[str]) -> str:
    """A token for one of our own calls to the registry. `verify` refuses it: it opens no door of ours."""
    return mint(OURSELVES, [Scope("repository", repository, frozenset(actions))], INTERNAL_LIFETIME)


def verify(token: str) -> Claims:
    """What a client's token says. Raises Unauthorized for one that is forged, stale, too new or not for us."""
    try:
        header = jwt.get_unverified_header(token)
        if header.keys() - HEADER_FIELDS:
            raise Unauthorized("invalid token")
        key = key_folder().find(header.get("kid", ""))
        if key is None:
            raise Unauthorized("invalid token")
        claims = jwt.decode(
            token,
            key.public,
            algorithms=["ES256"],
            audience=settings.TOKEN_SERVICE,
            issuer=settings.TOKEN_ISSUER,
            leeway=LEEWAY,
            options={"require": ["exp", "nbf", "iat", "iss", "aud", "sub"]},
        )
        return _claims(claims)
    except jwt.ExpiredSignatureError as error:
        raise Unauthorized("the token has expired") from error
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise Unauthorized("invalid token") from error


def _claims(claims: dict[str, Any]) -> Claims:
    """Raises KeyError, TypeError or ValueError where the claims are not as `mint` writes them."""
    haven = claims["haven"]
    kind = Kind(haven["k"])
    if kind is Kind.SYSTEM or not isinstance(claims["aud"], str):
        raise ValueError("not a client's token")
    return Claims(
        name=claims["sub"],
        kind=kind,
        actor_id=haven["i"],
        auth_epoch=haven["e"],
        access=tuple(Scope(entry["type"], entry["name"], frozenset(entry["actions"])) for entry in claims["access"]),
        issued_at=claims["iat"],
        expires_at=claims["exp"],
    )
