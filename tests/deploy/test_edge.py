"""The edge by itself: who gets which request, what it says when it says something, and what it never passes on."""

from __future__ import annotations

import pytest

from tests.deploy.answers import BLOB, BLOB_512, HEX, LONG, MANIFEST, UPLOAD, body, error, header, status
from tests.deploy.conftest import RunningEdge
from tests.deploy.standin import Reply


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
        (b"GET /api/v2.0/projects/\xc3\xa9 HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n", 400),
        (b"AB /api/v2.0/projects HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n", 405),
        (b"X" * 21 + b" /api/v2.0/projects HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n", 405),
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
