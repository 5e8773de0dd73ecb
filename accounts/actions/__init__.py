"""What may be done with accounts. Every function: authorize, one transaction, one audit entry."""

from accounts.actions.configuration import configure, may_change_auth_mode
from accounts.actions.directory import Failure, accept_person, import_group, import_people, import_person
from accounts.actions.groups import (
    Known,
    create_group,
    delete_group,
    find_or_create_group,
    join_group,
    leave_group,
    refresh_groups,
    rename_group,
)
from accounts.actions.logins import (
    actor_of_refresh_token,
    forget_expired_refresh_tokens,
    issue_refresh_token,
    may_have_refresh_token,
    record_login,
    record_logout,
)
from accounts.actions.oidc import accept_login, alone_refreshing, keep_tokens, set_cli_secret, tokens_of
from accounts.actions.onboarding import Identity, add_oidc_user, find_or_add_ldap_user, is_local, oidc_user
from accounts.actions.people import (
    create_first_admin,
    create_user,
    delete_user,
    set_active,
    set_admin,
    set_password,
    update_user,
)
from accounts.actions.preferences import set_preferences
from accounts.models import INITIAL_ADMIN

__all__ = [
    "Failure",
    "INITIAL_ADMIN",
    "Identity",
    "Known",
    "accept_login",
    "accept_person",
    "actor_of_refresh_token",
    "add_oidc_user",
    "alone_refreshing",
    "configure",
    "create_first_admin",
    "create_group",
    "create_user",
    "delete_group",
    "delete_user",
    "find_or_add_ldap_user",
    "find_or_create_group",
    "forget_expired_refresh_tokens",
    "import_group",
    "import_people",
    "import_person",
    "is_local",
    "issue_refresh_token",
    "join_group",
    "keep_tokens",
    "leave_group",
    "may_change_auth_mode",
    "may_have_refresh_token",
    "oidc_user",
    "record_login",
    "record_logout",
    "refresh_groups",
    "rename_group",
    "set_active",
    "set_admin",
    "set_cli_secret",
    "set_password",
    "set_preferences",
    "tokens_of",
    "update_user",
]
