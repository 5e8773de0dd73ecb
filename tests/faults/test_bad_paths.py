"""Paths, names and headers that try to be two things at once, over raw sockets: nothing odd reaches the registry."""

from __future__ import annotations

import base64
import subprocess

import pytest

from tests.stack import content
from tests.stack.people import People
from tests.stack.stack import Stack
from tests.stack.wire import raw, raw_status, request_line

pytestmark = pytest.mark.stack

SECRET = content.image(text="nobody but members reads this")
LAYER = SECRET.blobs[1].digest()
BLOB_HEX = LAYER.removeprefix("sha256:")

SPELLINGS = [
    "/v2/public/x/../../private/secret/manifests/1",
    "/v2/public/x/%2e%2e/%2e%2e/private/secret/manifests/1",
    "/v2/public/x/%2E%2E/%2E%2E/private/secret/manifests/1",
    "/v2/public/x/..%2f..%2fprivate/secret/manifests/1",
    "/v2/public/x/..%2F..%2Fprivate%2Fsecret%2Fmanifests%2F1",
    "/v2/public/x/.%2e/.%2e/private/secret/manifests/1",
    "/v2/public/x/%252e%252e/%252e%252e/private/secret/manifests/1",
    "/v2/public/x/..;/..;/private/secret/manifests/1",
    "/v2/public/x/..\\..\\private/secret/manifests/1",
    "/v2/public/x/..%5c..%5cprivate/secret/manifests/1",
    "/v2/public/../private/secret/manifests/1",
    "/v2/../v2/private/secret/manifests/1",
    "/v2/./private/secret/manifests/1",
    "/v2/private/./secret/manifests/1",
    "/v2/private//secret/manifests/1",
    "/v2//private/secret/manifests/1",
    "//v2/private/secret/manifests/1",
    "/v2/private/secret//manifests/1",
    "/v2/private/secret/manifests//1",
    "/v2/private/secret/manifests/1/",
    "/v2/private/secret/manifests/1//",
    "/v2/private/secret/manifests/1/.",
    "/v2/private/secret/manifests/x/../1",
    "/v2/private/secret/manifests/%31",
    "/v2/private/secret/manifests/1%00",
    "/v2/private/secret/manifests/1%0a",
    "/v2/private/secret/manifests/1%20",
    "/v2/private/secret/manifests/1;x",
    "/v2/private/secret/manifests/1%3fx",
    "/v2/private/secret/manifests/1%23x",
    "/v2/private/secret/manifests%2f1",
    "/v2/private/secret%2fmanifests%2f1",
    "/v2/private%2fsecret/manifests/1",
    "/v2/private%2Fsecret%2Fmanifests%2F1",
    "/v2/private/secret/%6danifests/1",
    "/v2/private/secret/%256danifests/1",
    "/v2/private/secret/Manifests/1",
    "/V2/private/secret/manifests/1",
    "/v2/PRIVATE/secret/manifests/1",
    "/v2/Private/secret/manifests/1",
    "/v2/private/SECRET/manifests/1",
    "/v2/private/secret/manifests/1%2f..%2f..%2fblobs%2fx",
    "/v2/private/secret/manifests/..%2fblobs%2fx",
    "/v2/private/secret.git/../secret/manifests/1",
    "/v2/.private/secret/manifests/1",
    "/v2/private/-secret/manifests/1",
    "/v2/private/secret-/manifests/1",
    "/v2/private/a___b/manifests/1",
    "/v2/private/a..b/manifests/1",
    "/v2/private/secr\xe9t/manifests/1",
    "/v2/private/secr%C3%A9t/manifests/1",
    "/v2/private/secret\t/manifests/1",
    "/v2/private/secret+x/manifests/1",
    "/v2/127.0.0.1:5000/private/secret/manifests/1",
    f"/v2/{'a' * 300}/secret/manifests/1",
    f"/v2/{'a/' * 300}secret/manifests/1",
    f"/v2/private/secret/blobs/SHA256:{BLOB_HEX}",
    f"/v2/private/secret/blobs/sha256:{BLOB_HEX.upper()}",
    f"/v2/private/secret/blobs/sha256%3A{BLOB_HEX}",
    f"/v2/private/secret/blobs/sha256:{BLOB_HEX}/",
    f"/v2/private/secret/blobs//sha256:{BLOB_HEX}",
    f"/v2/public/x/blobs/../../../private/secret/blobs/sha256:{BLOB_HEX}",
    f"/v2/public/x/%2e%2e/%2e%2e/private/secret/blobs/sha256:{BLOB_HEX}",
    f"/v2/private/secret/blobs/sha256:{BLOB_HEX}%0a",
    f"/v2/private/secret/blobs/sha256:{BLOB_HEX}%2f..%2f..%2fmanifests%2f1",
    "/v2/private/secret/blobs/uploads/../../manifests/1",
    "/v2/private/secret/blobs/uploads/..%2f..%2fmanifests%2f1",
    "/v2/private/secret/blobs/uploads/x/../../../manifests/1",
    "/v2/private/secret/blobs/uploads/%2e%2e/%2e%2e/manifests/1",
    "/v2/_catalog/",
    "//v2/_catalog",
    "/v2/./_catalog",
    "/v2/%5fcatalog",
    "/v2/_CATALOG",
    "/v2/private/secret/tags/list/",
    "/v2/private/secret/tags/%6cist",
    "/v2/private/secret/tags//list",
    "/v2/private/secret/_manifests/revisions",
    "/v2/private/secret/referrers/",
    "/v1/private/secret/manifests/1",
    "/v2x/private/secret/manifests/1",
    "/static/../v2/private/secret/manifests/1",
    "/api/v2.0/../../v2/private/secret/manifests/1",
]


@pytest.fixture(scope="module", autouse=True)
def _secret(people: People) -> None:
    assert people.client("developer").push("private/secret", "1", SECRET).status == 201
    assert people.client("alice").push("public/x", "1", content.image(text="for all")).status == 201


@pytest.fixture(scope="module")
def tokens(people: People) -> dict[str, str]:
    """Tokens that people could hold: for what is public, for everything they may, and a maintainer's for the secret."""
    return {
        "nobody": "",
        "public": people.client("anonymous").scoped("repository:public/x:pull"),
        "member": people.client("maintainer").scoped("repository:private/secret:pull,push,delete"),
    }


def ask(stack: Stack, method: str, path: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = request_line(method, path, stack.host, {"Accept": "*/*", **headers}, body)
    return raw(("127.0.0.1", stack.port), request)


@pytest.mark.parametrize("holder", ["nobody", "public", "member"])
@pytest.mark.parametrize("path", SPELLINGS)
def test_reading(stack: Stack, tokens: dict[str, str], path: str, holder: str) -> None:
    before = stack.registry_requests()

    answer = ask(stack, "GET", path, tokens[holder])

    assert raw_status(answer) in (0, 301, 400, 401, 403, 404, 405, 414), answer[:300]
    assert SECRET.content not in answer
    assert SECRET.blobs[1].content not in answer
    assert b'"repositories":' not in answer
    assert stack.registry_requests() == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
def test_writing(stack: Stack, people: People, tokens: dict[str, str], method: str) -> None:
    other = content.index(SECRET, annotations={"by": "an intruder"})
    before = stack.registry_requests()

    for path in SPELLINGS:
        answer = ask(stack, method, path, tokens["member"], other.content, **{"Content-Type": other.media_type})
        assert raw_status(answer) in (0, 301, 400, 401, 403, 404, 405, 414), (path, answer[:300])

    assert stack.registry_requests() == before
    assert people.client("developer").pull("private/secret", "1").content == SECRET.content
    assert people.client("developer")("GET", "/v2/private/secret/tags/list").json["tags"] == ["1"]


@pytest.mark.parametrize("path", SPELLINGS)
def test_past_the_edge(stack: Stack, tokens: dict[str, str], path: str) -> None:
    """What the edge would have stopped is stopped by web as well."""
    before = stack.registry_requests()
    headers = {"Accept": "*/*", "Authorization": f"Bearer {tokens['public']}"}

    answer = raw(str(stack.web_socket), request_line("GET", path, stack.host, headers))

    assert raw_status(answer) in (0, 301, 302, 400, 401, 403, 404, 405, 414), answer[:300]
    assert SECRET.content not in answer
    assert b"X-Accel-Redirect" not in answer
    assert stack.registry_requests() == before


@pytest.mark.parametrize(
    "query",
    [
        "mount={layer}&from=private/secret&from=public/x",
        "mount={layer}&from=public/x&from=private/secret",
        "mount={layer}&mount={layer}&from=private/secret",
        "mount={layer}&from=private%2Fsecret",
        "mount={layer}&from=private/secret/",
        "mount={layer}&from=PRIVATE/secret",
        "mount={layer}&from=public/../private/secret",
        "mount={layer}&from=",
        "mount={layer}",
        "mount=&from=private/secret",
        "Mount={layer}&From=private/secret",
        "from=private/secret&digest={layer}",
    ],
)
def test_mounting_what_one_may_not_read(stack: Stack, people: People, query: str) -> None:
    people.make_users(name := f"bob-{abs(hash(query)) % 10**8}")
    people.make_project(name, owner=name)
    bob = people.client(name)

    answer = bob("POST", f"/v2/{name}/x/blobs/uploads/?{query.format(layer=LAYER)}", b"")

    assert answer.status in (202, 400, 401, 403), answer
    assert bob("HEAD", f"/v2/{name}/x/blobs/{LAYER}").status == 404
    asked_in_the_body = bob(
        "POST",
        f"/v2/{name}/x/blobs/uploads/",
        f"mount={LAYER}&from=private/secret".encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert asked_in_the_body.status in (202, 400), asked_in_the_body
    assert bob("HEAD", f"/v2/{name}/x/blobs/{LAYER}").status == 404


FORGERIES = {
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=1.2.3.4;host=evil.test;proto=gopher",
    "X-Original-URL": "/v2/private/secret/manifests/1",
    "X-Rewrite-URL": "/v2/private/secret/manifests/1",
    "X-Accel-Redirect": "/v2/private/secret/manifests/1",
    "X-HTTP-Method-Override": "DELETE",
    "X-Real-IP": "1.2.3.4",
    "X-Forwarded-For": "1.2.3.4",
    "Remote-User": "admin",
    "X-Haven-Actor": "admin",
}


@pytest.mark.parametrize("header", FORGERIES)
def test_forged_headers_change_nothing(stack: Stack, people: People, header: str) -> None:
    developer = people.client("developer")
    forged = {header: FORGERIES[header]}

    started = developer("POST", "/v2/private/forged/blobs/uploads/", b"", forged)
    refused = developer.send("GET", "/v2/private/secret/manifests/1", headers=forged)

    assert started.status == 202, started
    assert started.location.startswith(("/v2/private/forged/", f"{stack.url}/v2/private/forged/"))
    assert refused.status == 401
    assert f'realm="{stack.url}/service/token"' in refused.headers["WWW-Authenticate"]
    for answer in (started, refused):
        assert "evil" not in str(answer)
        assert "gopher" not in str(answer)


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:80", "localhost.evil.test", "127.0.0.1.evil.test", "[::2]", "*"]
)
def test_a_foreign_host_is_421(stack: Stack, host: str) -> None:
    for path in ("/", "/v2/", "/api/v2.0/ping", "/service/token", "/v2/private/secret/manifests/1"):
        answer = raw(("127.0.0.1", stack.port), request_line("GET", path, host))

        assert raw_status(answer) == 421, (path, answer[:300])
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"evil" not in head
        assert body.strip().count(b"\n") == 0


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_names_are_our_own(stack: Stack, name: str) -> None:
    answer = raw(("127.0.0.1", stack.port), request_line("GET", "/v2/", f"{name}:{stack.port}"))

    assert raw_status(answer) == 401
    assert f'realm="{stack.url}/service/token"'.encode() in answer


SMUGGLED = {
    "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "list of lengths": "Content-Length: 5, 5\r\n\r\nhello",
    "signed length": "Content-Length: +5\r\n\r\nhello",
    "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "strange encoding": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "space before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "folded header": "X-A: b\r\n c\r\n\r\n",
    "two hosts": "Host: evil.test\r\n\r\n",
    "long header": f"X-A: {'a' * 70_000}\r\n\r\n",
}


@pytest.mark.parametrize("trick", SMUGGLED)
def test_smuggling(stack: Stack, trick: str) -> None:
    before = stack.registry_requests()
    request = f"POST /v2/private/secret/blobs/uploads/ HTTP/1.1\r\nHost: {stack.host}\r\n{SMUGGLED[trick]}"

    answer = raw(("127.0.0.1", stack.port), request.encode() + b"GET /v2/_catalog HTTP/1.1\r\n\r\n", seconds=3)

    assert raw_status(answer) in (0, 400, 431, 501, 421, 414, 413), answer[:300]
    assert answer.count(b"HTTP/1.1 200") == 0
    assert stack.registry_requests() == before


def test_absolute_form_must_name_us(stack: Stack) -> None:
    answer = raw(("127.0.0.1", stack.port), request_line("GET", "http://evil.test/v2/", stack.host), seconds=3)

    assert raw_status(answer) in (400, 421), answer[:300]


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"a\x00:b").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + base64.b64encode(b"admin:").decode(),
        "Basic " + base64.b64encode(b"admin:" + b"x" * 100_000).decode(),
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Bearer " + "x" * 6000,
        "Digest username=admin",
        "Negotiate x",
        "bearer  ",
    ],
)
def test_a_broken_authorization_header_is_401(stack: Stack, header: str) -> None:
    """Also where anonymous may pull: who names a right must have it."""
    for path in ("/v2/", "/v2/public/x/manifests/1", "/service/token?service=harbor-registry"):
        request = request_line("GET", path, stack.host, {"Authorization": header, "Accept": "*/*"})
        answer = raw(("127.0.0.1", stack.port), request)

        assert raw_status(answer) in (400, 401, 414, 431), (path, answer[:300])
        assert b"Traceback" not in answer


def test_only_the_edge_listens_beyond_loopback(stack: Stack) -> None:
    """Of everything the stack started, one TCP port is open, and only on loopback."""
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    pids = {pid for pid, _ in stack.processes()}
    ours = {line.split()[3] for line in listening if any(f"pid={pid}," in line for pid in pids)}

    assert ours <= {f"127.0.0.1:{stack.port}", f"[::1]:{stack.port}"}
    assert f"127.0.0.1:{stack.port}" in ours


def test_as_many_headers_as_the_edge_takes(stack: Stack) -> None:
    """Web's own server has nothing to say about their number, for it would say it with a page."""
    many = "".join(f"X-{number}: a\r\n" for number in range(300))
    head = "HTTP/1.1\r\nHost: " + stack.host + "\r\nConnection: close\r\n"
    for path, expected in (("/api/v2.0/ping", 200), ("/v2/", 401), ("/api/v2.0/users", 401)):
        answer = raw(("127.0.0.1", stack.port), f"GET {path} {head}{many}\r\n".encode())
        assert raw_status(answer) == expected, answer[:300]
