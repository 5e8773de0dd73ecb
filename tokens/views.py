"""`/service/token`: Docker's token protocol by GET, and its OAuth2 form by POST.

Whoever is known gets a token, be it with less than was asked: what is missing shows when the registry is asked. So
there is no 403 here. https://distribution.github.io/distribution/spec/auth/token/ and .../auth/oauth/
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict

from accounts import actions, basic, recent
from accounts.actors import ANONYMOUS, Actor
from accounts.errors import Locked
from accounts.errors import Unavailable as UnavailableSignIn
from configuration import values
from tokens.grants import grant
from tokens.keys import LONGEST_LIFETIME, KeysMissing
from tokens.refusals import Refused, refuse
from tokens.scopes import Scope, TooManyScopes, parse_scopes
from tokens.signing import mint

logger = logging.getLogger(__name__)

LARGEST_FORM = 64 * 1024
"""Bytes of a POST: fifty scopes of the longest names fit four times over."""


@dataclass(frozen=True)
class Asked:
    """Who asks for what."""

    actor: Actor
    scopes: list[Scope]
    offline: bool = False
    """Whether a refresh token shall come along."""
    client_id: str = ""
    refresh_token: str = ""
    """The one that was used to ask, to be used again."""


def token(request: HttpRequest) -> HttpResponse:
    """A token, or a refusal in the form that clients of registries and of OAuth2 read."""
    try:
        asked = _asked(request)
        granted = grant(asked.actor, asked.scopes)
        if granted is None:  # somebody who was recognised has changed since
            recent.forget()
            asked = _asked(request)
            granted = grant(asked.actor, asked.scopes)
        if granted is None:
            raise _unauthorized("incorrect username or password")
        return _answer(asked, granted)
    except Refused as refused:
        return refuse(refused)
    except Locked as locked:
        message = "too many failed attempts, try again later"
        return refuse(Refused(429, "slow_down", message, {"Retry-After": str(locked.retry_after)}))
    except UnavailableSignIn:
        message = "the server that people sign in with does not answer"
        return refuse(Refused(503, "temporarily_unavailable", message, {"Retry-After": "5"}))
    except SuspiciousOperation:
        return refuse(Refused(400, "invalid_request", "too many parameters"))
    except BadRequest:
        return refuse(Refused(400, "invalid_request", "the form must be UTF-8"))
    except KeysMissing:
        logger.exception("no token can be signed")
        return refuse(Refused(503, "temporarily_unavailable", "the realm has no keys", {"Retry-After": "5"}))
    except (OperationalError, InterfaceError):
        return refuse(Refused(503, "temporarily_unavailable", "the database is not available", {"Retry-After": "5"}))


def _asked(request: HttpRequest) -> Asked:
    if request.method == "GET":
        return _asked_by_get(request)
    if request.method == "POST":
        return _asked_by_post(request)
    raise Refused(405, "invalid_request", "the method is not allowed", {"Allow": "GET, POST"})


def _asked_by_get(request: HttpRequest) -> Asked:
    query = request.GET
    scopes = _scopes(query)
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if header:
        actor = _actor_of(basic.parse_basic(header), request)
    elif query.getlist("scope"):
        actor = ANONYMOUS
    else:
        raise _unauthorized("sign in, or ask for something")
    return Asked(actor, scopes, query.get("offline_token") == "true", query.get("client_id", ""))


def _asked_by_post(request: HttpRequest) -> Asked:
    form = _form(request)
    scopes = _scopes(form)
    grant_type, client_id = form.get("grant_type"), form.get("client_id", "")
    if grant_type == "password":
        actor = _actor_of((form.get("username", ""), form.get("password", "")), request)
        return Asked(actor, scopes, form.get("access_type") == "offline", client_id)
    if grant_type == "refresh_token":
        refresh_token = form.get("refresh_token", "")
        found = actions.actor_of_refresh_token(refresh_token) if refresh_token else None
        if found is None:
            raise _unauthorized("the refresh token is not valid, sign in again")
        return Asked(found, scopes, client_id=client_id, refresh_token=refresh_token)
    raise Refused(400, "unsupported_grant_type", "grant_type must be password or refresh_token")


def _form(request: HttpRequest) -> QueryDict:
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refused(400, "invalid_request", "send a form: application/x-www-form-urlencoded")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_FORM:
        raise Refused(413, "invalid_request", "the form is too large")
    return request.POST


def _scopes(parameters: QueryDict) -> list[Scope]:
    if parameters.get("service") != settings.TOKEN_SERVICE:
        raise Refused(400, "invalid_request", f"service must be {settings.TOKEN_SERVICE}")
    try:
        return parse_scopes(parameters.getlist("scope"))
    except TooManyScopes as error:
        raise Refused(400, "invalid_scope", str(error)) from error


def _actor_of(pair: tuple[str, str] | None, request: HttpRequest) -> Actor:
    """Who has this name and secret; whether a recognised one still does, `grant` finds out with its own query."""
    address = request.META.get("REMOTE_ADDR", "")
    actor = (basic.recognise(*pair, address) or basic.authenticate(*pair, address)) if pair else None
    if actor is None:
        raise _unauthorized("incorrect username or password")
    return actor


def _unauthorized(message: str) -> Refused:
    return Refused(401, "invalid_grant", message, {"WWW-Authenticate": f'Basic realm="{settings.TOKEN_SERVICE}"'})


def _answer(asked: Asked, granted: Sequence[Scope]) -> HttpResponse:
    lifetime = min(int(values.get("token_expiration")) * 60, int(LONGEST_LIFETIME.total_seconds()))
    now = int(time.time())
    signed = mint(asked.actor, granted, lifetime, now)
    answer = {
        "token": signed,
        "access_token": signed,
        "expires_in": lifetime,
        "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "scope": " ".join(map(str, granted)),
    }
    if refresh_token := _refresh_token(asked):
        answer["refresh_token"] = refresh_token
    return HttpResponse(json.dumps(answer), content_type="application/json", headers={"Cache-Control": "no-store"})


def _refresh_token(asked: Asked) -> str:
    """A refresh token for people who want one; robots have a secret of their own, and nobody else has anything."""
    if asked.offline and actions.may_have_refresh_token(asked.actor):
        return actions.issue_refresh_token(asked.actor, asked.client_id)
    return asked.refresh_token
