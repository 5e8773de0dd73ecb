"""Who is asking, for the API and the portal."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts.actors import ANONYMOUS, Actor
from accounts.basic import authenticate, parse_basic
from accounts.models import User
from accounts.oidc.backend import may_be_used
from accounts.oidc.bearer import actor_of_id_token


class ActorMiddleware:
    """Gives the request its `actor`, found when first asked for: by `Authorization`, or else by the session.

    A wrong name or secret falls through to the session, as in Harbor. `request.actor_from_session` is set along with
    it: only then is there anything for a forged form to abuse. Put it after Django's own authentication.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = SimpleLazyObject(lambda: find_actor(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def find_actor(request: HttpRequest) -> Actor:
    """The actor of `request`; raises `Locked` like `authenticate`."""
    request.actor_from_session = False  # type: ignore[attr-defined]
    given = parse_basic(request.headers.get("Authorization", ""))
    if given is not None:
        actor = authenticate(*given, request.META.get("REMOTE_ADDR", ""))
        if actor is not None and may_be_used(request, actor):
            return actor
    elif (actor := actor_of_id_token(request)) is not None:
        return actor
    user = getattr(request, "user", None)
    if isinstance(user, User) and user.is_authenticated:
        request.actor_from_session = True  # type: ignore[attr-defined]
        return user.actor
    return ANONYMOUS
