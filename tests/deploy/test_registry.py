"""The registry's configuration: what must be there for either generation, and what must never be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.registry import Registry


def configuration(generation: int, **more: Any) -> dict[str, Any]:
    registry = Registry(
        generation=generation,
        address="/run/haven/registry.sock",
        secret="fixed",
        realm="https://registry.example/service/token",
        service="harbor-registry",
        issuer="harbor-token-issuer",
        keys=Path("/data/keys"),
        storage={"filesystem": {"rootdirectory": "/data/registry"}},
        **more,
    )
    loaded: dict[str, Any] = yaml.safe_load(registry.configuration())
    return loaded


@pytest.mark.parametrize("generation", [2, 3])
def test_what_must_be_there(generation: int) -> None:
    found = configuration(generation)
    http = found["http"]
    assert (http["net"], http["relativeurls"], http["secret"], http["draintimeout"]) == ("unix", True, "fixed", "20s")
    assert found["storage"]["delete"] == {"enabled": True}
    assert found["storage"]["redirect"] == {"disable": True}
    assert found["validation"]["manifests"]["urls"]["allow"] == ["^https?://"]
    assert found["auth"]["token"]["realm"] == "https://registry.example/service/token"
    assert found["auth"]["token"]["rootcertbundle"] == "/data/keys/rootcert.pem"


@pytest.mark.parametrize("generation", [2, 3])
def test_what_must_never_be_there(generation: int) -> None:
    found = configuration(generation)
    assert "cache" not in found["storage"]
    assert not {"proxy", "redis", "notifications"} & set(found)
    assert "debug" not in found["http"]


def test_only_the_third_generation_reads_a_key_set() -> None:
    assert "jwks" not in configuration(2)["auth"]["token"]
    assert configuration(3)["auth"]["token"]["jwks"] == "/data/keys/jwks.json"


def test_clients_are_sent_to_the_store_only_where_asked_for() -> None:
    assert configuration(3, redirect=True)["storage"]["redirect"] == {"disable": False}
