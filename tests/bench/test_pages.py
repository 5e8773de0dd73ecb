"""No page is forgotten where pages are measured."""

from __future__ import annotations

import pytest
from django.urls import resolve

from bench.page_rows import LEFT_OUT, addresses
from tests.portal.visits import ACTS, named

ROWS = ("user", "group", "robot", "label", "endpoint", "policy", "execution", "check", "member")
SYSTEM = {**dict.fromkeys(ROWS, 1), "name": "system", "kind": "REPLICATION", "project": "library"}
OWN = {**SYSTEM, "project": "library", "repository": "app/web", "digest": f"sha256:{'0' * 64}", "tag": "v1"}


@pytest.mark.django_db
def test_every_page_is_measured_or_left_out_for_a_reason() -> None:
    visited = {name: path for name, path in addresses(SYSTEM, OWN)}

    assert not set(named()) - set(visited) - set(LEFT_OUT) - ACTS
    assert set(LEFT_OUT) <= set(named()) - set(visited)
    assert all(LEFT_OUT.values())
    for name, path in visited.items():
        assert resolve(path).view_name == f"portal:{name}", path
