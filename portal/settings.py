"""The configuration in the reader's language: which keys a page shows, what they are called, what may be chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from portal.names import EVENTS

SECTIONS: dict[str, tuple[Any, tuple[tuple[Any, tuple[str, ...]], ...]]] = {
    "system": (
        _("System"),
        (
            (_("Projects"), ("project_creation_restriction", "quota_per_project_enable", "storage_per_project")),
            (_("Robots"), ("robot_token_duration", "robot_name_prefix")),
            (_("Sessions and tokens"), ("session_timeout", "token_expiration")),
            (_("Whole system"), ("read_only", "banner_message")),
            (
                _("Audit log"),
                ("audit_log_forward_endpoint", "skip_audit_log_database", "disabled_audit_log_event_types"),
            ),
        ),
    ),
    "authentication": (
        _("Authentication"),
        (
            (_("How people sign in"), ("auth_mode", "primary_auth_mode", "self_registration")),
            (
                "LDAP",
                (
                    "ldap_url",
                    "ldap_verify_cert",
                    "ldap_search_dn",
                    "ldap_search_password",
                    "ldap_base_dn",
                    "ldap_scope",
                    "ldap_uid",
                    "ldap_filter",
                    "ldap_timeout",
                    "ldap_group_base_dn",
                    "ldap_group_search_scope",
                    "ldap_group_search_filter",
                    "ldap_group_attribute_name",
                    "ldap_group_membership_attribute",
                    "ldap_group_admin_dn",
                ),
            ),
            (
                "OpenID Connect",
                (
                    "oidc_name",
                    "oidc_endpoint",
                    "oidc_verify_cert",
                    "oidc_client_id",
                    "oidc_client_secret",
                    "oidc_scope",
                    "oidc_user_claim",
                    "oidc_auto_onboard",
                    "oidc_groups_claim",
                    "oidc_group_filter",
                    "oidc_admin_group",
                    "oidc_logout",
                ),
            ),
        ),
    ),
}
"""A page's title, then its groups: a title and keys of the configuration, in the order in which they are shown."""

LABELS: dict[str, tuple[Any, Any]] = {
    "project_creation_restriction": (_("Who may create projects"), ""),
    "quota_per_project_enable": (_("Enforce storage limits"), ""),
    "storage_per_project": (_("Storage limit of new projects"), _("Such as 10 GiB. Leave it empty for no limit.")),
    "robot_token_duration": (_("Robots expire after (days)"), _("What the form for a new robot suggests.")),
    "robot_name_prefix": (_("Prefix of robots' names"), _("Clients that use the old names are refused.")),
    "session_timeout": (_("Sessions end after (minutes)"), _("Counted from the last thing that somebody did.")),
    "token_expiration": (_("Docker's tokens last (minutes)"), ""),
    "read_only": (_("Read-only"), _("Nobody pushes or deletes, until this is taken back. Pulling goes on.")),
    "banner_message": (_("Message on every page"), _("Leave it empty for none.")),
    "audit_log_forward_endpoint": (_("Forward the log to syslog"), _("Host and port, such as syslog.example.com:514.")),
    "skip_audit_log_database": (_("Only forward it"), _("Nothing is kept here: the log's pages stay empty.")),
    "disabled_audit_log_event_types": (_("Events that are not written down"), ""),
    "auth_mode": (_("People are known to"), _("It can change only while there is no user but the administrator.")),
    "primary_auth_mode": (_("Send people to the provider at once"), _("Signing in by password stays possible.")),
    "self_registration": (_("Anybody may register"), ""),
    "ldap_url": (_("Address of the directory"), _("Such as ldaps://ldap.example.com.")),
    "ldap_verify_cert": (_("Verify its certificate"), ""),
    "ldap_search_dn": (_("Account that searches"), _("Its distinguished name. Leave it empty to search anonymously.")),
    "ldap_search_password": (_("Password of that account"), _("Leave it empty to keep the one that is stored.")),
    "ldap_base_dn": (_("Where people are"), _("Such as ou=people,dc=example,dc=com.")),
    "ldap_scope": (_("How deep people are searched"), ""),
    "ldap_uid": (_("Attribute of the username"), _("Such as uid, cn or sAMAccountName.")),
    "ldap_filter": (_("Filter for people"), _("Such as (memberOf=cn=haven,ou=groups,dc=example,dc=com).")),
    "ldap_timeout": (_("Patience (seconds)"), ""),
    "ldap_group_base_dn": (_("Where groups are"), _("Leave it empty where groups do not matter.")),
    "ldap_group_search_scope": (_("How deep groups are searched"), ""),
    "ldap_group_search_filter": (_("Filter for groups"), _("Such as (objectClass=groupOfNames).")),
    "ldap_group_attribute_name": (_("Attribute of a group's name"), _("Such as cn.")),
    "ldap_group_membership_attribute": (_("Attribute that names a person's groups"), _("Such as memberof.")),
    "ldap_group_admin_dn": (
        _("Group of administrators"),
        _("Its distinguished name; who is in it may everything."),
    ),
    "oidc_name": (_("Name of the provider"), _("What the button on the sign-in page says.")),
    "oidc_endpoint": (_("Address of the provider"), _("Such as https://login.example.com/realms/main.")),
    "oidc_verify_cert": (_("Verify its certificate"), ""),
    "oidc_client_id": (_("Client ID"), ""),
    "oidc_client_secret": (_("Client secret"), _("Leave it empty to keep the one that is stored.")),
    "oidc_scope": (_("Scopes"), _("Separated by commas; openid is needed, offline_access keeps people signed in.")),
    "oidc_user_claim": (_("Claim of the username"), _("Leave it empty for the name that the provider gives.")),
    "oidc_auto_onboard": (_("Let newcomers in at once"), _("Under the name in that claim; else they choose one.")),
    "oidc_groups_claim": (_("Claim of the groups"), _("Such as groups.")),
    "oidc_group_filter": (_("Groups that count"), _("A regular expression. Leave it empty for all.")),
    "oidc_admin_group": (_("Group of administrators"), _("Whoever is in it may everything.")),
    "oidc_logout": (_("Sign out at the provider too"), ""),
}
"""What a key is called, and what helps to fill it in."""

SCOPES = [("0", _("That entry alone")), ("1", _("One level below")), ("2", _("Everything below"))]
CHOICES: dict[str, list[tuple[str, Any]]] = {
    "project_creation_restriction": [("everyone", _("Everybody")), ("adminonly", _("Administrators"))],
    "auth_mode": [("db_auth", _("Haven itself")), ("ldap_auth", "LDAP"), ("oidc_auth", "OpenID Connect")],
    "ldap_scope": SCOPES,
    "ldap_group_search_scope": SCOPES,
    "disabled_audit_log_event_types": sorted(EVENTS.items(), key=lambda event: event[0]),
}
SIZES = ("storage_per_project",)
LISTS = ("disabled_audit_log_event_types",)
"""Keys that hold several words, separated by commas."""


def tabs() -> list[tuple[str, Any]]:
    """The pages of the configuration: the last word of their address, and what they are called."""
    return [*((key, title) for key, (title, _groups) in SECTIONS.items()), ("security", _("Security"))]


def banner_text(stored: Any) -> str:
    """The message in what is stored: Harbor keeps it in a JSON object, beside its look."""
    try:
        document = json.loads(stored or "{}")
    except ValueError:
        return str(stored)
    return str(document.get("message") or "") if isinstance(document, Mapping) else str(stored)
