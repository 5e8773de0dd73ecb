"""How people prove who they are. A backend gives an actor for a name and a secret; settings list them in order."""

from __future__ import annotations

from typing import Protocol

from django.contrib.auth.backends import BaseBackend

from accounts.actors import Actor
from accounts.attempts import Attempt
from accounts.credentials import find_credentials
from accounts.models import INITIAL_ADMIN, User
from accounts.passwords import is_right
from configuration import values

BACKEND = "accounts.backends.UserBackend"
"""Finds the user of every session, however it began."""


class Backend(Protocol):
    """One way to sign in."""

    def actor_for(self, username: str, secret: str, attempt: Attempt) -> Actor | None:
        """Who this is, or None; `attempt.check` is asked before anything costly."""


class UserBackend(BaseBackend):
    """Users of Haven's own, by name or e-mail address. Sessions find their user here too."""

    def actor_for(self, username: str, secret: str, attempt: Attempt) -> Actor | None:
        """The user, if that is the password; as much work for a name that nobody has."""
        if username.startswith(str(values.get("robot_name_prefix"))):
            return None
        found = find_credentials(username)
        if values.get("auth_mode") != "db_auth" and (found is None or found.actor.user_id != INITIAL_ADMIN):
            return None  # people come from elsewhere, and another backend asks there
        known = attempt.known or attempt.trusted
        if found is None:
            is_right(secret, None, "nobody", username.lower(), before=attempt.check, known=known)
            return None
        actor = found.actor
        identity = (str(actor.user_id), str(actor.auth_epoch))
        right = is_right(secret, found.encoded, *identity, before=attempt.check, known=known)
        return actor if right else None

    def get_user(self, user_id: int) -> User | None:
        """The user of a session, unless deleted or disabled since."""
        user: User | None = User.objects.filter(pk=user_id, is_active=True).first()
        return user if user and belongs(user) else None


def belongs(user: User) -> bool:
    """Whether this account is of the kind that may sign in now: sessions of another mode have ended."""
    is_from_here = user.has_usable_password()
    return bool(user.pk == INITIAL_ADMIN or is_from_here == (values.get("auth_mode") == "db_auth"))
