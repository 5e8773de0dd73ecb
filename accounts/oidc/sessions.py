"""The sessions of people who sign in at the provider: sent there, back again, named, and out again."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.contrib import auth
from django.http import HttpRequest

from accounts.actions import Identity, accept_login, add_oidc_user, oidc_user, record_login, tokens_of
from accounts.backends import BACKEND
from accounts.errors import Forbidden, Unavailable
from accounts.models import User
from accounts.oidc import flow
from accounts.oidc.provider import NotProven, Tokens, configured
from accounts.oidc.settings import Settings
from configuration import values
from configuration.sealed import seal, unseal

LEAVE_PAGE = "/c/oidc/logout"
ANSWER = ("state", "code", "iss", "error")
"""What is read of the provider's answer."""
BEGAN_THERE = "provider"
"""Marks a session that began at the provider, so that it may end there too."""
_LOGIN, _NEWCOMER, _LEAVE = "provider_login", "provider_newcomer", "provider_leave"


def keep_way_out(request: HttpRequest, address: str) -> str:
    """Remember where the provider's session ends, for the page that leads there; that page."""
    request.session[_LEAVE] = address
    return LEAVE_PAGE


def way_out(request: HttpRequest) -> str:
    """The provider's address where its own session ends; empty where there is nothing to end. Told once."""
    return str(request.session.pop(_LEAVE, ""))


def begin(request: HttpRequest, goal: str) -> str:
    """The provider's address at which `request`'s browser signs in, to come back and go on to `goal`."""
    url, kept = flow.begin(configured())
    request.session[_LOGIN] = {**kept, "goal": goal}
    return url


def finish(request: HttpRequest) -> tuple[User | None, str]:
    """Who came back from the provider, signed in, and where they wanted to go; None for who has no name here yet.

    Raises NotProven, ProviderAway, or what keeps the user from being made.
    """
    kept = request.session.pop(_LOGIN, None)
    login = flow.finish(configured(), kept, {name: request.GET.get(name, "") for name in ANSWER})
    goal, person = str(kept["goal"]), login.person
    user = oidc_user(person.issuer, person.subject)
    if user is None and not Settings.configured().auto_onboard:
        request.session[_NEWCOMER] = {"login": seal(json.dumps(asdict(login))), "at": int(time.time()), "goal": goal}
        return None, goal
    return _welcome(request, user or _onboard(login, person.username), login), goal


def newcomer(request: HttpRequest) -> flow.Login | None:
    """Who signed in at the provider and has not chosen a name here yet; None for anybody else."""
    kept = request.session.get(_NEWCOMER)
    opened = unseal(kept["login"]) if kept and time.time() - kept["at"] < flow.PATIENCE else None
    if opened is None:
        return None
    told = json.loads(opened)
    groups = tuple(told["person"].pop("groups"))
    return flow.Login(flow.Claimed(**told["person"], groups=groups), Tokens(**told["tokens"]))


def settle(request: HttpRequest, username: str) -> tuple[User, str]:
    """Make the newcomer a user of this name, signed in; and where they wanted to go. Raises NotProven for nobody."""
    login = newcomer(request)
    if login is None:
        raise NotProven("sign in at the provider first")
    goal = str(request.session[_NEWCOMER]["goal"])
    return _welcome(request, _onboard(login, username), login), goal


def _onboard(login: flow.Login, username: str) -> User:
    person = login.person
    return add_oidc_user(Identity(username, person.realname, person.email, person.issuer, person.subject), username)


def _welcome(request: HttpRequest, user: User, login: flow.Login) -> User:
    if not user.is_active:
        raise Forbidden("this account is disabled")
    user = accept_login(user, login.person, login.tokens)
    request.session.pop(_NEWCOMER, None)
    auth.login(request, user, backend=BACKEND)
    request.session[BEGAN_THERE] = True
    record_login(user.username, success=True, address=request.META.get("REMOTE_ADDR", ""))
    return user


def leaving_address(request: HttpRequest, user: User) -> str:
    """Where the provider ends its own session (RP-initiated logout); empty where it does not, or is not asked to."""
    settings = Settings.configured()
    if not request.session.get(BEGAN_THERE) or values.get("auth_mode") != "oidc_auth" or not settings.logout:
        return ""
    try:
        address = configured().address("end_session_endpoint")
    except Unavailable:
        return ""
    tokens = tokens_of(user.oidc) if address and hasattr(user, "oidc") else None
    if tokens is None:
        return ""
    back = f"{django_settings.EXTERNAL_URL}{django_settings.LOGIN_URL}"
    told = {"post_logout_redirect_uri": back, "client_id": settings.client_id}
    told |= {"id_token_hint": tokens.id_token} if tokens.id_token else {}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(told)}"
