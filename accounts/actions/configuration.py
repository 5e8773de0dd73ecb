"""Changing the configuration. It lives here because the configuration itself sits below and knows nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.actors import Actor
from accounts.errors import BadRequest, Conflict, Forbidden
from accounts.models import INITIAL_ADMIN, User
from accounts.permissions import require_system
from audit.actions import record
from audit.forwarding import KEY as FORWARD
from audit.forwarding import Address
from configuration import values
from configuration.keys import KEYS, InvalidValue

UNSUPPORTED = ("uaa_auth", "http_auth")
"""Modes of Harbor's that Haven knows the keys of, and nothing else."""


def configure(actor: Actor, changes: Mapping[str, Any]) -> list[str]:
    """Set keys of the configuration, all or none; the names of those that changed. Values are not written down."""
    require_system(actor, "configuration", "update")
    _check_robot_prefix(changes)
    _check_auth_mode(changes)
    _check_forwarding(changes)
    try:
        with transaction.atomic():
            changed = values.set_values(changes)
            record(actor, "update", "configuration", "configuration", changed=changed)
    except InvalidValue as error:
        raise BadRequest(str(error), error.key) from None
    except values.NotEditable as error:
        raise Forbidden(str(error)) from None
    return changed


def _check_robot_prefix(changes: Mapping[str, Any]) -> None:
    """A user whose name began like a robot's could not sign in any more."""
    try:
        prefix = KEYS["robot_name_prefix"].parse(changes.get("robot_name_prefix"))
    except InvalidValue:
        return  # not among the changes, or refused for that
    if User.objects.filter(username__istartswith=prefix).exists():
        raise Conflict(f"there are users whose names begin with {prefix}")


def _check_auth_mode(changes: Mapping[str, Any]) -> None:
    """Users of one source would be strangers to another: it changes only while there is one administrator alone."""
    if "auth_mode" not in changes or changes["auth_mode"] == values.get("auth_mode"):
        return
    if changes["auth_mode"] in UNSUPPORTED:
        raise BadRequest(f"auth_mode {changes['auth_mode']} is not supported: nobody could sign in", "auth_mode")
    if not may_change_auth_mode():
        raise BadRequest("the authentication mode can not change while there are users", "auth_mode")


def _check_forwarding(changes: Mapping[str, Any]) -> None:
    """An address that is none takes no entry: with the database left out, nobody would keep the audit log."""
    endpoint = changes.get(FORWARD)
    try:
        if isinstance(endpoint, str) and endpoint.strip():
            Address.of(endpoint.strip())
    except ValueError as error:
        raise BadRequest(f"{FORWARD} {error}", FORWARD) from None


def may_change_auth_mode() -> bool:
    """Whether there is nobody but the first administrator."""
    return not User.objects.exclude(pk=INITIAL_ADMIN).exists()
