"""What the edge does with blobs and uploads: which go straight on, which wait for web's word, and what is shown."""

from __future__ import annotations

import socket
import time

import pytest

from tests.deploy.answers import BLOB, BLOB_512, HEX, UPLOAD, body, header, status
from tests.deploy.conftest import RunningEdge
from tests.deploy.standin import Reply


def test_web_hands_a_range_to_the_registry(edge: RunningEdge) -> None:
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    edge.registry.answer = lambda _: Reply(206, {"Content-Range": "bytes 0-1/4"}, b"ab")
    answer = edge.ask("GET", BLOB, "Range: bytes=0-1", "Authorization: Bearer t")
    assert (status(answer), body(answer), header(answer, "Content-Range")) == (206, b"ab", "bytes 0-1/4")
    (request,) = edge.registry.seen
    assert (request.target, request.headers["range"], request.headers["authorization"]) == (
        BLOB,
        "bytes=0-1",
        "Bearer t",
    )


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_web_sends_a_sha512_name_to_its_sha256(edge: RunningEdge, method: str) -> None:
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": f"/_registry{BLOB}"})
    edge.registry.answer = lambda _: Reply(200, {"Docker-Content-Digest": f"sha256:{HEX}"}, b"blob")
    answer = edge.ask(method, BLOB_512)
    assert header(answer, "Docker-Content-Digest") == f"sha512:{'b' * 128}"
    assert [(request.method, request.target) for request in edge.registry.seen] == [(method, BLOB)]


def test_the_registrys_digest_is_shown_as_it_is(edge: RunningEdge) -> None:
    edge.registry.answer = lambda _: Reply(200, {"Docker-Content-Digest": f"sha256:{HEX}"})
    assert header(edge.ask("HEAD", BLOB), "Docker-Content-Digest") == f"sha256:{HEX}"


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_an_upload_that_ends_with_sha512(edge: RunningEdge, colon: str) -> None:
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    location = {"Location": BLOB, "Docker-Content-Digest": f"sha256:{HEX}"}
    edge.registry.answer = lambda _: Reply(201, location)
    answer = edge.ask("PUT", f"{UPLOAD}?_state=x&digest=sha512{colon}{'b' * 128}", body=b"blob")
    assert status(answer) == 201
    assert header(answer, "Location") == BLOB_512
    assert header(answer, "Docker-Content-Digest") == f"sha512:{'b' * 128}"
    assert [request.body for request in edge.registry.seen] == [b"blob"]
    assert [(request.method, request.body) for request in edge.web.seen] == [("PUT", b"")]


def test_what_says_that_it_is_large_waits_for_webs_word(edge: RunningEdge) -> None:
    edge.registry.answer = lambda _: Reply(202, {"Location": UPLOAD})
    edge.web.answer = lambda _: Reply(403, {}, b"no room")
    small = b"x" * (10**7 - 1)
    assert status(edge.ask("PATCH", UPLOAD, body=small)) == 202
    assert edge.web.seen == [] and [len(request.body) for request in edge.registry.seen] == [len(small)]

    answer = edge.ask("PATCH", UPLOAD, body=small + b"x")
    assert (status(answer), body(answer)) == (403, b"no room")
    assert len(edge.registry.seen) == 1
    assert {request.headers["x-upload-length"] for request in edge.web.seen} == {str(10**7)}

    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    assert status(edge.ask("PUT", f"{UPLOAD}?digest=sha256:{HEX}", body=small + b"x")) == 202
    assert len(edge.registry.seen[-1].body) == 10**7


def test_a_chunk_waits_for_webs_word_and_then_streams_whole(edge: RunningEdge) -> None:
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    edge.registry.answer = lambda _: Reply(202, {"Location": f"{UPLOAD}?_state=y", "Range": "0-3"})
    chunk = b"blob" * 2**20
    answer = edge.ask("PATCH", UPLOAD, "Content-Range: 0-3", "Authorization: Bearer t", body=chunk)
    assert (status(answer), header(answer, "Location")) == (202, f"{UPLOAD}?_state=y")
    (asked,) = edge.web.seen
    assert (asked.method, asked.target, asked.body) == ("PATCH", UPLOAD, b"")
    assert (asked.headers["content-range"], asked.headers["authorization"]) == ("0-3", "Bearer t")
    assert asked.headers["x-upload-length"] == str(len(chunk))
    (request,) = edge.registry.seen
    assert (request.method, request.body, request.headers["content-range"]) == ("PATCH", chunk, "0-3")


def test_how_far_an_upload_is(edge: RunningEdge) -> None:
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    edge.registry.answer = lambda _: Reply(204, {"Range": "0-9"})

    answer = edge.ask("GET", f"{UPLOAD}?digest=sha512:{HEX}")

    assert (status(answer), header(answer, "Range")) == (204, "0-9")
    edge.web.answer = lambda _: Reply(403, {}, b"denied")
    assert status(edge.ask("GET", UPLOAD)) == 403
    assert len(edge.registry.seen) == 1


@pytest.mark.parametrize("refusal", [400, 401, 403, 404, 416, 429, 503])
def test_a_refused_chunk_says_why_and_is_not_read(edge: RunningEdge, refusal: int) -> None:
    headers = {"Location": UPLOAD, "Range": "0-9", "WWW-Authenticate": "Bearer realm"}
    edge.web.answer, edge.web.reads = lambda _: Reply(refusal, headers, b"why"), False
    with socket.create_connection((edge.address, edge.port), 10) as connection:
        head = f"PATCH {UPLOAD} HTTP/1.1\r\nHost: registry.example\r\nContent-Range: 5-9\r\nContent-Length: 500\r\n\r\n"
        connection.sendall(head.encode())
        answer = connection.recv(65536)  # the body has not been sent, and never will be
    assert (status(answer), body(answer)) == (refusal, b"why")
    assert (header(answer, "Range"), header(answer, "WWW-Authenticate")) == ("0-9", "Bearer realm")
    assert edge.registry.heads == []


def test_a_client_that_vanishes_in_a_chunk_leaves_no_trace(edge: RunningEdge) -> None:
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    with socket.create_connection((edge.address, edge.port), 10) as connection:
        head = (
            f"PATCH {UPLOAD} HTTP/1.1\r\nHost: registry.example\r\nContent-Range: 0-99\r\nContent-Length: 100\r\n\r\n"
        )
        connection.sendall(head.encode() + b"only this")
        deadline = time.monotonic() + 5
        while not edge.web.seen and time.monotonic() < deadline:
            time.sleep(0.01)
    time.sleep(0.2)
    assert edge.web.seen and edge.registry.heads == []


def test_the_start_of_an_upload_is_webs_to_judge(edge: RunningEdge) -> None:
    edge.web.answer = lambda _: Reply(201, {"Location": BLOB})  # a mount, say
    answer = edge.ask("POST", f"/v2/library/app/blobs/uploads/?mount=sha256:{HEX}&from=library/other")
    assert (status(answer), header(answer, "Location")) == (201, BLOB)
    assert edge.registry.heads == []


def test_web_sends_the_start_of_an_upload_on(edge: RunningEdge) -> None:
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    edge.registry.answer = lambda _: Reply(202, {"Location": UPLOAD})
    answer = edge.ask("POST", "/v2/library/app/blobs/uploads/")
    assert (status(answer), header(answer, "Location")) == (202, UPLOAD)
    assert [request.method for request in edge.registry.seen] == ["POST"]


def test_a_whole_blob_with_the_start_is_not_carried_about(edge: RunningEdge) -> None:
    """Neither web nor the registry has a use for it: the registry answers 202, and the client goes on from there."""
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    edge.registry.answer = lambda _: Reply(202, {"Location": UPLOAD})
    path = f"/v2/library/app/blobs/uploads/?digest=sha256:{HEX}"
    answer = edge.ask("POST", path, body=b"blob" * 2**20)
    assert (status(answer), header(answer, "Location")) == (202, UPLOAD)
    for request in edge.web.seen + edge.registry.seen:
        assert (request.method, request.target.partition("?")[0], request.body) == ("POST", path.partition("?")[0], b"")


@pytest.mark.parametrize("key", ["mount", "%6dount", "mount=&mount"])
def test_the_registry_never_hears_of_a_mount(edge: RunningEdge, key: str) -> None:
    """It would go by the token alone, which may say what is no longer so."""
    edge.web.answer = lambda _: Reply(202, {"Location": UPLOAD})
    edge.registry.answer = lambda _: Reply(202, {"Location": UPLOAD})
    query = f"?{key}=sha256:{HEX}&from=library/other"
    answer = edge.ask("POST", f"/v2/library/app/blobs/uploads/{query}", body=b"anything")
    assert (status(answer), header(answer, "Location")) == (202, UPLOAD)
    assert edge.web.seen
    assert not [request.target for request in edge.registry.seen if "?" in request.target]


def test_a_refused_start_is_not_read(edge: RunningEdge) -> None:
    edge.web.answer, edge.web.reads = lambda _: Reply(401, {}, b"why"), False
    with socket.create_connection((edge.address, edge.port), 10) as connection:
        path = f"/v2/library/app/blobs/uploads/?digest=sha256:{HEX}"
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: registry.example\r\nContent-Length: 9000000\r\n\r\n".encode()
        )
        received = connection.recv(65536)
    assert (status(received), body(received)) == (401, b"why")
    assert edge.registry.heads == []


def test_slow_uploads_stream_through(edge: RunningEdge) -> None:
    """The registry has the first byte before the client has sent the last."""
    with socket.create_connection((edge.address, edge.port), 10) as connection:
        head = f"PATCH {UPLOAD} HTTP/1.1\r\nHost: registry.example\r\nContent-Length: 8\r\n\r\n"
        connection.sendall(head.encode() + b"half")
        deadline = time.monotonic() + 5
        while not edge.registry.heads and time.monotonic() < deadline:
            time.sleep(0.01)
        assert edge.registry.heads and not edge.registry.seen
        connection.sendall(b"more")
        assert status(connection.recv(65536)) == 200
    assert edge.registry.seen[0].body == b"halfmore"


def test_a_body_that_calls_itself_a_form_is_bytes_all_the_same(edge: RunningEdge) -> None:
    edge.ask("PATCH", UPLOAD, "Content-Type: application/x-www-form-urlencoded", body=b"digest=x")
    (request,) = edge.registry.seen
    assert (request.headers["content-type"], request.body) == ("application/octet-stream", b"digest=x")
