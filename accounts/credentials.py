"""The row that a login reads: one raw query, since every docker command begins with it."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

from accounts.actors import Actor, Kind

_SELECT = """
    SELECT u.id, u.username, u.password, u.is_admin OR u.admin_by_group, u.auth_epoch
    FROM accounts_user u
    WHERE NOT u.deleted AND u.is_active AND {condition}
"""
_BY_NAME = _SELECT.format(condition="LOWER(u.username) = LOWER(%s)")
_BY_EMAIL = _SELECT.format(condition="NOT (u.email = '') AND LOWER(u.email) = LOWER(%s)")


class Credentials(NamedTuple):
    """A user who may sign in, and the hash of the password."""

    actor: Actor
    encoded: str


def find_credentials(principal: str) -> Credentials | None:
    """The user of this name or else of this e-mail address, without regard to case."""
    found = _find(_BY_NAME, principal)
    if found is None and "@" in principal:
        found = _find(_BY_EMAIL, principal)
    return found


def _find(query: str, principal: str) -> Credentials | None:
    with connection.cursor() as cursor:
        cursor.execute(query, [principal])
        row = cursor.fetchone()
    if row is None:
        return None
    pk, name, encoded, admin, epoch = row
    return Credentials(Actor(Kind.USER, name, user_id=pk, is_admin=bool(admin), auth_epoch=epoch), encoded)
