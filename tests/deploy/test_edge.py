"""The edge by itself: who gets which request, what it says when it says something, and what it never passes on."""

from __future__ import annotations

import json
import socket
import time

import pytest

from tests.deploy.conftest import RunningEdge
from tests.deploy.standin import Reply

HEX = "a" * 64
BLOB = f"/v2/library/app/blobs/sha256:{HEX}"
BLOB_512 = f"/v2/library/app/blobs/sha512:{'b' * 128}"
MANIFEST = "/v2/library/app/manifests/v1"
UPLOAD = "/v2/library/app/blobs/uploads/0123-abc"
LONG = "n" * 250


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def header(answer: bytes, name: str) -> str | None:
    """The only header called `name`."""
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    values = [line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name.lower()}:")]
    assert len(values) < 2, f"{name} is there twice: {values}"
    return values[0] if values else None


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def error(answer: bytes) -> str:
    """The code of an error in the form of the OCI specification."""
    assert (header(answer, "Content-Type") or "").startswith("application/json")
    (only,) = json.loads(body(answer))["errors"]
    assert only["message"]
    return str(only["code"])


@pytest.mark.parametrize(
    ("method", "target", "headers", "expected"),
    [
        ("GET", BLOB, (), "registry"),
        ("HEAD", BLOB, (), "registry"),
        ("GET", BLOB, ("Range: bytes=0-1",), "web"),
        ("DELETE", BLOB, (), "web"),
        ("PUT", BLOB, (), "web"),
        ("POST", BLOB, (), "web"),
        ("GET", BLOB_512, (), "web"),
        ("GET", "/v2/library/app/blobs/sha256:abc", (), "web"),
        ("GET", f"/v2/app/blobs/sha256:{HEX}", (), "web"),
        ("GET", f"/v2/library/{LONG}/blobs/sha256:{HEX}", (), "web"),
        ("GET", f"/v2/Library/app/blobs/sha256:{HEX}", (), "web"),
        ("GET", f"/v2/library/app/blobs/sha256:{HEX.upper()}", (), "web"),
        ("GET", f"{BLOB}/", (), "web"),
        ("PATCH", UPLOAD, (), "registry"),
        ("PUT", f"{UPLOAD}?digest=sha256:{HEX}", (), "registry"),
        ("DELETE", UPLOAD, (), "web"),
        ("POST", UPLOAD, (), "web"),
        ("HEAD", UPLOAD, (), "web"),
        ("POST", "/v2/library/app/blobs/uploads/", (), "web"),
        ("POST", f"/v2/library/app/blobs/uploads/?mount=sha256:{HEX}&from=a/b", (), "web"),
        ("GET", MANIFEST, (), "web"),
        ("PUT", MANIFEST, (), "web"),
        ("GET", "/v2/library/manifests/latest/manifests/v1", (), "web"),
        ("GET", f"/v2/library/app/manifests/sha256:{HEX}", (), "web"),
        ("GET", "/v2/", (), "web"),
        ("GET", "/v2", (), "web"),
        ("GET", "/v2/_catalog", (), "web"),
        ("GET", "/v2/library/app/tags/list?n=1", (), "web"),
        ("GET", "/service/token?scope=x", (), "web"),
        ("GET", "/api/v2.0/projects", (), "web"),
        ("GET", "/", (), "web"),
    ],
)
def test_who_gets_it(edge: RunningEdge, method: str, target: str, headers: tuple[str, ...], expected: str) -> None:
    answer = edge.ask(method, target, *headers)
    reached, spared = (edge.registry, edge.web) if expected == "registry" else (edge.web, edge.registry)
    assert status(answer) == 200
    assert [(request.method, request.target) for request in reached.seen] == [(method, target)]
    assert spared.seen == []


ODD_PATHS = [
    f"//v2/library/app/blobs/sha256:{HEX}",
    f"/v2//library/app/blobs/sha256:{HEX}",
    f"/v2/library//app/blobs/sha256:{HEX}",
    f"/./v2/library/app/blobs/sha256:{HEX}",
    f"/v2/./library/app/blobs/sha256:{HEX}",
    f"/x/../v2/library/app/blobs/sha256:{HEX}",
    f"/v2/library/app/../../other/app/blobs/sha256:{HEX}",
    f"/v2/library/app/blobs/uploads/../sha256:{HEX}",
    f"/v2/library/app/manifests/../blobs/sha256:{HEX}",
    f"{BLOB}#/../../manifests/v1",
    f"{BLOB}/../../manifests/v1",
    f"{BLOB}%2f..%2f..%2fmanifests%2fv1",
    f"{BLOB}%23/../../manifests/v1",
    f"{BLOB}%3f/../../manifests/v1",
    f"{BLOB}%00",
    f"{BLOB}%0a",
    f"{BLOB}%20",
    f"{BLOB};x",
    f"{BLOB}\\..\\..\\manifests\\v1",
    f"/v2/library/app/blobs/sha256%3A{HEX}",
    f"/v2/library%2Fapp/blobs/sha256:{HEX}",
    f"/v2/library/app%2Fblobs/sha256:{HEX}",
    f"/v2/%6cibrary/app/blobs/sha256:{HEX}",
    f"/%76%32/library/app/blobs/sha256:{HEX}",
    f"/v2%2flibrary/app/blobs/sha256:{HEX}",
    f"/V2/library/app/blobs/sha256:{HEX}",
    "/v2/library/app/%6danifests/v1",
    "/v2/library/app/%256danifests/v1",
    "/v2/library/app/manifests/v1%2f..%2f..%2fblobs%2fx",
    "/v2/library/app/manifests/x%2fy",
    "/v2/library/app/manifests/v1/",
    "/v2/library/app/manifests//v1",
    "/v2/library/app/manifests/%76%31",
    "/v2/library/app/manifests/..%2fv1",
    "/v2/library/app/blobs/uploads/..%2f..%2fmanifests%2fv1",
    "/v2/library/app/blobs/uploads/../../manifests/v1",
    "/v2/library/app/blobs/uploads/abc#/../../../manifests/v1",
    "/v2/library/app/blobs/uploads/abc/../../../manifests/v1",
    "/v2/library/app/blobs/uploads//abc",
    "/v2/library/app/blobs/uploads/abc%2f",
    "/v2/library/app/blobs/uploads/abc.def",
    f"/_registry{BLOB}",
    f"/_registry/..{BLOB}",
    f"/_gate{BLOB}",
    "/_gate",
    "/@registry",
    f"/v2/../_registry{BLOB}",
    f"http://registry.example//v2/library/app/blobs/sha256:{HEX}",
    f"http://evil.example{BLOB}/../x",
    "*",
    "v2/library/app/manifests/v1",
    "/v2/library/app/manifests/v1?/../../blobs/x",
    f"/v2/{'a' * 300}/app/blobs/sha256:{HEX}",
    f"/v2/a{'/a' * 4000}/blobs/sha256:{HEX}",
    f"/v2/a{'-' * 9000}/blobs/sha256:{HEX}",
    f"/v2/a{'._' * 4000}/blobs/sha256:{HEX}",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("target", ODD_PATHS)
def test_no_odd_path_reaches_the_registry(edge: RunningEdge, target: str, method: str) -> None:
    answer = edge.ask(method, target)
    assert edge.registry.heads == []
    assert status(answer) in {200, 400, 404, 405, 414, 421}
    for request in edge.web.seen:
        assert request.target == target  # what web judges is what was sent


@pytest.mark.parametrize(
    "target",
    [
        path
        for path in ODD_PATHS
        if path.startswith("/v2/")
        and not path.endswith("?/../../blobs/x")
        and "/v2/.." not in path
        and ("%" in path or "/../" in path or "#" in path)
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(edge: RunningEdge, target: str) -> None:
    answer = edge.ask("GET", target)
    assert (status(answer), error(answer)) == (400, "UNSUPPORTED")
    assert edge.web.seen == []


@pytest.mark.parametrize("target", [BLOB, MANIFEST])
def test_the_headers_that_others_may_not_choose(edge: RunningEdge, target: str) -> None:
    edge.ask(
        "GET",
        target,
        *("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: ftp", "X-Forwarded-For: 1.2.3.4"),
        *(
            "Forwarded: host=evil.example",
            "X-Real-IP: 1.2.3.4",
            "Proxy: http://evil.example",
            "Authorization: Bearer t",
        ),
    )
    (request,) = edge.registry.seen + edge.web.seen
    assert request.headers["host"] == "registry.example:8443"
    assert request.headers["x-forwarded-proto"] == "http"
    assert request.headers["x-real-ip"].startswith("127.")
    assert request.headers["authorization"] == "Bearer t"
    assert not {"x-forwarded-host", "x-forwarded-for", "forwarded", "proxy"} & set(request.headers)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost", "registry.example.evil", ""])
def test_other_hosts_are_told_which_is_right(edge: RunningEdge, host: str) -> None:
    answer = edge.ask("GET", MANIFEST, host=host)
    if host:
        assert (status(answer), error(answer)) == (421, "NAME_UNKNOWN")
        assert status(edge.ask("GET", "/", host=host)) == 421
    assert b"registry.example:8443" in answer or status(answer) == 400
    assert edge.web.seen == []


@pytest.mark.parametrize(
    "host", ["registry.example", "registry.example:8443", "REGISTRY.example", "registry.example:1"]
)
def test_our_own_host_with_any_port(edge: RunningEdge, host: str) -> None:
    assert status(edge.ask("GET", "/", host=host)) == 200


def test_two_hosts_are_none(edge: RunningEdge) -> None:
    assert status(edge.ask("GET", "/", "Host: evil.example")) == 400


def test_the_request_id_is_kept_or_made(edge: RunningEdge) -> None:
    assert header(edge.ask("GET", BLOB, "X-Request-ID: abcdef0123456789"), "X-Request-Id") == "abcdef0123456789"
    assert edge.registry.seen[-1].headers["x-request-id"] == "abcdef0123456789"
    made = header(edge.ask("GET", MANIFEST, "X-Request-ID: a b\x7f"), "X-Request-Id")
    assert made and len(made) == 32 and edge.web.seen[-1].headers["x-request-id"] == made


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"GET /v2/\x01 HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n", 400),
        (b"GET /v2/ HTTP/1.1\r\nHost: registry.example\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", 400),
        (b"GET /v2/" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: registry.example\r\n\r\n", 414),
        (b"TRACE /v2/ HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n", 405),
        (
            b"PUT /v2/library/app/manifests/v1 HTTP/1.1\r\nHost: registry.example\r\nContent-Length: 4194305\r\n"
            b"Connection: close\r\n\r\n",
            413,
        ),
        (
            b"POST /service/token HTTP/1.1\r\nHost: registry.example\r\nContent-Length: 100000\r\n"
            b"Connection: close\r\n\r\n",
            413,
        ),
        (
            b"PUT /v2/library/app/manifests/v1 HTTP/1.1\r\nHost: registry.example\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            b"PUT /v2/library/app/manifests/v1 HTTP/1.1\r\nHost: registry.example\r\n"
            b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            400,
        ),
    ],
)
def test_what_nginx_itself_refuses(edge: RunningEdge, request_bytes: bytes, expected: int) -> None:
    answer = edge.raw(request_bytes)
    assert status(answer) == expected
    assert error(answer)
    assert edge.web.seen == edge.registry.seen == []


@pytest.mark.parametrize("target", [BLOB, MANIFEST, UPLOAD, "/api/v2.0/projects"])
def test_a_part_that_is_away(target: str) -> None:
    edge = RunningEdge()
    try:
        edge.web.close()
        edge.registry.close()
        answer = edge.ask("GET", target)
        assert (status(answer), header(answer, "Retry-After")) == (503, "1")
        assert error(answer) == "UNAVAILABLE"
    finally:
        edge.remove()


def test_errors_of_web_and_registry_pass_untouched(edge: RunningEdge) -> None:
    edge.web.answer = lambda _: Reply(503, {"Retry-After": "7"}, b"mine")
    for target in (MANIFEST, "/"):
        answer = edge.ask("GET", target)
        assert (status(answer), header(answer, "Retry-After"), body(answer)) == (503, "7", b"mine")
    for code in (400, 401, 403, 404, 405, 413, 416, 429):
        edge.registry.answer = lambda _, code=code: Reply(code, {"Retry-After": "7"}, b"mine")  # type: ignore[misc]
        answer = edge.ask("GET", BLOB)
        assert (status(answer), header(answer, "Retry-After"), body(answer)) == (code, "7", b"mine")


@pytest.mark.parametrize("failure", [500, 502, 503, 504, 507])
def test_nobody_hears_where_the_registry_keeps_its_files(edge: RunningEdge, failure: int) -> None:
    edge.registry.answer = lambda _: Reply(failure, {}, b'{"errors":[{"detail":"/srv/blobs/data: no space"}]}')
    edge.web.answer = lambda _: Reply(200, {"X-Accel-Redirect": "@registry"})
    asked = [
        edge.ask("GET", BLOB),
        edge.ask("PUT", UPLOAD),
        edge.ask("PATCH", UPLOAD, "Content-Range: 0-0"),
        edge.ask("GET", BLOB, "Range: bytes=0-1"),
        edge.ask("POST", "/v2/library/app/blobs/uploads/"),
    ]
    for answer in asked:
        assert status(answer) in (503, 504)
        assert error(answer) == "UNAVAILABLE"
        assert b"/srv" not in answer


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
