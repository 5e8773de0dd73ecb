"""Blobs: every way to push one, to mount one, and to read one."""

from __future__ import annotations

import os

import pytest

from tests.conformance.conftest import Place
from tests.stack.content import Blob, digest_of
from tests.stack.wire import Answer, with_query

pytestmark = pytest.mark.stack

BLOB = Blob(bytes(range(256)) * 40)
WRONG = "sha256:" + "1" * 64


def assert_readable(place: Place, blob: Blob, algorithm: str) -> None:
    digest = blob.digest(algorithm)
    got = place("GET", f"blobs/{digest}")
    head = place("HEAD", f"blobs/{digest}")

    assert (got.status, got.content) == (200, blob.content), got
    assert (head.status, head.content) == (200, b""), head
    for answer in (got, head):
        assert answer.headers["Content-Length"] == str(len(blob.content))
        assert answer.headers.get("Docker-Content-Digest", digest) == digest


def assert_created(place: Place, answer: Answer, blob: Blob, algorithm: str) -> None:
    assert answer.status == 201, answer
    assert answer.headers.get("Docker-Content-Digest", blob.digest(algorithm)) == blob.digest(algorithm)
    found = place.client("GET", answer.location)
    assert (found.status, found.content) == (200, blob.content), found
    assert_readable(place, blob, algorithm)


def test_missing_blob(place: Place, algorithm: str) -> None:
    digest = digest_of(b"never pushed", algorithm)

    assert place("HEAD", f"blobs/{digest}").status == 404
    answer = place("GET", f"blobs/{digest}")
    assert (answer.status, answer.codes) in ((404, ["BLOB_UNKNOWN"]), (404, ["NAME_UNKNOWN"]))


@pytest.mark.parametrize("blob", [BLOB, Blob(b""), Blob(b"{}")], ids=["bytes", "empty", "braces"])
def test_post_then_put(place: Place, algorithm: str, blob: Blob) -> None:
    location = place.start()

    answer = place.client("PUT", with_query(location, digest=blob.digest(algorithm)), blob.content)

    assert_created(place, answer, blob, algorithm)


def test_post_alone(place: Place, algorithm: str) -> None:
    """A registry may answer 202 and have the client go on with PUT."""
    answer = place("POST", f"blobs/uploads/?digest={BLOB.digest(algorithm)}", BLOB.content)

    assert answer.status in (201, 202), answer
    if answer.status == 202:
        answer = place.client("PUT", with_query(answer.location, digest=BLOB.digest(algorithm)), BLOB.content)
    assert_created(place, answer, BLOB, algorithm)


@pytest.mark.parametrize("chunks", [1, 3])
def test_chunks_then_an_empty_put(place: Place, algorithm: str, chunks: int) -> None:
    location, size = place.start(), len(BLOB.content) // chunks + 1
    for first in range(0, len(BLOB.content), size):
        chunk = BLOB.content[first : first + size]
        answer = place.patch(location, chunk, first)
        assert answer.status == 202, answer
        assert answer.headers["Range"] == f"0-{first + len(chunk) - 1}"
        location = answer.location

    answer = place.client("PUT", with_query(location, digest=BLOB.digest(algorithm)), b"")

    assert_created(place, answer, BLOB, algorithm)


def test_the_last_chunk_in_the_put(place: Place, algorithm: str) -> None:
    location = place.patch(place.start(), BLOB.content[:4000], 0).location
    headers = {"Content-Range": f"4000-{len(BLOB.content) - 1}", "Content-Type": "application/octet-stream"}

    answer = place.client("PUT", with_query(location, digest=BLOB.digest(algorithm)), BLOB.content[4000:], headers)

    assert_created(place, answer, BLOB, algorithm)


def test_a_chunk_out_of_order_is_416_and_can_be_mended(place: Place, algorithm: str) -> None:
    location = place.patch(place.start(), BLOB.content[:4000], 0).location

    answer = place.patch(location, BLOB.content[5000:], 5000)
    assert answer.status == 416, answer
    status = place.client("GET", location)
    assert status.status == 204, status
    assert status.headers["Range"] == "0-3999"

    mended = place.patch(status.location, BLOB.content[4000:], 4000)
    assert mended.status == 202, mended
    done = place.client("PUT", with_query(mended.location, digest=BLOB.digest(algorithm)), b"")
    assert_created(place, done, BLOB, algorithm)


def test_the_first_chunk_may_not_start_late(place: Place) -> None:
    answer = place.patch(place.start(), BLOB.content[4000:], 4000)

    assert answer.status == 416, answer


def test_a_repeated_chunk_is_416(place: Place) -> None:
    location = place.patch(place.start(), BLOB.content[:4000], 0).location

    assert place.patch(location, BLOB.content[:4000], 0).status == 416


def test_a_last_chunk_out_of_order_is_416(place: Place, algorithm: str) -> None:
    location = place.patch(place.start(), BLOB.content[:4000], 0).location
    headers = {"Content-Range": f"5000-{len(BLOB.content) - 1}", "Content-Type": "application/octet-stream"}

    answer = place.client("PUT", with_query(location, digest=BLOB.digest(algorithm)), BLOB.content[5000:], headers)

    assert answer.status == 416, answer
    assert place("HEAD", f"blobs/{BLOB.digest(algorithm)}").status == 404
    status = place.client("GET", location)
    assert (status.status, status.headers["Range"]) == (204, "0-3999")
    mended = place.client(
        "PUT",
        with_query(status.location, digest=BLOB.digest(algorithm)),
        BLOB.content[4000:],
        {**headers, "Content-Range": f"4000-{len(BLOB.content) - 1}"},
    )
    assert_created(place, mended, BLOB, algorithm)


@pytest.mark.parametrize("content_range", ["4-1", "a-b", "0-", "-5", "bytes=0-9", "0-1,4-5", "0-5"])
def test_a_content_range_that_says_something_else(place: Place, content_range: str) -> None:
    """Nothing is appended where the range and the chunk's length disagree."""
    location = place.start()

    answer = place.client("PATCH", location, b"x" * 4000, {"Content-Range": content_range})

    assert answer.status in (400, 416), answer
    assert place.client("GET", location).headers["Range"] == "0-0"


@pytest.mark.parametrize("query", ["", "?digest-algorithm={algorithm}"])
def test_a_stream(place: Place, algorithm: str, query: str) -> None:
    """One PATCH without a length."""
    location = place.start(query.format(algorithm=algorithm))
    token = place.client.scoped(f"repository:{place.repository}:pull,push")

    answer = place.client.send(
        "PATCH",
        location,
        iter([BLOB.content[:1000], BLOB.content[1000:]]),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"},
    )

    assert answer.status == 202, answer
    done = place.client("PUT", with_query(answer.location, digest=BLOB.digest(algorithm)), b"")
    assert_created(place, done, BLOB, algorithm)


@pytest.mark.parametrize("way", ["post", "put", "chunks", "stream"])
def test_a_wrong_digest_is_400(place: Place, algorithm: str, way: str) -> None:
    wrong = digest_of(b"something else", algorithm)
    if way == "post":
        answer = place("POST", f"blobs/uploads/?digest={wrong}", BLOB.content)
        if answer.status == 202:
            answer = place.client("PUT", with_query(answer.location, digest=wrong), BLOB.content)
    elif way == "put":
        answer = place.client("PUT", with_query(place.start(), digest=wrong), BLOB.content)
    else:
        location = place.patch(place.start(), BLOB.content, 0 if way == "chunks" else None).location
        answer = place.client("PUT", with_query(location, digest=wrong), b"")

    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"]), answer
    assert place("HEAD", f"blobs/{wrong}").status == 404


@pytest.mark.parametrize(
    "digest", ["sha256:short", "md5:" + "0" * 32, "sha256:../../x", "", "sha256:" + "A" * 64, "sha256:" + "0" * 65]
)
def test_a_malformed_digest_is_400(place: Place, digest: str) -> None:
    answer = place.client("PUT", with_query(place.start(), digest=digest), BLOB.content)

    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"]), answer


def test_mount(place: Place, algorithm: str) -> None:
    blob = Blob(os.urandom(3000))
    assert place.push_blob(blob, algorithm).status == 201
    target = Place(place.client, f"{place.repository}-target")

    answer = target("POST", f"blobs/uploads/?mount={blob.digest(algorithm)}&from={place.repository}", b"")

    assert_created(target, answer, blob, algorithm)


def test_mount_without_a_source(place: Place, algorithm: str) -> None:
    blob = Blob(os.urandom(3000))
    assert place.push_blob(blob, algorithm).status == 201
    target = Place(place.client, f"{place.repository}-target")

    answer = target("POST", f"blobs/uploads/?mount={blob.digest(algorithm)}", b"")

    assert answer.status == 202, answer
    finished = place.client("PUT", with_query(answer.location, digest=blob.digest(algorithm)), blob.content)
    assert_created(target, finished, blob, algorithm)


def test_mount_of_a_missing_blob_starts_an_upload(place: Place, algorithm: str) -> None:
    answer = place("POST", f"blobs/uploads/?mount={digest_of(b'none', algorithm)}&from={place.repository}-none", b"")

    assert answer.status == 202, answer
    finished = place.client("PUT", with_query(answer.location, digest=BLOB.digest(algorithm)), BLOB.content)
    assert_created(place, finished, BLOB, algorithm)


def test_cancel(place: Place) -> None:
    location = place.patch(place.start(), BLOB.content[:4000], 0).location

    answer = place.client("DELETE", location)

    assert answer.status == 204, answer
    assert place.client("GET", location).status == 404


def test_a_fresh_session(place: Place) -> None:
    answer = place("POST", "blobs/uploads/", b"")
    assert answer.status == 202, answer
    assert answer.headers["Range"] == "0-0"
    assert answer.headers["Content-Length"] == "0"

    status = place.client("GET", answer.location)

    assert status.status == 204
    assert status.headers["Range"] == "0-0"
    assert status.headers["Docker-Upload-UUID"] == answer.headers["Docker-Upload-UUID"]
    assert status.location


def test_an_unknown_session(place: Place) -> None:
    place.push_blob(BLOB)
    answer = place("GET", "blobs/uploads/3f0a1b2c-0000-4000-8000-1234567890ab")

    assert answer.status == 404, answer
    assert answer.codes[0] in ("BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("500-1499", 500, 1499), ("500-", 500, 10239), ("-500", 9740, 10239), ("2000-5000", 2000, 5000)],
)
def test_a_range(place: Place, algorithm: str, asked: str, first: int, last: int) -> None:
    place.push_blob(BLOB, algorithm)

    answer = place("GET", f"blobs/{BLOB.digest(algorithm)}", headers={"Range": f"bytes={asked}"})

    assert (answer.status, answer.content) == (206, BLOB.content[first : last + 1]), answer
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/10240"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["500-0", "20000-30000"])
def test_a_range_that_cannot_be(place: Place, algorithm: str, asked: str) -> None:
    place.push_blob(BLOB, algorithm)

    answer = place("GET", f"blobs/{BLOB.digest(algorithm)}", headers={"Range": f"bytes={asked}"})

    assert answer.status == 416, answer
    assert place("HEAD", f"blobs/{BLOB.digest(algorithm)}").status == 200


def test_nobody_deletes_a_blob(maintainer_place: Place, algorithm: str) -> None:
    """Deletion of blobs is the collector's; the specification allows 405."""
    maintainer_place.push_blob(BLOB, algorithm)

    answer = maintainer_place("DELETE", f"blobs/{BLOB.digest(algorithm)}")

    assert (answer.status, answer.codes) == (405, ["UNSUPPORTED"]), answer
    assert maintainer_place("HEAD", f"blobs/{BLOB.digest(algorithm)}").status == 200


def test_a_blob_is_known_where_it_was_pushed_only(place: Place) -> None:
    blob = Blob(os.urandom(100))
    place.push_blob(blob)
    elsewhere = Place(place.client, f"{place.repository}-elsewhere")

    known = elsewhere("HEAD", f"blobs/{blob.digest()}")
    unknown = elsewhere("HEAD", f"blobs/{WRONG}")

    assert known.status == unknown.status == 404
    assert set(known.headers.keys()) == set(unknown.headers.keys())
