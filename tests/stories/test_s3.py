"""Blobs in an object store: everything that matters works without a file system to look into."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.stack import content
from tests.stack.content import Blob
from tests.stack.fixtures import MakeStack
from tests.stack.s3 import Store
from tests.stack.stack import ADMIN_PASSWORD, Stack

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture(scope="module")
def s3(make_stack: MakeStack, store: Store) -> Iterator[Stack]:
    stack = make_stack(**store.environment)
    yield stack.start()
    stack.remove()


def test_push_and_pull(s3: Stack, store: Store) -> None:
    image = content.image(content.layer({"large": os.urandom(12 * 2**20)}), text="kept by s3")

    assert s3.admin.push("library/s3", "1", image).status == 201

    client = s3.client()
    assert client.pull("library/s3", "1").content == image.content
    for blob in image.blobs:
        assert client("GET", f"/v2/library/s3/blobs/{blob.digest()}").content == blob.content
    part = client("GET", f"/v2/library/s3/blobs/{image.blobs[1].digest()}", headers={"Range": "bytes=5-9"})
    assert (part.status, part.content) == (206, image.blobs[1].content[5:10])
    assert any(key.endswith("/data") for key in store.objects)
    s3.manage("fsck")
    s3.manage("scrub")


def test_a_damaged_object_is_named(s3: Stack, store: Store) -> None:
    """Haven cannot reach into the store; it says which object to remove, and a new push heals it."""
    layer = Blob(os.urandom(5000), content.OCI_LAYER)
    image = content.image(layer, text="damaged in s3")
    assert s3.admin.push("library/damaged", "1", image).status == 201
    key = next(key for key in store.objects if layer.digest()[7:] in key and key.endswith("/data"))
    store.objects[key] = b"damaged"

    found = s3.manage("scrub", check=False)

    assert found.returncode != 0
    assert layer.digest() in found.stdout + found.stderr
    assert key.rpartition("docker/registry")[2] in found.stdout + found.stderr
    del store.objects[key]
    assert s3.admin.push("library/damaged", "1", image).status == 201
    assert (
        s3.client("admin", ADMIN_PASSWORD)("GET", f"/v2/library/damaged/blobs/{layer.digest()}").content
        == layer.content
    )
    s3.manage("scrub")
