"""Registries that lie, refuse, forget, limit or never end: what is said, and that nothing wrong is stored."""

from __future__ import annotations

import io
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from registry import http
from registry.auth import Credentials
from registry.client import Registry
from registry.errors import (
    Blocked,
    Damaged,
    Denied,
    ManifestInvalid,
    RegistryError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from replication.transfer import Result, Saved, Stopped
from replication.transfer import reading as reading_of_blobs
from tests.registry.listener import listening
from tests.replication.test_transfer import GOAL, OPTIONS, Pair, Watched, layer
from tests.stack import content

UPLOADS = "/blobs/uploads/"


@pytest.fixture
def pair() -> Pair:
    made = Pair()
    made.push(content.image(layer("a", 10_000)))
    return made


LARGE = layer("a", 10_000)
"""Two and a half chunks of these tests."""


def nothing_is_stored(pair: Pair) -> None:
    assert pair.there.manifests == {} and ("mirror/app", LARGE.digest()) not in pair.there.blobs


@pytest.mark.parametrize("chunk", [4096, 2**20])
@pytest.mark.parametrize("lie", [b"b" * 10_000, b"a" * 9_999, b"a" * 10_001, b"", b"b" + b"a" * 9_999])
def test_a_source_that_lies_about_a_blob(pair: Pair, lie: bytes, chunk: int) -> None:
    pair.here.lies[LARGE.digest()] = lie

    with pytest.raises(Damaged, match=f"the source, reading blob {LARGE.digest()}") as raised:
        pair.copy(chunk=chunk)

    assert not raised.value.temporary and "trying again" not in " ".join(pair.watch.lines)
    nothing_is_stored(pair)
    assert not any(pair.there.uploads.values()) and pair.watch.saved == {}
    assert not pair.there.called("PUT", "uploads") or all(len(call.body) < 9_999 for call in pair.there.called("PUT"))


def test_a_source_that_lies_about_a_size(pair: Pair) -> None:
    image = content.image(LARGE)
    document = {**image.document, "layers": [{**LARGE.descriptor(), "size": 5_000}]}
    pair.push(content.manifest(document, image.blobs))
    with pytest.raises(Damaged, match="has 10000 bytes, its manifest says 5000"):
        pair.copy()
    nothing_is_stored(pair)
    pair.there.add_blob("mirror/app", LARGE.content)
    with pytest.raises(Damaged, match="has 5000 bytes, but it has 10000"):
        pair.copy()
    assert pair.there.manifests == {}


def test_a_source_that_lies_about_a_manifest(pair: Pair) -> None:
    digest = pair.here.known_tags["library/app", "1"]
    media_type, bytes_of_it = pair.here.manifests["library/app", digest]
    pair.here.manifests["library/app", digest] = (media_type, bytes_of_it + b" ")
    with pytest.raises(Damaged, match="the source, reading manifest library/app@sha256"):
        pair.copy()
    nothing_is_stored(pair)


class Endless(io.RawIOBase):
    """A body without a length; `drip` bytes at a time."""

    def __init__(self, drip: int = 4096) -> None:
        self.drip = drip

    def read1(self, limit: int) -> bytes:
        return b"a" * min(limit, self.drip)


def test_a_body_that_never_ends_is_read_no_further_than_the_size(pair: Pair) -> None:
    """It goes on behind the last byte: what is needed is whole, and taken."""
    pair.here.lies[LARGE.digest()] = Endless()
    outcome = pair.copy()
    assert outcome.result == Result.COPIED and outcome.bytes_read < 11_000


def test_a_body_that_drips_is_given_up(pair: Pair) -> None:
    pulse = reading_of_blobs._Pulse()
    for _ in range(59):
        pulse.beat(1000, 1.0)
    with pytest.raises(Unavailable, match="would never end"):
        pulse.beat(1000, 1.0)
    pulse = reading_of_blobs._Pulse()
    for _ in range(200):
        pulse.beat(2000, 1.0)


def test_a_source_that_breaks_off_is_read_on_where_it_broke(pair: Pair) -> None:
    whole = LARGE.content
    pair.here.failures.append(("GET", LARGE.digest(), (200, {"Content-Length": "10000"}, whole[:3_000])))
    pair.here.failures.append(("GET", LARGE.digest(), (503, {}, b"")))
    assert pair.copy().bytes_read == len(whole) + len(_config(pair))
    assert [call.headers.get("Range") for call in pair.here.called("GET", LARGE.digest())] == [
        None,
        "bytes=3000-",
        "bytes=3000-",
    ]


def _config(pair: Pair) -> bytes:
    return next(each for (_, digest), each in pair.here.blobs.items() if digest != LARGE.digest())


def test_what_fails_for_the_moment_is_tried_again_and_no_more_than_that(pair: Pair) -> None:
    for _ in range(2):
        pair.there.fail("HEAD", "/manifests/", 503)
        pair.there.fail("POST", UPLOADS, 502)
    assert pair.copy().result == Result.COPIED
    pair.there.calls.clear()
    for _ in range(9):
        pair.there.fail("HEAD", "/manifests/", 503)
    with pytest.raises(Unavailable, match="the target, looking for mirror/app:1") as raised:
        pair.copy()
    assert raised.value.temporary and len(pair.there.calls) == OPTIONS.attempts


@pytest.mark.parametrize("stated", ["1", "date"])
def test_a_limit_is_waited_for(pair: Pair, stated: str) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    pair.there.fail("POST", UPLOADS, 429, "TOOMANYREQUESTS", {"Retry-After": stated.replace("date", soon)})
    began = time.monotonic()
    assert pair.copy(patience=5.0).result == Result.COPIED
    assert 0.5 <= time.monotonic() - began < 5


@pytest.mark.parametrize("stated", ["3600", "999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_limit_that_is_too_long_is_the_caller_s_to_wait_for(pair: Pair, stated: str) -> None:
    pair.there.fail("HEAD", "/manifests/", 429, "TOOMANYREQUESTS", {"Retry-After": stated})
    with pytest.raises(TooManyRequests, match="how often it may be asked") as raised:
        pair.copy()
    assert 3600 <= (raised.value.retry_after or 0) <= 24 * 3600
    assert len(pair.there.calls) == 1


@pytest.mark.parametrize("stated", ["", "soon", "-5", "1e9", "Thu, 01 Jan 1970 00:00:00 GMT", "99 Foo"])
def test_a_retry_after_that_says_nothing(pair: Pair, stated: str) -> None:
    pair.there.fail("HEAD", "/manifests/", 429, "", {"Retry-After": stated})
    assert pair.copy().result == Result.COPIED


def test_wrong_credentials_are_tried_once(pair: Pair) -> None:
    pair.there.require("robot", "right")
    session = http.session()
    session.mount(pair.there.url, pair.there)
    pair.target = Registry(pair.there.url, session, Credentials(pair.there.url, session, "robot", "wrong"))
    with pytest.raises(Unauthorized, match="the target.*user name and password"):
        pair.copy()
    assert len(pair.there.called("GET", "/token")) == 1
    nothing_is_stored(pair)


def test_no_right_to_push(pair: Pair) -> None:
    for _ in range(20):
        pair.there.fail("POST", UPLOADS, 403, "DENIED")
    with pytest.raises(Denied, match="the target, storing blob.*may not do this"):
        pair.copy()
    assert len(pair.there.called("POST")) <= 2  # one for each blob that was under way
    nothing_is_stored(pair)


def test_a_token_that_ends_in_mid_copy(pair: Pair) -> None:
    pair.there.require("robot", "right")
    session = http.session()
    session.mount(pair.there.url, pair.there)
    pair.target = Registry(pair.there.url, session, Credentials(pair.there.url, session, "robot", "right"))

    class Forgets(Watched):
        def save(self, digest: str, saved: Saved) -> None:
            known = self.saved.get(digest)
            super().save(digest, saved)
            if known is None or saved.offset > known.offset:
                pair.there.tokens.clear()

    pair.watch = Forgets()
    assert pair.copy().result == Result.COPIED
    assert len(pair.there.called("GET", "/token")) >= 5


def test_a_redirect_to_a_private_address_is_not_followed(pair: Pair) -> None:
    with listening() as listener:
        for _ in range(3):
            answer = (307, {"Location": f"https://127.0.0.1:{listener.server_port}/x"}, b"")
            pair.here.failures.append(("GET", LARGE.digest(), answer))
        with pytest.raises(Blocked, match="the source, reading blob.*administrator"):
            pair.copy()
        assert listener.connections == 0
    nothing_is_stored(pair)


def test_a_redirect_is_followed_without_credentials(pair: Pair) -> None:
    """As to a bucket; and from https never to http."""
    pair.here.require("robot", "right")
    session = http.session()
    session.mount(pair.here.url, pair.here)
    with listening(lambda *_: (200, {}, LARGE.content)) as listener:
        url = "http://source.test"
        pair.here.url, pair.here.realm = url, f"{url}/token"
        session = http.session(allow=["127.0.0.1"])
        session.mount(url, pair.here)
        pair.source = Registry(url, session, Credentials(url, session, "robot", "right"))
        pair.here.failures.append(("GET", LARGE.digest(), (307, {"Location": f"{listener.url}/bucket"}, b"")))
        assert pair.copy().result == Result.COPIED
        ((_, path, headers),) = listener.seen
    assert path == "/bucket" and "Authorization" not in headers


def test_an_upload_that_is_sent_to_a_stranger(pair: Pair) -> None:
    with listening() as listener:
        answer = (202, {"Location": f"http://127.0.0.1:{listener.server_port}/x"}, b"")
        pair.there.failures.append(("POST", UPLOADS, answer))
        with pytest.raises(Blocked, match="points to another host"):
            pair.copy()
        assert listener.connections == 0


def test_a_session_that_the_target_forgot_begins_anew(pair: Pair) -> None:
    pair.there.fail("PATCH", UPLOADS, 404, "BLOB_UPLOAD_UNKNOWN")
    pair.there.fail("GET", UPLOADS, 404, "BLOB_UPLOAD_UNKNOWN")
    assert pair.copy().result == Result.COPIED
    assert len(pair.there.called("POST", UPLOADS)) == 3  # two for the layer, one for the config


def test_a_chunk_can_be_read_whole_before_it_is_sent(pair: Pair) -> None:
    pair.here.lies[LARGE.digest()] = LARGE.content[:9_000] + b"b" * 1_000
    with pytest.raises(Damaged):
        pair.copy(ready_chunks=True)
    assert [len(call.body) for call in pair.there.called("PATCH")] == [4096, 4096]  # the last was never begun
    pair.here.lies.clear()
    assert pair.copy(ready_chunks=True).result == Result.COPIED


def test_a_registry_that_takes_no_chunks_gets_a_stream(pair: Pair) -> None:
    pair.there.fail("PATCH", UPLOADS, 416, "RANGE_INVALID")
    assert pair.copy().result == Result.COPIED
    assert [len(call.body) for call in pair.there.called("PATCH") if "Content-Range" not in call.headers] == [10_000]


def test_a_resumed_upload_whose_beginning_is_wrong_is_done_again(pair: Pair) -> None:
    """Somebody else's bytes are in the session that was kept: only the target can tell, and it does."""
    location = pair.target.start_upload("mirror/app")
    location = pair.target.upload_chunk("mirror/app", location, b"x" * 4096, 0)
    pair.watch.saved[LARGE.digest()] = Saved(4096, location)

    assert pair.copy().result == Result.COPIED

    assert pair.there.blobs["mirror/app", LARGE.digest()] == LARGE.content
    puts = [call for call in pair.there.called("PUT", UPLOADS) if call.query["digest"] == LARGE.digest()]
    assert len(puts) == 2


def test_an_upload_goes_on_from_the_byte_where_it_stood(pair: Pair, tmp_path: Path) -> None:
    for _ in range(9):
        pair.there.failures.append(("PATCH", UPLOADS, (503, {}, b"")))
    with pytest.raises(Unavailable):
        pair.copy()
    pair.there.failures.clear()
    location = pair.target.upload_chunk("mirror/app", pair.watch.saved[LARGE.digest()].location, b"a" * 5000, 0)
    pair.watch.saved[LARGE.digest()] = Saved(0, location)  # the answer to the last chunk was lost
    pair.here.calls.clear()

    outcome = pair.copy()

    assert [call.headers["Range"] for call in pair.here.called("GET", LARGE.digest())] == ["bytes=5000-"]
    assert outcome.bytes_skipped >= 5000 and outcome.bytes_sent <= 5000 + len(_config(pair))
    assert "goes on at byte 5000 of 10000" in " ".join(pair.watch.lines)


def test_a_kept_address_of_another_host_is_not_used(pair: Pair) -> None:
    pair.watch.saved[LARGE.digest()] = Saved(4096, "https://elsewhere.test/v2/mirror/app/blobs/uploads/1")
    assert pair.copy().result == Result.COPIED


def test_a_manifest_whose_blob_is_gone_meanwhile_is_tried_again(pair: Pair) -> None:
    pair.there.fail("PUT", "/manifests/", 400, "MANIFEST_BLOB_UNKNOWN")
    assert pair.copy().result == Result.COPIED
    pair.there.fail("PUT", "/manifests/", 400, "MANIFEST_INVALID")
    with pytest.raises(ManifestInvalid):
        pair.copy(goal=GOAL.__class__("mirror/app", "2"))
    assert ("mirror/app", "2") not in pair.there.known_tags


def test_stopping_takes_moments_and_keeps_the_upload(pair: Pair) -> None:
    class Stops(Watched):
        def stop(self) -> bool:
            return bool(self.saved)

        def throttle(self, count: int) -> float:
            return 30.0 if self.saved else 0.0

    pair.watch = Stops()
    began = time.monotonic()
    with pytest.raises(Stopped):
        pair.copy(bandwidth=40_000)
    assert time.monotonic() - began < 3
    assert pair.watch.saved.keys() == {LARGE.digest()}
    nothing_is_stored(pair)


def test_the_watch_is_spoken_to_in_the_caller_s_thread_alone(pair: Pair) -> None:
    seen: set[str] = set()

    class Notes(Watched):
        def __getattribute__(self, name: str) -> object:
            if name in ("stop", "progress", "log", "load", "save", "forget", "holders"):
                seen.add(threading.current_thread().name)
            return super().__getattribute__(name)

    pair.watch = Notes()
    assert pair.copy().result == Result.COPIED
    assert seen == {threading.current_thread().name}


def test_a_watch_that_fails_ends_the_copy(pair: Pair) -> None:
    class Fails(Watched):
        def save(self, digest: str, saved: Saved) -> None:
            raise LookupError("the database is away")

    pair.watch = Fails()
    with pytest.raises(LookupError, match="the database is away"):
        pair.copy()
    nothing_is_stored(pair)


def test_a_limit_of_bandwidth_is_asked_for_every_byte(pair: Pair) -> None:
    taken: list[int] = []

    class Counts(Watched):
        def throttle(self, count: int) -> float:
            taken.append(count)
            return 0.0

    pair.watch = Counts()
    outcome = pair.copy(bandwidth=1000)
    assert sum(taken) == outcome.bytes_sent and max(taken) <= reading_of_blobs.SMALLEST_PIECE


def test_no_message_holds_the_address_of_an_upload(pair: Pair) -> None:
    for _ in range(9):
        pair.there.failures.append(("PATCH", UPLOADS, (503, {}, b"")))
    with pytest.raises(RegistryError) as raised:
        pair.copy()
    assert not re.search("_state|uploads", str(raised.value) + " ".join(pair.watch.lines))
