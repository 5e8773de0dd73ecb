"""An upload to Haven whose client vanishes in mid-chunk goes on where it stood, whatever registry is behind."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from tests import processes
from tests.stack.content import Blob
from tests.stack.people import People
from tests.stack.stack import Stack
from tests.stack.wire import Client, with_query

pytestmark = pytest.mark.stack

CHUNK = 3 * 2**20
REPOSITORY = "private/chunks"


def chunk(client: Client, location: str, content: bytes, start: int) -> str:
    """The address after a chunk that was taken."""
    headers = {"Content-Range": f"{start}-{start + len(content) - 1}", "Content-Type": "application/octet-stream"}
    answer = client("PATCH", location, content, headers)
    assert answer.status == 202, answer
    return answer.location


def vanish(stack: Stack, location: str, token: str, content: bytes, start: int, sent: int) -> None:
    """Announce the chunk `content`, send `sent` bytes of it, and go: with a reset, where that is not all."""
    path = location.removeprefix(stack.url)
    head = [f"PATCH {path} HTTP/1.1", f"Host: {stack.host}", f"Authorization: Bearer {token}"]
    head += [f"Content-Length: {len(content)}", f"Content-Range: {start}-{start + len(content) - 1}"]
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + content[:sent])
        if sent < len(content):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("sent", [0, 1, CHUNK // 2, CHUNK - 1])
def test_a_client_that_vanishes_in_the_second_chunk(stack: Stack, people: People, sent: int) -> None:
    developer = people.client("developer")
    blob = Blob(os.urandom(3 * CHUNK))
    first, second, third = (blob.content[at : at + CHUNK] for at in range(0, 3 * CHUNK, CHUNK))
    location = chunk(developer, developer.start_upload(REPOSITORY), first, 0)

    vanish(stack, location, developer.scoped(f"repository:{REPOSITORY}:pull,push"), second, CHUNK, sent)

    standing = developer("GET", location)
    assert (standing.status, standing.headers["Range"]) == (204, f"0-{CHUNK - 1}")
    location = chunk(developer, chunk(developer, standing.location, second, CHUNK), third, 2 * CHUNK)
    assert developer("PUT", with_query(location, digest=blob.digest()), b"").status == 201
    assert developer("GET", f"/v2/{REPOSITORY}/blobs/{blob.digest()}").content == blob.content


def test_a_client_that_never_hears_the_answer(stack: Stack, people: People) -> None:
    """The chunk was whole, so it is kept; the address from before it still leads to where the upload stands."""
    developer = people.client("developer")
    blob = Blob(os.urandom(3 * CHUNK))
    first, second, third = (blob.content[at : at + CHUNK] for at in range(0, 3 * CHUNK, CHUNK))
    location = chunk(developer, developer.start_upload(REPOSITORY), first, 0)

    vanish(stack, location, developer.scoped(f"repository:{REPOSITORY}:pull,push"), second, CHUNK, CHUNK)

    processes.wait_until(
        lambda: developer("GET", location).headers.get("Range") == f"0-{2 * CHUNK - 1}", "the chunk to be stored", 15
    )
    location = chunk(developer, developer("GET", location).location, third, 2 * CHUNK)
    assert developer("PUT", with_query(location, digest=blob.digest()), b"").status == 201
    assert developer("GET", f"/v2/{REPOSITORY}/blobs/{blob.digest()}").content == blob.content
