from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import INITIAL_ADMIN, User
from accounts.oidc import provider as ours
from configuration import values
from tests.cast import make_user
from tests.oidc import CLIENT, SECRET, Provider
from tests.slapd import BASE, ROOT_DN, ROOT_PASSWORD, Slapd


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    """A directory with the people and groups of the tests."""
    server = Slapd()
    try:
        server.start()
        server.fill()
        yield server
    finally:
        server.remove()


@pytest.fixture
def directory(slapd: Slapd, settings: Any, transactional_db: None, first_admin: User) -> Slapd:
    """The directory, and Haven signing people in by it."""
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]
    settings.CA_FILE = str(slapd.authority.path)
    values.set_values(
        {
            "auth_mode": "ldap_auth",
            "ldap_url": slapd.url,
            "ldap_base_dn": f"ou=people,{BASE}",
            "ldap_uid": "uid",
            "ldap_search_dn": ROOT_DN,
            "ldap_search_password": ROOT_PASSWORD,
            "ldap_group_base_dn": f"ou=groups,{BASE}",
            "ldap_group_search_filter": "objectClass=groupOfNames",
            "ldap_group_admin_dn": f"CN=Admins, ou=groups,{BASE}",
            "ldap_timeout": 2,
        }
    )
    return slapd


@pytest.fixture
def first_admin(db: None) -> User:
    """The first administrator, under the id that the first one has."""
    admin = make_user("admin", is_admin=True)
    if admin.pk != INITIAL_ADMIN:
        User.everyone.filter(pk=admin.pk).update(id=INITIAL_ADMIN)
    first: User = User.objects.get(pk=INITIAL_ADMIN)
    return first


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.stop()


@pytest.fixture
def provider(running: Provider, settings: Any, first_admin: User) -> Iterator[Provider]:
    """The provider, and Haven signing people in by it."""
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]
    running.reset()
    ours.forget()
    values.set_values(
        {
            "auth_mode": "oidc_auth",
            "oidc_name": "Wonderland",
            "oidc_endpoint": running.url,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "oidc_scope": "openid,profile,email,offline_access",
            "oidc_user_claim": "preferred_username",
            "oidc_groups_claim": "groups",
            "oidc_admin_group": "admins",
            "oidc_auto_onboard": True,
        }
    )
    yield running
    ours.forget()
