"""Who may only read: every write is refused and leaves nothing, every pull row passes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.stack import content
from tests.stack.content import Blob, digest_of
from tests.stack.people import People
from tests.stack.wire import Answer, Client

pytestmark = pytest.mark.stack

REFUSED = (401, 403)
SIGNATURE = "application/vnd.haven.signature"


@dataclass(frozen=True)
class Shelf:
    """A repository with an image, an index and a signature, and somebody who may read it."""

    reader: Client
    repository: str
    image: content.Pushable
    index: content.Pushable
    signature: content.Pushable

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.reader(method, f"/v2/{self.repository}/{path}", body, {"Accept": "*/*", **named})


@pytest.fixture(scope="module", params=["puller", "anonymous", "guest", "limited_guest"])
def shelf(request: pytest.FixtureRequest, people: People) -> Shelf:
    """Anonymous reads the public project, the others the private one."""
    project = "public" if request.param == "anonymous" else "private"
    image = content.image(text="read only")
    shelf = Shelf(
        people.client(request.param),
        f"{project}/shelf",
        image,
        content.index(image),
        content.artifact(SIGNATURE, subject=image),
    )
    writer = people.client("alice")
    for tag, pushed in (("image", shelf.image), ("index", shelf.index), ("signature", shelf.signature)):
        assert writer.push(shelf.repository, tag, pushed).status == 201
    return shelf


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_manifests(shelf: Shelf, method: str) -> None:
    for pushed, tag in ((shelf.image, "image"), (shelf.index, "index"), (shelf.signature, "signature")):
        for reference in (tag, pushed.digest()):
            answer = shelf(method, f"manifests/{reference}")
            assert answer.status == 200, answer
            assert answer.headers["Content-Type"] == pushed.media_type
            assert answer.content == (pushed.content if method == "GET" else b"")


def test_blobs(shelf: Shelf) -> None:
    for blob in shelf.image.blobs:
        assert shelf("GET", f"blobs/{blob.digest()}").content == blob.content
        assert shelf("HEAD", f"blobs/{blob.digest()}").headers["Content-Length"] == str(len(blob.content))
        assert shelf("GET", f"blobs/{blob.digest()}", Range="bytes=1-4").content == blob.content[1:5]


def test_tags_and_referrers(shelf: Shelf) -> None:
    assert shelf("GET", "tags/list").json["tags"] == ["image", "index", "signature"]
    found = shelf("GET", f"referrers/{shelf.image.digest()}?artifactType={SIGNATURE}").json["manifests"]
    assert [entry["digest"] for entry in found] == [shelf.signature.digest()]


def test_what_is_missing_is_404(shelf: Shelf) -> None:
    assert shelf("GET", "manifests/absent").status == 404
    assert shelf("GET", f"blobs/{digest_of(b'absent')}").status == 404


def test_no_upload(shelf: Shelf) -> None:
    blob = Blob(b"by a reader")
    for query in ("", f"?digest={blob.digest()}", f"?mount={shelf.image.blobs[0].digest()}&from={shelf.repository}"):
        answer = shelf("POST", f"blobs/uploads/{query}", blob.content)
        assert answer.status in REFUSED, answer
        assert answer.codes[0] in ("DENIED", "UNAUTHORIZED")
        assert "Location" not in answer.headers
    assert shelf("HEAD", f"blobs/{blob.digest()}").status == 404


def test_no_manifest(shelf: Shelf) -> None:
    other = content.index(shelf.image, annotations={"by": "a reader"})
    for reference in ("new", "image", other.digest()):
        answer = shelf("PUT", f"manifests/{reference}", other.content, Content_Type=other.media_type)
        assert answer.status in REFUSED, answer
    assert shelf("GET", "manifests/image").content == shelf.image.content
    assert shelf("GET", "tags/list").json["tags"] == ["image", "index", "signature"]


def test_no_delete(shelf: Shelf) -> None:
    for path in ("manifests/image", f"manifests/{shelf.image.digest()}", f"blobs/{shelf.image.blobs[0].digest()}"):
        assert shelf("DELETE", path).status in (*REFUSED, 405)
    assert shelf("GET", "manifests/image").status == 200
    assert shelf("HEAD", f"blobs/{shelf.image.blobs[0].digest()}").status == 200


def test_no_session_of_somebody_else(shelf: Shelf, people: People) -> None:
    location = people.client("alice").start_upload(shelf.repository)

    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = shelf.reader(method, location, b"x" if method in ("PATCH", "PUT") else None)
        assert answer.status in (*REFUSED, 404), answer

    assert people.client("alice")("GET", location).status == 204
