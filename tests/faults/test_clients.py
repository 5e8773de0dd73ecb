"""Clients that vanish, race or are cut off."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from tests import processes
from tests.stack import content
from tests.stack.content import Blob, digest_of
from tests.stack.cutter import Cutter
from tests.stack.people import People
from tests.stack.stack import Stack
from tests.stack.wire import Client, with_query

pytestmark = pytest.mark.stack

T = TypeVar("T")
LARGE = 6 * 2**20


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def used(people: People) -> int:
    return int(
        people.stack.ask("from projects.models import Quota; answer = Quota.objects.get(project__name='private').used")
    )


def vanish(stack: Stack, method: str, location: str, token: str, *headers: str) -> None:
    """Announce 6 MiB, send one, and go."""
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        head = [f"{method} {location} HTTP/1.1", f"Host: {stack.host}", f"Authorization: Bearer {token}"]
        head += [f"Content-Length: {LARGE}", "Content-Type: application/octet-stream", *headers]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + os.urandom(2**20))


@pytest.mark.parametrize("way", ["stream", "chunk", "put"])
def test_a_client_that_vanishes_in_mid_upload(stack: Stack, people: People, way: str) -> None:
    developer, before = people.client("developer"), used(people)
    repository = f"private/vanished-{way}"
    token = developer.scoped(f"repository:{repository}:pull,push")
    blob = Blob(os.urandom(LARGE))
    location = developer.start_upload(repository)
    if way == "put":
        vanish(stack, "PUT", with_query(location, digest=blob.digest()), token)
    else:
        vanish(stack, "PATCH", location, token, *([f"Content-Range: 0-{LARGE - 1}"] if way == "chunk" else []))

    assert developer("HEAD", f"/v2/{repository}/blobs/{blob.digest()}").status == 404
    assert used(people) == before
    if way == "chunk":
        status = developer("GET", location)
        assert (status.status, status.headers["Range"]) == (204, "0-0")
        assert developer("PUT", with_query(status.location, digest=blob.digest()), blob.content).status == 201
    again = content.image(Blob(blob.content, content.OCI_LAYER), text=way)
    assert developer.push(repository, "1", again).status == 201
    assert developer("GET", f"/v2/{repository}/blobs/{blob.digest()}").content == blob.content
    stack.manage("fsck")


def test_a_pull_that_is_cut_goes_on_where_it_stopped(stack: Stack, people: People) -> None:
    blob = Blob(os.urandom(LARGE))
    assert people.client("developer").push_blob("private/cut", blob).status == 201
    path = f"/v2/private/cut/blobs/{blob.digest()}"
    token = people.client("guest").scoped("repository:private/cut:pull")
    with Cutter(("127.0.0.1", stack.port)) as cutter:
        cutter.cut_down_after = LARGE // 2
        received = b""
        with socket.create_connection(("127.0.0.1", cutter.port)) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {stack.host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            )
            try:
                while part := connection.recv(2**16):
                    received += part
            except ConnectionError:
                pass
    half = received.partition(b"\r\n\r\n")[2]
    assert 0 < len(half) < LARGE

    rest = people.client("guest")("GET", path, headers={"Range": f"bytes={len(half)}-"})

    assert rest.status == 206, rest
    assert digest_of(half + rest.content) == blob.digest()


def test_twenty_pushes_to_one_tag(stack: Stack, people: People) -> None:
    images = [content.image(text=f"contender {number}") for number in range(20)]

    answers = at_once(20, lambda number: people.client("developer").push("private/contested", "1", images[number]))

    assert [answer.status for answer in answers] == [201] * 20
    served = people.client("guest").pull("private/contested", "1")
    assert served.content in [image.content for image in images]
    entries = stack.ask(
        "from audit.models import Entry\n"
        "answer = list(Entry.objects.filter(operation='create', resource_type='artifact',"
        " resource__startswith='private/contested').order_by('id').values_list('resource', flat=True))"
    )
    assert len(entries) == 20
    for image in images:
        assert people.client("guest").pull("private/contested", image.digest()).content == image.content
    stack.manage("fsck")


def test_readers_of_a_moving_tag_always_get_one_of_its_images(people: People) -> None:
    images = [content.image(text=f"moving {number}") for number in range(10)]
    assert people.client("developer").push("private/moving", "1", images[0]).status == 201
    contents = {image.content for image in images}

    def act(number: int) -> list[int]:
        if number:
            client = people.client("guest")
            answers = [client.pull("private/moving", "1") for _ in range(20)]
            assert all(answer.content in contents for answer in answers)
            return [answer.status for answer in answers]
        return [people.client("developer").push("private/moving", "1", image).status for image in images]

    pushed, *pulled = at_once(5, act)

    assert set(pushed) == {201}
    assert {status for statuses in pulled for status in statuses} == {200}


def test_thirty_first_pushes_of_one_blob_and_one_repository(stack: Stack, people: People) -> None:
    image = content.image(content.layer({"same": os.urandom(200_000)}), text="the same for thirty")
    before = used(people)

    answers = at_once(30, lambda number: people.client("developer").push("private/same", f"t{number}", image))

    assert [answer.status for answer in answers] == [201] * 30
    assert used(people) - before == len(image.content) + sum(len(blob.content) for blob in image.blobs)
    assert len(people.client("guest")("GET", "/v2/private/same/tags/list").json["tags"]) == 30
    stack.manage("fsck")


def test_a_slow_header_is_cut(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: ")
        connection.settimeout(25)
        received = connection.recv(100)
        assert not received or b" 408 " in received


def test_half_open_connections_do_not_stop_others(stack: Stack, people: People) -> None:
    halves = [socket.create_connection(("127.0.0.1", stack.port)) for _ in range(200)]
    try:
        for half in halves:
            half.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        processes.wait_until(lambda: Client(stack.url, timeout=1).send("GET", "/v2/").status == 401, "an answer", 2)
    finally:
        for half in halves:
            half.close()


def test_pull_counts_are_exact(stack: Stack, people: People) -> None:
    image = content.image(text="counted")
    assert people.client("developer").push("private/counted", "1", image).status == 201

    answers = at_once(8, lambda _: [people.client("guest").pull("private/counted", "1").status for _ in range(5)])

    assert {status for statuses in answers for status in statuses} == {200}
    stack.ask("from artifacts.tasks import flush_pulls; flush_pulls(); answer = None")
    counted = stack.ask(
        "from artifacts.models import Repository; from audit.models import Entry\n"
        "answer = [Repository.objects.get(name='private/counted').pull_count,"
        " Entry.objects.filter(operation='pull', resource__startswith='private/counted').count()]"
    )
    assert counted == [40, 40]


def test_a_head_is_no_pull(stack: Stack, people: People) -> None:
    assert people.client("developer").push("private/headed", "1", content.image(text="headed")).status == 201
    client = people.client("guest")

    for _ in range(3):
        assert client("HEAD", "/v2/private/headed/manifests/1", headers={"Accept": "*/*"}).status == 200

    stack.ask("from artifacts.tasks import flush_pulls; flush_pulls(); answer = None")
    assert (
        stack.ask(
            "from artifacts.models import Repository; answer = Repository.objects.get(name='private/headed').pull_count"
        )
        == 0
    )


def test_no_error_page_is_html(stack: Stack) -> None:
    """nginx's own errors speak the protocol too."""
    for length in (8_000, 9_000, 30_000, 40_000):
        for path in (f"/v2/{'a' * length}", f"/v2/{'a' * length}/manifests/1", f"/service/token?scope={'a' * length}"):
            long = Client(stack.url).send("GET", path)

            assert long.status in (400, 401, 404, 414), (length, path[:20], long)
            assert re.match(rb'\{"(errors|error|details|token)":', long.content), (length, path[:20], long)
            assert b"<html" not in long.content.lower()
