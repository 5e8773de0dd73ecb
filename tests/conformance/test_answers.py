"""What every answer of /v2/ must look like: errors in the specification's form, links that stay here, no surprises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.conftest import Place
from tests.stack import content
from tests.stack.content import Pushable, digest_of
from tests.stack.people import People
from tests.stack.stack import Stack
from tests.stack.wire import Answer, raw, raw_status, request_line

pytestmark = pytest.mark.stack

CODES = {
    *("BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"),
    *("MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED"),
    *("DENIED", "UNSUPPORTED", "TOOMANYREQUESTS", "RANGE_INVALID", "UNAVAILABLE", "TAG_INVALID", "UNKNOWN"),
}


def assert_spec_error(answer: Answer, method: str = "GET") -> None:
    if method == "HEAD":
        assert answer.content == b""
        return
    assert answer.headers["Content-Type"].startswith("application/json"), answer
    assert answer.json["errors"], answer
    for error in answer.json["errors"]:
        assert error["code"] in CODES, answer
        assert isinstance(error["message"], str) and error["message"]
    lowered = answer.content.lower()
    for leak in (b"traceback", b"django", b"gunicorn", b"/work", b"nginx", b"<html"):
        assert leak not in lowered, answer


ERRORS = [
    ("GET", "manifests/absent", 404),
    ("HEAD", "manifests/absent", 404),
    ("GET", f"blobs/{digest_of(b'absent')}", 404),
    ("HEAD", f"blobs/{digest_of(b'absent')}", 404),
    ("GET", "blobs/sha256:bad", 400),
    ("GET", f"blobs/{digest_of(b'absent', 'sha512')}", 404),
    ("GET", "blobs/uploads/absent", 404),
    ("PATCH", "blobs/uploads/absent", 404),
    ("PUT", "manifests/absent", 400),
    ("DELETE", "manifests/absent", 404),
    ("POST", "manifests/absent", 405),
    ("PATCH", "manifests/absent", 405),
    ("PUT", "blobs/uploads/", 405),
    ("POST", "tags/list", 405),
    ("GET", "nonsense", 404),
    ("GET", "referrers/bad", 400),
    ("OPTIONS", "manifests/absent", 405),
    ("TRACE", "manifests/absent", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), ERRORS)
def test_errors_are_the_specifications(
    maintainer_place: Place, image: Pushable, method: str, path: str, status: int
) -> None:
    maintainer_place.push("present", image)

    answer = maintainer_place(method, path, b"" if method in ("PUT", "PATCH", "POST") else None)

    assert answer.status == status, answer
    assert_spec_error(answer, method)


def test_ping_without_credentials(people: People, stack: Stack) -> None:
    answer = people.client("anonymous").send("GET", "/v2/")

    assert answer.status == 401
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{stack.url}/service/token",service="harbor-registry"'
    assert_spec_error(answer)


@pytest.mark.parametrize("who", ["admin", "developer", "puller"])
def test_ping(people: People, who: str) -> None:
    answer = people.client(who)("GET", "/v2/")

    assert answer.status == 200
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_ping_without_the_slash(people: People) -> None:
    assert people.client("anonymous").send("GET", "/v2").status in (301, 308, 401)


def test_a_challenge_names_what_is_needed(people: People) -> None:
    anonymous = people.client("anonymous")
    get = anonymous.send("GET", "/v2/private/hello/manifests/1").headers["WWW-Authenticate"]
    put = anonymous.send("PUT", "/v2/private/hello/manifests/1", b"{}").headers["WWW-Authenticate"]
    blob = anonymous.send("GET", f"/v2/private/hello/blobs/{digest_of(b'')}").headers["WWW-Authenticate"]
    upload = anonymous.send("POST", "/v2/private/hello/blobs/uploads/", b"").headers["WWW-Authenticate"]

    assert 'scope="repository:private/hello:pull"' in get
    assert 'scope="repository:private/hello:pull"' in blob
    assert 'scope="repository:private/hello:pull,push"' in put or 'scope="repository:private/hello:push,pull"' in put
    assert upload.count("pull") and upload.count("push")


def test_locations_stay_here(place: Place, stack: Stack) -> None:
    blob = content.Blob(b"located")
    started = place("POST", "blobs/uploads/", b"")
    pushed = place.push_blob(blob)
    tagged = place.push("1", content.image(text="located"))

    for answer in (started, pushed, tagged):
        assert answer.location.startswith((f"/v2/{place.repository}/", f"{stack.url}/v2/{place.repository}/"))


def test_a_deleted_manifest_has_no_body(maintainer_place: Place, image: Pushable) -> None:
    maintainer_place.push("1", image)

    answer = maintainer_place("DELETE", f"manifests/{image.digest()}")

    assert (answer.status, answer.content) == (202, b"")


def test_a_repository_named_like_a_route(place: Place, people: People) -> None:
    for name in ("manifests/latest", "blobs/uploads", "tags/list", "referrers/x"):
        other = Place(place.client, f"{place.repository}/{name}")
        image = content.image(text=name)
        assert other.push("manifests", image).status == 201
        assert other.get_manifest("manifests").content == image.content
        assert other("GET", "tags/list").json["tags"] == ["manifests"]
    assert place.get_manifest("latest").status == 404
    assert people.client("stranger").pull(f"{place.repository}/tags/list", "manifests").status in (401, 403, 404)


def test_an_empty_body_is_not_waited_for(stack: Stack) -> None:
    """POST with a length of none, as curl -X POST sends it."""
    request = request_line("POST", "/v2/private/x/blobs/uploads/", stack.host, {"Content-Length": "0"})

    assert raw_status(raw(("127.0.0.1", stack.port), request)) == 401


def test_http_1_0(stack: Stack) -> None:
    request = f"GET /v2/ HTTP/1.0\r\nHost: {stack.host}\r\n\r\n".encode()

    assert raw_status(raw(("127.0.0.1", stack.port), request)) == 401


def test_the_suites_rows_are_all_here() -> None:
    """A row of the suite's table without a test of ours is a hole; this list is the table."""
    rows = json.loads((Path(__file__).parent / "rows.json").read_text())
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    missing = [row for row, tests in rows.items() if not all(f"def {test}(" in sources for test in tests)]

    assert not missing
