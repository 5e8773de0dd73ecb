"""The topology in containers: nobody can be asked but the edge, and no secret has a default."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy import compose, options
from deploy.storage import DRIVERS
from harbor.environment import ROOT

SOURCE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(SOURCE)["services"]
ONCE = {"configure", "prepare"}


def test_only_the_edge_is_published_and_only_where_asked() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["edge"]
    assert SERVICES["edge"]["ports"] == ["${HAVEN_BIND:-127.0.0.1}:${HAVEN_PORT:-8080}:8080"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_everything_that_stays_is_watched_and_comes_back(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(ONCE))
def test_what_runs_once_does_not_come_back(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"


def test_no_secret_has_a_default() -> None:
    keys = r"\w*(?:PASSWORD|SECRET|SECRETKEY|ACCOUNTKEY|ACCESSKEY|ENCRYPTION_KEY)"
    defaults = dict(re.findall(rf"\$\{{({keys}):?-([^}}]*)\}}", SOURCE))
    assert defaults and set(defaults.values()) == {""}
    assert not re.search(rf"^\s*{keys}: +(?!\$\{{)\S", SOURCE, re.MULTILINE)


def test_the_worker_can_reach_into_the_registrys_files() -> None:
    assert "blobs:/blobs" in SERVICES["worker"]["volumes"] and "blobs:/blobs" in SERVICES["registry"]["volumes"]
    chosen = options.read({"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(compose.BLOBS)}, compose.GENERATION)
    assert "rootdirectory: /blobs" in compose.registry(chosen, "s").configuration()


def test_the_storage_keys_are_keys_of_a_driver() -> None:
    for driver, option in re.findall(r"REGISTRY_STORAGE_([A-Z0-9]+)_([A-Z_]+):", SOURCE):
        assert option.lower() in DRIVERS[driver.lower()].options


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"HAVEN_EXTERNAL_URL": "https://registry.example"}, "registry.example localhost 127.0.0.1 [::1]"),
        ({"HAVEN_EXTERNAL_URL": "https://registry.example", "HAVEN_BIND": "0.0.0.0"}, "registry.example"),
    ],
)
def test_the_edge_answers_to_the_names_of_where_it_is_published(given: dict[str, str], names: str) -> None:
    text = compose.edge(options.read(given, compose.GENERATION)).configuration()
    assert f"server_name {names};" in text
    assert "listen 0.0.0.0:8080;" in text
    assert "user nginx;" in text
