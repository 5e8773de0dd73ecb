"""A Harbor whose lists are not what Harbor's are: what can be read is, the rest is left out."""

from __future__ import annotations

import json

from registry import http
from replication.adapters import KINDS, Access
from replication.adapters.base import Found
from tests.registry.listener import listening

DIGEST = f"sha256:{'a' * 64}"


def test_entries_that_are_none_are_left_out() -> None:
    entries = [
        5,
        {"digest": DIGEST, "tags": 5, "labels": "all"},
        {"digest": DIGEST, "tags": ["v1", None, {"name": 7}, {"name": "v2"}], "labels": [None, {"name": "good"}]},
    ]
    with listening(lambda method, path: (200, {}, json.dumps(entries).encode())) as listener:
        adapter = KINDS["harbor"](Access(listener.url, http.session(allow=["127.0.0.1"])))
        assert list(adapter.artifacts("library/app")) == [
            Found("library/app", (), DIGEST),
            Found("library/app", ("v2",), DIGEST, frozenset({"good"})),
        ]
    with listening(lambda method, path: (200, {}, b'{"tags": [4, "v"]}')) as listener:
        adapter = KINDS["harbor"](Access(listener.url, http.session(allow=["127.0.0.1"])))
        assert adapter.delete("library/app", "v1", DIGEST)
