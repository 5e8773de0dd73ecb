"""How robots prove who they are: by one query and one hash."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend

from accounts.actors import Actor
from accounts.attempts import Attempt
from configuration import values
from robots.credentials import find_credentials
from robots.secrets import is_right


class RobotBackend(BaseBackend):
    """Robots, by the name they are displayed with."""

    def actor_for(self, username: str, secret: str, attempt: Attempt) -> Actor | None:
        """The robot, if that is its secret and it is neither disabled nor expired."""
        prefix = str(values.get("robot_name_prefix"))
        if not username.startswith(prefix):
            return None
        found = find_credentials(username, prefix)
        # An unknown name costs the same hash.
        right = is_right(secret, found.secret_digest if found else "")
        return found.actor if found and right else None

    def get_user(self, user_id: int) -> None:
        """Robots have no sessions."""
        return None
