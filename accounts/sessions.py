"""Signing in and out of the portal: a session for a person. Robots and tokens have none."""

from __future__ import annotations

from django.contrib import auth
from django.http import HttpRequest

from accounts import failures
from accounts.actions import record_login, record_logout
from accounts.backends import BACKEND
from accounts.basic import authenticate
from accounts.credentials import find_credentials
from accounts.models import INITIAL_ADMIN, User
from accounts.oidc import sessions as elsewhere
from accounts.rules import is_one_line
from configuration import values


class SignInElsewhere(Exception):
    """This person signs in at the OpenID Connect provider, and has no password here."""


def sign_in(request: HttpRequest, username: str, password: str) -> User | None:
    """The user of that name (or e-mail address) and password, signed in; None for nobody. Either is recorded.

    Raises `Locked` as `authenticate` does; such attempts are not recorded. Raises `SignInElsewhere` for whom only the
    provider can vouch: what docker signs them in with opens no page.
    """
    if values.get("auth_mode") == "oidc_auth" and not _is_first_admin(username):
        raise SignInElsewhere
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


def _is_first_admin(username: str) -> bool:
    found = find_credentials(username) if is_one_line(username) else None
    return found is not None and found.actor.user_id == INITIAL_ADMIN


def sign_out(request: HttpRequest) -> str:
    """End the session, if there is one. Where the provider's session shall end too: the page that leads there."""
    user = getattr(request, "user", None)
    leave = elsewhere.leaving_address(request, user) if isinstance(user, User) else ""
    if isinstance(user, User):
        record_logout(user.actor)
    auth.logout(request)
    return elsewhere.keep_way_out(request, leave) if leave else ""


def keep(request: HttpRequest, user: User) -> None:
    """Let this one session go on after its user's password changed, under a new id."""
    auth.update_session_auth_hash(request, user)
