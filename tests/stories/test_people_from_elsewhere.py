"""People whom a directory or a provider knows, at the real stack: they sign in, push by their groups, and leave.

The directory is a slapd, the provider a server of the test's own, the reader sits at a real browser.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.oidc import CLIENT, SECRET, Provider
from tests.portal.browser import Reader, chromium
from tests.slapd import BASE, PASSWORD, ROOT_DN, ROOT_PASSWORD, Slapd
from tests.stack import content
from tests.stack.fixtures import MakeStack
from tests.stack.stack import Stack
from tests.stack.wire import Client

pytestmark = pytest.mark.stack
CATCHES_UP = 4
"""Seconds within which every process of web heeds a changed configuration."""


def done(client: Client, method: str, path: str, document: object, status: int) -> None:
    answer = client.api(method, path, document)
    assert answer.status == status, f"{method} {path}: {answer}"


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    server = Slapd()
    try:
        server.start()
        server.fill()
        yield server
    finally:
        server.remove()


def test_a_day_with_a_directory(make_stack: MakeStack, slapd: Slapd) -> None:
    stack = make_stack(HAVEN_ALLOWED_NETWORKS="127.0.0.1", HAVEN_CA_FILE=str(slapd.authority.path)).start()
    admin, alice, bob = stack.admin, stack.client("alice", PASSWORD), stack.client("bob", PASSWORD)
    keys = {
        "auth_mode": "ldap_auth",
        "ldap_url": slapd.starttls_url,
        "ldap_base_dn": f"ou=people,{BASE}",
        "ldap_uid": "uid",
        "ldap_search_dn": ROOT_DN,
        "ldap_search_password": ROOT_PASSWORD,
        "ldap_group_base_dn": f"ou=groups,{BASE}",
        "ldap_group_search_filter": "objectClass=groupOfNames",
        "ldap_timeout": 2,
    }
    done(admin, "PUT", "/configurations", keys, 200)
    time.sleep(CATCHES_UP)
    assert admin.api("POST", "/ldap/ping", {}).json == {"success": True}
    done(admin, "POST", "/projects", {"project_name": "wonder", "metadata": {"public": "false"}}, 201)
    group = {"role_id": 2, "member_group": {"ldap_group_dn": f"cn=team,ou=groups,{BASE}"}}
    done(admin, "POST", "/projects/wonder/members", group, 201)

    assert alice.push("wonder/tea", "1", content.image(text="by the directory's word")).status == 201
    assert bob.api("GET", "/users/current").json["username"] == "bob"
    assert bob.pull("wonder/tea", "1").status in (401, 403)
    with pytest.raises(AssertionError, match="no token"):
        stack.client("alice", "wrong").pull("wonder/tea", "1")

    robot = {"name": "ci", "level": "project", "duration": -1, "permissions": []}
    access = [{"resource": "repository", "action": "pull"}]
    robot |= {"permissions": [{"kind": "project", "namespace": "wonder", "access": access}]}
    made = admin.api("POST", "/robots", robot).json
    slapd.stop()
    try:
        assert stack.client(made["name"], made["secret"]).pull("wonder/tea", "1").status == 200
        assert stack.admin.api("GET", "/users/current").status == 200
        assert stack.client("carol", PASSWORD).api("GET", "/users/current").status == 503
        assert alice.pull("wonder/tea", "1").status == 200  # what is known stays known for a while
    finally:
        slapd.start()
        stack.remove()


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.stop()


def set_up(stack: Stack, provider: Provider) -> None:
    keys = {
        "auth_mode": "oidc_auth",
        "oidc_name": "Wonderland",
        "oidc_endpoint": provider.url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_scope": "openid,profile,email,offline_access",
        "oidc_user_claim": "preferred_username",
        "oidc_groups_claim": "groups",
        "oidc_logout": True,
    }
    done(stack.admin, "POST", "/system/oidc/ping", {"url": provider.url, "verify_cert": True}, 200)
    done(stack.admin, "PUT", "/configurations", keys, 200)
    done(stack.admin, "POST", "/projects", {"project_name": "wonder", "metadata": {"public": "false"}}, 201)
    time.sleep(CATCHES_UP)
    group = {"role_id": 2, "member_group": {"group_name": "team", "group_type": 3}}
    done(stack.admin, "POST", "/projects/wonder/members", group, 201)


def come(reader: Reader) -> None:
    """Sign in at the provider."""
    reader.page.goto("/account/sign-in?next=/projects/wonder")
    reader.page.click("text=Log in with Wonderland")


def make_secret(reader: Reader) -> str:
    """The secret for docker, as the page shows it once."""
    reader.page.goto("/account")
    reader.page.click("text=New CLI secret")
    reader.page.click("text=Make a secret")
    return str(reader.page.locator("#hv-secret code").inner_text())


def leave(reader: Reader, provider: Provider) -> None:
    """Sign out, here and there."""
    reader.page.goto("/")
    button = reader.page.locator("form[action='/account/sign-out'] button")
    button.evaluate("button => button.form.requestSubmit(button)")
    reader.page.wait_for_url(f"{provider.url}/logout**")
    assert "id_token_hint=" in reader.page.url


def test_a_day_with_a_provider(make_stack: MakeStack, provider: Provider) -> None:
    stack = make_stack(HAVEN_ALLOWED_NETWORKS="127.0.0.1").start()
    try:
        set_up(stack, provider)
        with chromium() as browser:
            reader = Reader(browser, stack.url)
            come(reader)
            expect(reader.page.locator("h1")).to_have_text("Choose a username")
            expect(reader.page.locator("[name=username]")).to_have_value("alice")
            reader.page.click("text=Continue")
            expect(reader.page.locator("h1")).to_contain_text("wonder")
            secret = make_secret(reader)
            alice = stack.client("alice", secret)
            assert alice.push("wonder/tea", "1", content.image(text="by the provider's word")).status == 201
            assert alice.api("GET", "/users/current").status == 401
            leave(reader, provider)
            reader.page.goto(f"{stack.url}/account/sign-in")
            expect(reader.page.locator("text=Log in with Wonderland")).to_be_visible()
            assert [line for line in reader.seen if provider.url not in line] == []
            provider.person["groups"] = []
            come(reader)
            expect(reader.page.locator("h1")).to_have_text("There is nothing here")
            reader.leave()
        assert stack.client("alice", secret).pull("wonder/tea", "1").status in (401, 403)
    finally:
        stack.remove()
