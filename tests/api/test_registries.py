"""Endpoints by the API: spoken to before they are kept, their secrets never shown and never sent elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from audit.models import Entry
from replication.models import Endpoint
from tests.api.calling import Caller, caller, message
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.registry.listener import listening
from tests.replication.served import served
from tests.stack.tls import Authority


@pytest.fixture
def there(settings: Settings) -> Iterator[FakeRegistry]:
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]
    with served() as fake:
        fake.require("robot", "canary-secret")
        yield fake


@pytest.fixture
def admin(cast: Cast) -> Caller:
    return caller(cast.admin)


def fields(url: str, secret: str = "canary-secret", **more: Any) -> dict[str, Any]:
    credential = {"type": "basic", "access_key": "robot", "access_secret": secret}
    return {"name": "there", "type": "docker-registry", "url": url, "credential": credential, **more}


def test_an_endpoint_is_kept_once_it_has_answered(admin: Caller, there: FakeRegistry) -> None:
    answer = admin.post("/registries", fields(there.url))

    assert answer.status_code == 201, answer.content
    shown = admin.get(answer["Location"].removeprefix("/api/v2.0")).json()
    assert shown["status"] == "healthy"
    assert shown["credential"] == {"type": "basic", "access_key": "robot", "access_secret": "*****"}
    assert admin.get("/registries?name=the").json()[0]["id"] == shown["id"]
    endpoint = Endpoint.objects.get()
    assert endpoint.secret == "canary-secret" and "canary" not in endpoint.sealed_secret
    assert "canary" not in repr(list(Entry.objects.values()))
    assert admin.post("/registries", fields(there.url)).status_code == 409


def test_what_cannot_be_used_is_refused_with_the_reason(admin: Caller, there: FakeRegistry) -> None:
    wrong = {
        "refuses these credentials": fields(there.url, "wrong"),
        "cannot be reached": fields("http://127.0.0.1:9"),
        "no adapter": fields(there.url, type="carrier-pigeon"),
        "https://registry.example.com": fields("ftp://there.test"),
        "credentials have fields of their own": fields("http://me:canary@127.0.0.1"),
        "PEM": fields(there.url, ca_certificate="nonsense"),
        "at most 64": fields(there.url, name="x" * 65),
    }
    for reason, asked in wrong.items():
        answer = admin.post("/registries", asked)
        assert answer.status_code == 400, (reason, answer.content)
        assert reason in message(answer)
        assert "canary" not in message(answer)
    assert not Endpoint.objects.exists()


def test_nobodys_endpoint_needs_no_account_to_be_kept(admin: Caller, there: FakeRegistry) -> None:
    """A registry may show some repositories to everybody, and ask who it is at its door."""
    asked = {"type": "docker-registry", "url": there.url}
    for name, credential in (("none", None), ("typed", {"type": "basic"}), ("empty", {"access_key": ""})):
        answer = admin.post("/registries", {**asked, "name": name, "credential": credential})
        assert answer.status_code == 201, answer.content
    for who in ({"access_key": "robot"}, {"access_secret": "canary"}, {"access_key": "robot", "access_secret": "x"}):
        answer = admin.post("/registries", {**asked, "name": "wrong", "credential": who})
        assert answer.status_code == 400 and "refuses these credentials" in message(answer), answer.content
    assert {endpoint.status for endpoint in Endpoint.objects.all()} == {"healthy"} and Endpoint.objects.count() == 3


def test_a_private_ca_is_unknown_until_its_certificate_is_given(
    admin: Caller, settings: Settings, tmp_path: Path
) -> None:
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]
    authority = Authority(tmp_path)
    with served(authority.issue("127.0.0.1")) as secure:
        answer = admin.post("/registries", fields(secure.url))
        assert answer.status_code == 400 and "certificate is not trusted" in message(answer)
        answer = admin.post("/registries", fields(secure.url, ca_certificate=authority.path.read_text()))
        assert answer.status_code == 201, answer.content
        answer = admin.post("/registries", fields(secure.url, name="unchecked", insecure=True))
        assert answer.status_code == 201, answer.content


def test_private_addresses_are_refused_unless_the_operator_allows_them(
    admin: Caller, cast: Cast, settings: Settings
) -> None:
    settings.ALLOWED_NETWORKS = []
    with listening() as listener:
        port = listener.server_port
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"):
            for path, body in (
                ("/registries", fields(f"http://{host}:{port}")),
                ("/registries/ping", {"type": "harbor", "url": f"http://{host}:{port}"}),
            ):
                answer = admin.post(path, body)
                assert answer.status_code == 400, (host, answer.content)
        kept = Endpoint.objects.create(name="old", type="harbor", url=listener.url)
        assert admin.post("/registries/ping", {"id": kept.pk}).status_code == 400
        assert listener.connections == 0


def test_a_stored_secret_goes_to_its_own_address_alone(admin: Caller, there: FakeRegistry) -> None:
    admin.post("/registries", fields(there.url))
    endpoint = Endpoint.objects.get()
    with listening() as elsewhere:
        asked = {"id": endpoint.pk, "url": elsewhere.url, "insecure": True}
        assert admin.post("/registries/ping", asked).status_code == 200
        assert elsewhere.connections == 0

        answer = admin.put(f"/registries/{endpoint.pk}", {"url": elsewhere.url})
        assert answer.status_code == 200, answer.content
        assert all("Authorization" not in headers for _, _, headers in elsewhere.seen)
    endpoint.refresh_from_db()
    assert endpoint.secret == ""


def test_sending_back_what_is_shown_changes_no_secret(admin: Caller, there: FakeRegistry) -> None:
    admin.post("/registries", fields(there.url))
    endpoint = Endpoint.objects.get()
    answer = admin.put(f"/registries/{endpoint.pk}", {"access_secret": "*****", "description": "new"})
    assert answer.status_code == 200
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.description) == ("canary-secret", "new")


def test_an_endpoint_in_use_stays(admin: Caller, there: FakeRegistry) -> None:
    admin.post("/registries", fields(there.url))
    endpoint = Endpoint.objects.get()
    made = admin.post("/replication/policies", {"name": "rule", "dest_registry": {"id": endpoint.pk}})
    assert made.status_code == 201, made.content
    assert admin.delete(f"/registries/{endpoint.pk}").status_code == 412
    assert admin.delete(made["Location"].removeprefix("/api/v2.0")).status_code == 200
    assert admin.delete(f"/registries/{endpoint.pk}").status_code == 200


def test_the_kinds_and_haven_itself(admin: Caller) -> None:
    assert {"harbor", "docker-registry"} <= set(admin.get("/replication/adapters").json())
    ours = admin.get("/registries/0/info").json()
    assert ours["supported_triggers"] == ["manual", "scheduled", "event_based"]
    assert [style["type"] for style in ours["supported_resource_filters"]] == ["name", "tag", "label", "resource"]
