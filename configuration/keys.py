"""The keys of Harbor's configuration: its names, defaults and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from configuration import types


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `env` is the variable that fixes its value; `readable` and `writable` are the API's view of it."""

    name: str
    type: types.Type
    default: Any
    env: str = ""
    readable: bool = True
    writable: bool = True

    @property
    def secret(self) -> bool:
        """Sealed where it is kept; no answer, log or audit entry ever holds it."""
        return self.type is types.password

    def parse(self, value: Any) -> Any:
        """`value` as this key's type; `InvalidValue` names the key, and never the value."""
        try:
            return self.type(value)
        except ValueError as error:
            raise InvalidValue(self.name, str(error)) from None


class InvalidValue(ValueError):
    """A value that its key does not take."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} {reason}")
        self.key = key


POSITIVE = types.integer(1, types.MOST)
LDAP_SCOPE = types.integer(0, 2)
AUTH_MODE = types.choice("db_auth", "ldap_auth", "uaa_auth", "http_auth", "oidc_auth")

_ALL = (
    # Signing in
    Key("auth_mode", AUTH_MODE, "db_auth", "AUTH_MODE"),
    Key("primary_auth_mode", types.boolean, False, "PRIMARY_AUTH_MODE"),
    Key("self_registration", types.boolean, False, "SELF_REGISTRATION"),
    Key("session_timeout", POSITIVE, 60, "SESSION_TIMEOUT"),  # minutes
    Key("token_expiration", POSITIVE, 30, "TOKEN_EXPIRATION"),  # minutes
    # Projects and robots
    Key(
        "project_creation_restriction",
        types.choice("everyone", "adminonly"),
        "everyone",
        "PROJECT_CREATION_RESTRICTION",
    ),
    Key("quota_per_project_enable", types.boolean, True, "QUOTA_PER_PROJECT_ENABLE"),
    Key("storage_per_project", types.quota, -1, "STORAGE_PER_PROJECT"),  # bytes
    Key("robot_token_duration", POSITIVE, 30, "ROBOT_TOKEN_DURATION"),  # days, what the portal suggests
    Key("robot_name_prefix", types.robot_prefix, "robot$", "ROBOT_NAME_PREFIX"),
    # The whole system
    Key("read_only", types.boolean, False, "READ_ONLY"),
    Key("notification_enable", types.boolean, True, "NOTIFICATION_ENABLE"),
    Key("banner_message", types.string, "", "BANNER_MESSAGE"),
    Key("scan_all_policy", types.mapping, {}, writable=False),
    # Audit log and what a pull writes
    Key("audit_log_forward_endpoint", types.string, "", "AUDIT_LOG_FORWARD_ENDPOINT"),
    Key("skip_audit_log_database", types.boolean, False, "SKIP_LOG_AUDIT_DATABASE"),
    Key("disabled_audit_log_event_types", types.string, "", "AUDIT_LOG_EVENTS_DISABLED"),
    Key("scanner_skip_update_pulltime", types.boolean, False, "SCANNER_SKIP_UPDATE_PULL_TIME"),
    Key("pull_time_update_disable", types.boolean, False, "PULL_TIME_UPDATE_DISABLE", readable=False, writable=False),
    Key("pull_count_update_disable", types.boolean, False, "PULL_COUNT_UPDATE_DISABLE", readable=False, writable=False),
    Key("pull_audit_log_disable", types.boolean, False, "PULL_AUDIT_LOG_DISABLE", readable=False, writable=False),
    # LDAP
    Key("ldap_url", types.ldap_url, "", "LDAP_URL"),
    Key("ldap_base_dn", types.base_name, "", "LDAP_BASE_DN"),
    Key("ldap_filter", types.ldap_filter, "", "LDAP_FILTER"),
    Key("ldap_scope", LDAP_SCOPE, 2, "LDAP_SCOPE"),
    Key("ldap_uid", types.name_attribute, "cn", "LDAP_UID"),
    Key("ldap_search_dn", types.string, "", "LDAP_SEARCH_DN"),
    Key("ldap_search_password", types.password, "", "LDAP_SEARCH_PWD", readable=False),
    Key("ldap_timeout", types.integer(1, 60), 5, "LDAP_TIMEOUT"),  # seconds
    Key("ldap_verify_cert", types.boolean, True, "LDAP_VERIFY_CERT"),
    Key("ldap_group_base_dn", types.distinguished_name, "", "LDAP_GROUP_BASE_DN"),
    Key("ldap_group_admin_dn", types.distinguished_name, "", "LDAP_GROUP_ADMIN_DN"),
    Key("ldap_group_attribute_name", types.attribute, "", "LDAP_GROUP_GID"),
    Key("ldap_group_search_filter", types.ldap_filter, "", "LDAP_GROUP_FILTER"),
    Key("ldap_group_search_scope", LDAP_SCOPE, 2, "LDAP_GROUP_SCOPE"),
    Key("ldap_group_membership_attribute", types.attribute, "memberof", "LDAP_GROUP_MEMBERSHIP_ATTRIBUTE"),
    Key("ldap_group_attach_parallel", types.boolean, False, "LDAP_GROUP_ATTACH_PARALLEL"),
    # UAA. Its secret is text to Harbor, which shows it; here it is a secret.
    Key("uaa_endpoint", types.url, "", "UAA_ENDPOINT"),
    Key("uaa_client_id", types.string, "", "UAA_CLIENTID"),
    Key("uaa_client_secret", types.password, "", "UAA_CLIENTSECRET", readable=False),
    Key("uaa_verify_cert", types.boolean, False, "UAA_VERIFY_CERT"),
    # Authentication proxy
    Key("http_authproxy_endpoint", types.url, ""),
    Key("http_authproxy_tokenreview_endpoint", types.url, ""),
    Key("http_authproxy_admin_groups", types.string, ""),
    Key("http_authproxy_admin_usernames", types.string, ""),
    Key("http_authproxy_verify_cert", types.boolean, True),
    Key("http_authproxy_skip_search", types.boolean, False),
    Key("http_authproxy_server_certificate", types.string, ""),
    # OpenID Connect
    Key("oidc_name", types.string, ""),
    Key("oidc_endpoint", types.url, ""),
    Key("oidc_client_id", types.string, ""),
    Key("oidc_client_secret", types.password, "", readable=False),
    Key("oidc_groups_claim", types.string, ""),
    Key("oidc_admin_group", types.string, ""),
    Key("oidc_group_filter", types.pattern, ""),
    Key("oidc_scope", types.scopes, ""),
    Key("oidc_user_claim", types.string, ""),
    Key("oidc_verify_cert", types.boolean, True),
    Key("oidc_auto_onboard", types.boolean, False),
    Key("oidc_extra_redirect_parms", types.string_mapping, {}),
    Key("oidc_logout", types.boolean, False),
    # Never in the API
    Key("gdpr_delete_user", types.boolean, False, "GDPR_DELETE_USER", readable=False, writable=False),
    Key("robot_scanner_name_prefix", types.non_empty_string, "scanner", "ROBOT_SCANNER_NAME_PREFIX", False, False),
)

KEYS = {key.name: key for key in _ALL}
