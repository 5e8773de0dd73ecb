"""Who calls, and whether they may: the token's word first, then the database's."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest

from accounts import basic
from accounts.actors import Kind, Permission
from accounts.models import User
from accounts.permissions import system_allowed
from gateway.errors import InsufficientScope, InvalidToken
from gateway.lookup import Found, Identity, look_up
from registry.errors import Denied, Unauthorized
from registry.references import Reference
from robots.models import Robot
from tokens.keys import KeyRing
from tokens.signing import Claims, keys, verify

CATALOG = Permission("catalog", "read")
REMEMBERED = 1000
"""Tokens whose signature a process remembers to have seen."""
_verified: dict[str, tuple[KeyRing, Claims]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request speaks for. `claims` is what its token carries; None for a password, which carries everything."""

    identity: Identity
    claims: Claims | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.identity.kind is Kind.ANONYMOUS


def identify(request: HttpRequest) -> Caller:
    """The caller, by the token or password of the request. Raises Unauthorized for none and for a wrong one."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        claims = _verify(credentials.strip())
        return Caller(
            Identity(claims.kind, claims.actor_id, claims.name, claims.auth_epoch, claims.issued_at),
            claims,
        )
    pair = basic.parse_basic(header)
    actor = basic.authenticate(*pair, request.META.get("REMOTE_ADDR", "")) if pair else None
    if actor is None:
        raise Unauthorized("incorrect username or password" if header else "")
    return Caller(Identity(actor.kind, actor.user_id or actor.robot_id, actor.name, actor.auth_epoch))


def _verify(token: str) -> Claims:
    """`verify`, which costs more than all the rest of a pull, once for each token: its signature will not change.

    What does change is asked each time: whether its end has come, and whether its key is still one of ours.
    """
    ring = keys()
    known = _verified.get(token)
    if known and known[0] is ring and time.time() < known[1].expires_at:
        return known[1]
    try:
        claims = verify(token)
    except Unauthorized as error:
        raise InvalidToken(error.message) from error
    if len(_verified) >= REMEMBERED:
        _verified.clear()
    _verified[token] = ring, claims
    return claims


def authorize(request: HttpRequest, repository: str, action: str, reference: Reference | None = None) -> Found:
    """What the database knows of `repository` and `reference`, for a caller who may do `action` there.

    `action` is pull, push or delete. Raises Unauthorized where another token would do, or where nobody signed in;
    Denied where it would not. Neither tells whether the project exists.
    """
    caller = identify(request)
    found = look_up(caller.identity, repository, reference)
    if Permission("repository", action) not in found.permissions:
        if caller.is_anonymous:
            raise Unauthorized()
        raise Denied(_refusal(repository, action, found), {"repository": repository, "action": action})
    if caller.claims and not caller.claims.allows(repository, action):
        raise InsufficientScope()
    return found


def may_pull(request: HttpRequest, repository: str) -> bool:
    """Whether the caller may pull from this other repository, too, as a mount needs.

    Raises InsufficientScope for who may, but whose token was not asked for it.
    """
    caller = identify(request)
    if Permission("repository", "pull") not in look_up(caller.identity, repository).permissions:
        return False
    if caller.claims and not caller.claims.allows(repository, "pull"):
        raise InsufficientScope()
    return True


def authorize_catalog(request: HttpRequest) -> None:
    """Return for a caller who may list every repository; raise as `authorize` does."""
    caller = identify(request)
    who = caller.identity
    if who.id is None:
        raise Unauthorized()
    if who.kind is Kind.USER:
        actor = User.objects.filter(pk=who.id, is_active=True, auth_epoch=who.auth_epoch).first()
    else:
        actor = Robot.objects.alive().filter(pk=who.id, auth_epoch=who.auth_epoch).first()
    if actor is None:
        raise InvalidToken()
    if CATALOG not in system_allowed(actor.actor):
        raise Denied("only administrators may list all repositories")
    if caller.claims and not caller.claims.allows_catalog:
        raise InsufficientScope()


def _refusal(repository: str, action: str, found: Found) -> str:
    if action != "pull" and Permission("repository", "pull") in found.permissions:
        return f"requested access to the repository is denied: you may pull from {repository}, but not {action}"
    return "requested access to the repository is denied"
