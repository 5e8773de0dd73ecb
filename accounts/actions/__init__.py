"""What may be done with accounts. Every function: authorize, one transaction, one audit entry."""

from accounts.actions.configuration import configure
from accounts.actions.groups import create_group, delete_group, join_group, leave_group, rename_group
from accounts.actions.logins import (
    actor_of_refresh_token,
    forget_expired_refresh_tokens,
    issue_refresh_token,
    record_login,
    record_logout,
)
from accounts.actions.people import (
    INITIAL_ADMIN,
    create_first_admin,
    create_user,
    delete_user,
    set_active,
    set_admin,
    set_password,
    update_user,
)
from accounts.actions.preferences import set_preferences

__all__ = [
    "INITIAL_ADMIN",
    "actor_of_refresh_token",
    "configure",
    "create_first_admin",
    "create_group",
    "create_user",
    "delete_group",
    "delete_user",
    "forget_expired_refresh_tokens",
    "issue_refresh_token",
    "join_group",
    "leave_group",
    "record_login",
    "record_logout",
    "rename_group",
    "set_active",
    "set_admin",
    "set_password",
    "set_preferences",
    "update_user",
]
