"""Deleting frees space: `manage.py collect` takes what nobody needs, and nothing else."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from tests.stack import content
from tests.stack.content import Blob
from tests.stack.fixtures import MakeStack
from tests.stack.people import People, settle

pytestmark = pytest.mark.stack

SHARED = content.layer({"shared": os.urandom(50_000)})
OWN = content.layer({"own": os.urandom(80_000)})
KEPT = content.image(SHARED, text="kept")
GONE = content.image(SHARED, OWN, text="to be deleted")
YOUNG = Blob(os.urandom(40_000))
READ_ONLY = "from configuration import values; values.set_values({{'read_only': {mode}}}); answer = None"
AGE = """
from datetime import timedelta
from django.utils import timezone
from artifacts.models import Artifact, Blob
then = timezone.now() - timedelta(hours=3)
answer = [Artifact.objects.update(push_time=then), Blob.objects.update(touched=then)]
"""


@pytest.fixture(scope="module")
def people(make_stack: MakeStack) -> Iterator[People]:
    """A stack of whose images one has been deleted, all three hours ago; a blob came just now."""
    stack = make_stack()
    people = settle(stack.start())
    developer = people.client("developer")
    for tag, image in (("kept", KEPT), ("gone", GONE)):
        assert developer.push("private/collected", tag, image).status == 201
    left_over = developer.start_upload("private/collected")
    assert developer("PATCH", left_over, b"x" * 30_000).status == 202
    assert people.client("maintainer")("DELETE", f"/v2/private/collected/manifests/{GONE.digest()}").status == 202
    three_hours_ago = time.time() - 3 * 3600
    for path in (stack.data / "registry").rglob("*"):
        os.utime(path, (three_hours_ago, three_hours_ago))
    stack.ask(AGE)
    assert developer.push_blob("private/collected", YOUNG).status == 201
    yield people
    stack.remove()


def stored_bytes(people: People) -> int:
    return sum(path.stat().st_size for path in (people.stack.data / "registry").rglob("*") if path.is_file())


def data_file(people: People, digest: str) -> Path:
    hexadecimal = digest.partition(":")[2]
    return people.stack.data / "registry/docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"


def said_bytes(text: str) -> int:
    found = re.search(r"(\d+) bytes", text)
    assert found, text
    return int(found.group(1))


def test_until_then_the_layers_of_what_was_deleted_are_there(people: People) -> None:
    assert people.client("guest").pull("private/collected", "gone").status == 404
    assert people.client("guest")("GET", f"/v2/private/collected/blobs/{OWN.digest()}").content == OWN.content


def test_a_dry_run_says_how_much(people: People) -> None:
    before = stored_bytes(people)

    said = people.stack.manage("collect", "--dry-run").stdout

    unneeded = len(OWN.content) + len(GONE.content) + len(GONE.blobs[0].content)
    assert unneeded + 30_000 <= said_bytes(said) <= unneeded + 31_000
    assert stored_bytes(people) == before


def test_it_wants_the_read_only_mode(people: People) -> None:
    before = stored_bytes(people)

    refused = people.stack.manage("collect", check=False)

    assert refused.returncode != 0
    assert "read-only" in refused.stderr
    assert stored_bytes(people) == before


def test_it_takes_what_nobody_needs(people: People) -> None:
    stack, developer, guest = people.stack, people.client("developer"), people.client("guest")
    promised, before = said_bytes(stack.manage("collect", "--dry-run").stdout), stored_bytes(people)
    stack.ask(READ_ONLY.format(mode=True))
    try:
        freed = said_bytes(stack.manage("collect").stdout)
        refused = developer.put_manifest("private/collected", "kept", KEPT)
        assert refused.status in (403, 405, 503), refused
        assert "read" in refused.json["errors"][0]["message"]
        assert guest.pull("private/collected", "kept").content == KEPT.content
    finally:
        stack.ask(READ_ONLY.format(mode=False))

    assert freed == promised
    assert before - stored_bytes(people) >= freed
    assert not data_file(people, OWN.digest()).exists()
    assert guest("GET", f"/v2/private/collected/blobs/{OWN.digest()}").status == 404
    for blob in KEPT.blobs:
        assert guest("GET", f"/v2/private/collected/blobs/{blob.digest()}").content == blob.content
    assert guest("GET", f"/v2/private/collected/blobs/{YOUNG.digest()}").content == YOUNG.content
    stack.manage("fsck")
    stack.manage("scrub")


def test_what_was_collected_can_be_pushed_again(people: People) -> None:
    developer = people.client("developer")
    processes.wait_until(
        lambda: developer.push("private/collected", "gone", GONE).status == 201, "the end of the read-only mode", 20
    )

    assert developer.pull("private/collected", "gone").content == GONE.content
    assert developer("GET", f"/v2/private/collected/blobs/{OWN.digest()}").content == OWN.content
    people.stack.manage("fsck")
