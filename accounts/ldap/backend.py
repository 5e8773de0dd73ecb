"""Signing in with a password of the directory's."""

from __future__ import annotations

import logging

from accounts import actions, passwords
from accounts.actors import Actor
from accounts.attempts import Attempt
from accounts.credentials import find_credentials
from accounts.errors import BadRequest, Conflict, Locked
from accounts.ldap.directory import Directory, opened
from accounts.ldap.settings import Settings
from accounts.models import INITIAL_ADMIN, User
from accounts.turns import Full, Turns
from configuration import values

_turns = Turns()
_log = logging.getLogger(__name__)


class LdapBackend:
    """People of the directory, by the configured attribute. What was right is not asked again for a minute."""

    def actor_for(self, username: str, secret: str, attempt: Attempt) -> Actor | None:
        """The person, if that is the password; with the groups that the directory names now.

        Raises `Unavailable` while the directory is away, `Locked` when too many wait for it.
        """
        if values.get("auth_mode") != "ldap_auth" or username.startswith(str(values.get("robot_name_prefix"))):
            return None
        found = find_credentials(username)
        if not secret.strip() or (found is not None and found.actor.user_id == INITIAL_ADMIN):
            return None
        settings = Settings.configured()
        source = "ldap", repr(settings), username.lower()
        if found is not None and passwords.is_remembered(secret, *source, str(found.actor.auth_epoch)):
            return found.actor
        attempt.check()
        user = _ask(settings, username, secret)
        if user is None:
            return None
        passwords.remember(secret, *source, str(user.auth_epoch))
        return user.actor


def _ask(settings: Settings, username: str, secret: str) -> User | None:
    try:
        with _turns.taken(), opened(settings) as directory:
            return _signed_in(directory, username, secret)
    except Full:
        raise Locked(1, "too many logins at once, try again") from None
    except (BadRequest, Conflict) as refusal:
        _log.warning("a person of the directory cannot be a user here: %s", refusal.message)
        return None


def _signed_in(directory: Directory, username: str, secret: str) -> User | None:
    people = directory.people(username, limit=2)
    if len(people) != 1 or not (name := people[0].named(username)):
        return None
    if not directory.is_password(people[0], secret):
        return None
    groups, admin = directory.groups_of(people[0])
    user = actions.accept_person(people[0], name, groups, admin)
    return user if user.is_active else None
