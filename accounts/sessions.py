"""Signing in and out of the portal: a session for a person. Robots and tokens have none."""

from __future__ import annotations

from django.contrib import auth
from django.http import HttpRequest

from accounts import failures
from accounts.actions import record_login, record_logout
from accounts.basic import authenticate
from accounts.models import User

BACKEND = "accounts.backends.UserBackend"


def sign_in(request: HttpRequest, username: str, password: str) -> User | None:
    """The user of that name (or e-mail address) and password, signed in; None for nobody. Either is recorded.

    Raises `Locked` as `authenticate` does; such attempts are not recorded.
    """
    address = request.META.get("REMOTE_ADDR", "")
    actor = authenticate(username, password, address, wrong=_not_yet)
    user: User | None = User.objects.filter(pk=actor.user_id).first() if actor else None  # a robot has no such id
    if user is None:
        if username:
            failures.note(username, address)
        return None
    auth.login(request, user, backend=BACKEND)
    record_login(user.username, success=True, address=address)
    return user


def _not_yet(name: str, address: str, times: int) -> None:
    """A page's failures are all worth an entry, those of robots too: `sign_in` writes them."""


def sign_out(request: HttpRequest) -> None:
    """End the session, if there is one."""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        record_logout(user.actor)
    auth.logout(request)


def keep(request: HttpRequest, user: User) -> None:
    """Let this one session go on after its user's password changed, under a new id."""
    auth.update_session_auth_hash(request, user)
