"""Where credentials go, and where they never do."""

from __future__ import annotations

import pytest

from registry import http
from registry.auth import Credentials, Need, Tokens, challenges
from registry.client import Registry
from registry.errors import Blocked, Denied, RegistryError, Unauthorized, Unavailable
from registry.references import Reference
from tests.fakes.registry import FakeRegistry, fake_session
from tests.registry.documents import image, manifest, sha256
from tests.registry.listener import listening


def _registry(fake: FakeRegistry, username: str = "", password: str = "") -> Registry:
    session, _ = fake_session(fake)
    return Registry(fake.url, session, Credentials(fake.url, session, username, password))


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_follows_the_challenge(scheme: str) -> None:
    fake = FakeRegistry()
    fake.require("bob", "pä:ss", scheme)
    registry = _registry(fake, "bob", "pä:ss")
    registry.put_blob("a/b", sha256(b"x"), b"x")
    registry.ping()
    assert fake.blobs[("a/b", sha256(b"x"))] == b"x"


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_wrong_credentials_are_tried_once(scheme: str) -> None:
    fake = FakeRegistry()
    fake.require("bob", "right", scheme)
    with pytest.raises(Unauthorized):
        _registry(fake, "bob", "wrong").ping()
    assert len(fake.calls) <= 2


def test_no_password_is_sent_before_it_is_asked_for() -> None:
    fake = FakeRegistry()
    _registry(fake, "bob", "secret").ping()
    assert "Authorization" not in fake.calls[0].headers


def test_a_token_is_asked_for_once_and_for_its_scope() -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    registry = _registry(fake, "bob", "secret")
    for _ in range(3):
        registry.head_blob("a/b", sha256(b"x"))
    registry.head_blob("a/c", sha256(b"x"))
    assert [call.query["scope"] for call in fake.called(path="^/token$")] == [
        "repository:a/b:pull",
        "repository:a/c:pull",
    ]


def test_a_token_that_was_withdrawn_is_asked_for_again() -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    registry = _registry(fake, "bob", "secret")
    registry.head_blob("a/b", sha256(b"x"))
    fake.tokens.clear()
    registry.head_blob("a/b", sha256(b"x"))
    assert len(fake.called(path="^/token$")) == 2


def test_a_token_for_another_scope_is_fetched_before_it_is_asked_for() -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    registry = _registry(fake, "bob", "secret")
    for name in ("a/b", "a/c", "a/d"):
        registry.head_blob(name, sha256(b"x"))
    sent = fake.called(path="^/v2/")
    assert sum("Authorization" not in call.headers for call in sent) == 1, "only the first is told where tokens are"
    assert len(fake.called(path="^/token$")) == 3


def test_sessions_of_one_account_share_its_tokens() -> None:
    fake, tokens = FakeRegistry(), Tokens()
    fake.require("bob", "secret")
    for _ in range(3):
        session, _ = fake_session(fake)
        auth = Credentials(fake.url, session, "bob", "secret", tokens)
        Registry(fake.url, session, auth).head_blob("a/b", sha256(b"x"))
    assert len(fake.called(path="^/token$")) == 1


def test_a_token_that_may_not_do_it_is_not_kept() -> None:
    """Else who gives the account its right waits, though it has it, for as long as the token lives."""
    fake, tokens = FakeRegistry(), Tokens()
    fake.require("bob", "secret")
    for times, status in ((1, 200), (1, 403), (2, 200), (2, 403), (3, 200), (3, 200)):
        session, _ = fake_session(fake)
        registry = Registry(fake.url, session, Credentials(fake.url, session, "bob", "secret", tokens))
        if status == 403:
            assert tokens.held
            fake.fail("HEAD", "blobs", 403, "DENIED")
            with pytest.raises(Denied):
                registry.head_blob("a/b", sha256(b"x"))
        else:
            registry.head_blob("a/b", sha256(b"x"))
        assert len(fake.called(path="^/token$")) == times


def test_a_realm_that_moved_is_found_again() -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    registry = _registry(fake, "bob", "secret")
    registry.head_blob("a/b", sha256(b"x"))
    fake.fail("GET", "^/token$", 404)
    fake.calls.clear()
    registry.head_blob("a/c", sha256(b"x"))
    assert "Authorization" not in fake.called(path="^/v2/")[0].headers, "it asks where tokens are"
    assert len(fake.called(path="^/token$")) == 2


def test_anonymous_tokens_carry_no_password() -> None:
    fake = FakeRegistry()
    fake.require("", "")
    fake.fail("GET", "/v2/$", 401, "UNAUTHORIZED", {"WWW-Authenticate": f'Bearer realm="{fake.realm}"'})
    _registry(fake).ping()
    assert all("Basic" not in call.headers.get("Authorization", "") for call in fake.calls)


def test_an_http_realm_on_another_host_gets_nothing() -> None:
    """CVE-2026-33540, CVE-2020-15157: credentials to whatever realm an upstream names."""
    with listening() as evil:
        fake = FakeRegistry(realm=f"{evil.url}/token")
        fake.require("bob", "secret")
        with pytest.raises(Denied):
            _registry(fake, "bob", "secret").ping()
        assert evil.connections == 0


@pytest.mark.parametrize("realm", ["http://registry.test/token", "http+unix://%2Frun%2Fx/token", "file:///x", "", "x"])
def test_a_realm_may_not_be_less_safe_than_the_registry(realm: str) -> None:
    fake = FakeRegistry(realm=realm or "-")
    fake.require("bob", "secret")
    with pytest.raises(RegistryError):
        _registry(fake, "bob", "secret").ping()
    assert all("Authorization" not in call.headers for call in fake.calls)


def test_a_private_realm_is_blocked_even_for_anonymous() -> None:
    fake = FakeRegistry(realm="http://127.0.0.1:9/token")
    fake.require("nobody", "x")
    with pytest.raises(Blocked):
        _registry(fake).ping()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token": 1}', b'{"token": "a b\\r\\nX: y"}', b"x" * 300_000])
def test_a_realm_that_answers_nonsense(body: bytes) -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    fake.failures.append(("GET", "^/token$", (200, {}, body)))
    with pytest.raises(RegistryError):
        _registry(fake, "bob", "secret").ping()


@pytest.mark.parametrize("status", [307, 302])
def test_credentials_do_not_follow_a_redirect(status: int) -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret", "basic")
    elsewhere = FakeRegistry(url="https://storage.test")
    registry = _registry(fake, "bob", "secret")
    registry.session.mount(elsewhere.url, elsewhere)
    digest = elsewhere.add_blob("x/y", b"bytes")
    registry.ping()
    fake.fail("GET", "/blobs/", status, headers={"Location": f"{elsewhere.url}/v2/x/y/blobs/{digest}"})
    with registry.get_blob("a/b", digest) as stream:
        assert b"".join(stream) == b"bytes"
    assert elsewhere.calls and all("Authorization" not in call.headers for call in elsewhere.calls)


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:9/x", "http://registry.test/x", "https://127.0.0.1/x", "http+unix://%2Frun%2Fx/x", "file:///x"],
)
def test_a_redirect_to_a_dangerous_place_is_refused(location: str) -> None:
    session, fake = fake_session()
    fake.fail("GET", "/blobs/", 307, headers={"Location": location})
    with pytest.raises(RegistryError), Registry(fake.url, session).get_blob("a/b", sha256(b"x")) as stream:
        list(stream)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:9/",
        "//evil.test/x",
        "https://evil.test/x",
        "https://registry.test.evil.test/x",
        "http://registry.test/x",
    ],
)
def test_an_upload_stays_with_the_registry(location: str) -> None:
    """GHSA-wjpm-hv5w-gxr6: chunks to whatever `Location` a remote answers with."""
    session, fake = fake_session()
    fake.fail("POST", "/uploads/", 202, headers={"Location": location})
    with pytest.raises(Blocked):
        Registry(fake.url, session).put_blob("a/b", sha256(b"x"), b"x")
    assert [call.method for call in fake.calls] == ["POST"]


def test_a_list_stays_with_the_registry() -> None:
    """GHSA-xgp2-5vxg-rgh2: credentials to whatever `Link` a remote answers with."""
    session, fake = fake_session()
    headers = {"Link": '<http://evil.test/v2/a/tags/list>; rel="next"'}
    fake.failures.append(("GET", "/tags/list", (200, headers, b'{"tags":["one"]}')))
    with pytest.raises(Blocked):
        list(Registry(fake.url, session).tags("a/b"))
    assert len(fake.calls) == 1


def test_a_body_that_can_be_read_once_is_sent_once() -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    registry = _registry(fake, "bob", "secret")
    location = registry.start_upload("a/b")
    fake.tokens.clear()
    from registry.client import Body

    with pytest.raises(Unauthorized):
        registry.finish_upload("a/b", location, sha256(b"xy"), Body(iter([b"x", b"y"]), 2))
    assert len(fake.called("PUT")) == 1


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        (
            'Bearer realm="https://a.test/t?x=1,2",service="s",scope="repository:a:pull,push"',
            [("bearer", {"realm": "https://a.test/t?x=1,2", "service": "s", "scope": "repository:a:pull,push"})],
        ),
        ('Negotiate, Basic realm="x", Bearer realm=y', None),
        ("", [("", {})]),
        ("Bearer " + "x" * 100_000, None),
        ('Bearer realm="' + '\\"' * 5000, None),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]] | None) -> None:
    found = [(challenge.scheme, challenge.parameters) for challenge in challenges(header)]
    assert expected is None or found == expected


def test_one_registry_s_token_is_not_another_s() -> None:
    fake, other = FakeRegistry(), FakeRegistry(url="https://other.test")
    fake.require("bob", "secret")
    registry = _registry(fake, "bob", "secret")
    registry.session.mount(other.url, other)
    registry.head_blob("a/b", sha256(b"x"))
    flow = registry.auth.flow(http.Request("GET", f"{other.url}/v2/", headers={}), (Need("a/b", ("pull",)),))
    assert "Authorization" not in next(flow).headers


def test_unreachable_is_temporary_and_refused_is_not() -> None:
    session = http.session(allow=["127.0.0.1"], timeout=(0.2, 0.2))
    registry = Registry("http://127.0.0.1:9", session)
    with pytest.raises(Unavailable) as unreachable:
        registry.put_manifest(Reference("a/b", "x"), manifest(image()))
    assert unreachable.value.temporary and not Unauthorized().temporary
