"""What a copy brings over, in which order, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from registry import http
from registry.client import Registry
from registry.errors import ManifestInvalid, ManifestUnknown, Unsupported
from registry.manifests import parse
from registry.references import Reference
from replication.transfer import Options, Outcome, Result, Unwatched, compare, copy, delete, missing
from tests.fakes.registry import FakeRegistry
from tests.replication.plain import push
from tests.stack import content
from tests.stack.content import OCI_LAYER, Blob, Pushable

ORIGIN = Reference("library/app", "1")
GOAL = Reference("mirror/app", "1")
OPTIONS = Options(patience=0.01, attempts=3, chunk=4096)
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


class Watched(Unwatched):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.reported: dict[str, tuple[int, int]] = {}
        self.held: dict[str, list[str]] = {}

    def log(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, digest: str, done: int, total: int) -> None:
        self.reported[digest] = (done, total)

    def holders(self, digests: Sequence[str]) -> dict[str, list[str]]:
        return {digest: self.held[digest] for digest in digests if digest in self.held}


class Pair:
    """Two fake registries, and what passes between them."""

    def __init__(self) -> None:
        self.here = FakeRegistry("https://source.test")
        self.there = FakeRegistry("https://target.test")
        self.source, self.target = connect(self.here), connect(self.there)
        self.watch = Watched()

    def copy(self, origin: Reference = ORIGIN, goal: Reference = GOAL, **options: Any) -> Outcome:
        chosen = Options(**{**vars(OPTIONS), **options})
        return copy(self.source, self.target, origin, goal, watch=self.watch, options=chosen)

    def push(self, pushed: Pushable, reference: Reference = ORIGIN) -> None:
        push(self.source, reference.repository, reference.identifier, pushed)

    def sent(self) -> int:
        """Bytes that the target was sent."""
        return sum(len(call.body) for call in self.there.calls)

    def writes(self) -> list[str]:
        """What changed the target, in order."""
        return [f"{call.method} {call.path}" for call in self.there.calls if call.method not in ("GET", "HEAD")]


def connect(fake: FakeRegistry) -> Registry:
    session = http.session()
    session.mount(fake.url, fake)
    return Registry(fake.url, session)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def layer(text: str, size: int = 1000) -> Blob:
    return Blob((text * size).encode()[:size], OCI_LAYER)


def signature(subject: Pushable, text: str = "signed") -> Pushable:
    return content.artifact(SIGNATURE, layer(text), subject=subject)


def test_an_image_arrives_byte_for_byte_and_its_manifest_last(pair: Pair) -> None:
    image = content.image(layer("a"), layer("b", 10_000))
    pair.push(image)

    outcome = pair.copy()

    digest = pair.there.known_tags["mirror/app", "1"]
    assert pair.there.manifests["mirror/app", digest] == (image.media_type, image.content)
    for blob in image.blobs:
        assert pair.there.blobs["mirror/app", blob.digest()] == blob.content
        assert pair.watch.reported[blob.digest()] == (len(blob.content), len(blob.content))
    assert pair.writes()[-1] == "PUT /v2/mirror/app/manifests/1"
    assert (outcome.result, outcome.digest, outcome.blobs_copied, outcome.manifests) == ("copied", image.digest(), 3, 1)
    size = sum(len(blob.content) for blob in image.blobs)
    assert outcome.bytes_copied == outcome.bytes_sent == outcome.bytes_read == size
    assert pair.watch.saved == {} and outcome.copied.keys() == {blob.digest() for blob in image.blobs}


def test_what_is_there_is_not_moved_again(pair: Pair) -> None:
    pair.push(content.image(layer("a"), layer("b")))
    pair.copy()
    pair.here.calls.clear()
    pair.there.calls.clear()

    outcome = pair.copy()

    assert (outcome.result, outcome.bytes_sent, outcome.manifests) == (Result.THERE, 0, 0)
    assert pair.writes() == [] and pair.sent() == 0
    assert [call.method for call in pair.there.calls] == ["HEAD"]
    assert pair.here.called("GET", "/manifests/|/blobs/") == []


def test_only_the_blobs_that_are_missing_move(pair: Pair) -> None:
    pair.push(content.image(layer("a"), layer("b")))
    pair.copy()
    changed = content.image(layer("a"), layer("c"))
    pair.push(changed)
    pair.there.calls.clear()

    outcome = pair.copy()

    assert (outcome.blobs_there, outcome.blobs_copied) == (1, 2)
    assert outcome.replaced and outcome.bytes_skipped == 1000
    assert not [call for call in pair.there.calls if layer("a").content in call.body]
    assert pair.there.known_tags["mirror/app", "1"] == changed.digest()


def test_a_tag_that_must_not_be_moved_is_kept(pair: Pair) -> None:
    pair.push(content.image(text="old"))
    pair.copy()
    pair.push(content.image(text="new"))
    pair.there.calls.clear()

    outcome = pair.copy(override=False)

    assert outcome.result == Result.KEPT and outcome.replaced == content.image(text="old").digest()
    assert pair.writes() == [] and "not replaced" in pair.watch.lines[-1]
    assert pair.copy(goal=Reference("mirror/app", "2"), override=False).result == Result.COPIED


def test_of_an_image_that_has_just_come_another_tag_is_all_that_is_stored(pair: Pair) -> None:
    image, second = content.image(), Reference("mirror/app", "2")
    pair.push(image)
    pair.copy()
    pair.there.calls.clear()

    outcome = pair.copy(goal=second, settled=frozenset({image.digest()}))

    assert (outcome.result, outcome.bytes_sent) == (Result.COPIED, 0)
    assert [call.method for call in pair.there.calls] == ["HEAD", "PUT"]
    assert pair.there.known_tags["mirror/app", "2"] == image.digest()


def test_an_index_comes_with_its_children_even_nested(pair: Pair) -> None:
    inner = content.index(content.image(layer("arm"), architecture="arm64"))
    outer = content.index(content.image(layer("amd")), inner)
    pair.push(outer)

    assert pair.copy().manifests == 4

    for each in (outer, inner, *outer.children, *inner.children):
        assert pair.there.manifests["mirror/app", each.digest()][1] == each.content
    assert [tag for tag in pair.there.known_tags] == [("mirror/app", "1")]
    assert compare(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS) == []


@pytest.mark.parametrize("lists", [(False, False), (True, True), (True, False), (False, True)])
def test_signatures_come_along_and_are_there_before_the_tag(pair: Pair, lists: tuple[bool, bool]) -> None:
    """Referrers by the API and by the tag schema, on either side; and a signature of the signature."""
    pair.here.lists_referrers, pair.there.lists_referrers = lists
    image = content.image()
    signed = signature(image)
    countersigned = signature(signed, "twice")
    pair.push(image)
    for referrer, subject in ((signed, image), (countersigned, signed)):
        pair.push(referrer, ORIGIN.at(referrer.digest()))
        if not lists[0]:
            pair.push(content.index(referrer), Reference("library/app", subject.digest().replace(":", "-")))

    assert pair.copy().manifests == 3

    for referrer in (signed, countersigned):
        assert ("mirror/app", referrer.digest()) in pair.there.manifests
    assert pair.writes()[-1] == "PUT /v2/mirror/app/manifests/1"
    fallback = {tag for _, tag in pair.there.known_tags if tag.startswith("sha256-")}
    if lists[1]:
        assert fallback == set()
    else:
        assert fallback == {each.digest().replace(":", "-") for each in (image, signed)}
        index = pair.target.get_manifest(Reference("mirror/app", image.digest().replace(":", "-")))
        assert [(entry.digest, entry.artifact_type) for entry in index.children] == [(signed.digest(), SIGNATURE)]


def test_the_list_of_referrers_at_the_target_keeps_its_others(pair: Pair) -> None:
    image, theirs, ours = content.image(), signature(content.image(), "theirs"), signature(content.image(), "ours")
    tag = image.digest().replace(":", "-")
    push(pair.target, "mirror/app", theirs.digest(), theirs)
    push(pair.target, "mirror/app", tag, content.index(theirs))
    pair.push(image)
    pair.push(ours, ORIGIN.at(ours.digest()))
    pair.push(content.index(ours), Reference("library/app", tag))

    pair.copy()

    index = pair.target.get_manifest(Reference("mirror/app", tag))
    assert [entry.digest for entry in index.children] == [theirs.digest(), ours.digest()]


def test_cosigns_tags_come_along_later_too(pair: Pair) -> None:
    image = content.image()
    pair.push(image)
    pair.copy()
    name = image.digest().replace(":", "-")
    for suffix in ("sig", "att", "sbom"):
        pair.push(content.artifact("application/x", layer(suffix)), Reference("library/app", f"{name}.{suffix}"))

    outcome = pair.copy()

    assert outcome.result == Result.COPIED
    assert {tag for _, tag in pair.there.known_tags} == {"1", f"{name}.sig", f"{name}.att", f"{name}.sbom"}
    pair.here.calls.clear()
    assert pair.copy(known_tags=frozenset({f"{name}.sig"})).result == Result.THERE
    assert len(pair.here.called("HEAD")) == 2  # the image and the signature, whose tag was known
    assert pair.copy(goal=Reference("plain/app", "1"), referrers=False).manifests == 1


def test_a_blob_is_mounted_where_the_target_can(pair: Pair) -> None:
    shared, own = layer("shared"), layer("own")
    push(pair.target, "other/app", "1", content.image(shared))
    pair.push(content.image(shared, own))
    pair.watch.held[shared.digest()] = ["nowhere/app", "other/app"]
    pair.there.calls.clear()

    outcome = pair.copy()

    assert (outcome.blobs_mounted, outcome.bytes_skipped) == (1, 1000)
    assert not [call for call in pair.there.calls if shared.content in call.body]
    assert pair.there.uploads == {}  # what the refused mount began was cancelled
    pair.there.mounts = False
    assert pair.copy(goal=Reference("third/app", "1")).blobs_mounted == 0


def test_layers_kept_elsewhere_are_copied_only_where_the_source_has_them(pair: Pair) -> None:
    image = _windows(layer("base"), layer("held"))
    pair.push(image)
    del pair.here.blobs["library/app", layer("base").digest()]

    assert pair.copy().blobs_copied == 2

    assert ("mirror/app", layer("held").digest()) in pair.there.blobs
    assert ("mirror/app", layer("base").digest()) not in pair.there.blobs
    assert "kept elsewhere" in " ".join(pair.watch.lines)


def _windows(*layers: Blob) -> Pushable:
    image = content.image(*layers)
    foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    entries = [{**each.descriptor(), "mediaType": foreign, "urls": ["https://example.com/x"]} for each in layers]
    return content.manifest({**image.document, "layers": entries}, image.blobs)


def test_docker_s_first_format_is_refused_with_a_sentence(pair: Pair) -> None:
    media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    pair.here.manifests["library/app", "sha256:" + "a" * 64] = (media_type, b"{}")
    pair.here.known_tags["library/app", "1"] = "sha256:" + "a" * 64
    with pytest.raises(ManifestInvalid, match="schema version 1.*push it again"):
        pair.copy()
    assert pair.writes() == []


def test_an_image_that_is_not_there(pair: Pair) -> None:
    with pytest.raises(ManifestUnknown, match="the source, looking for library/app:1: there is no such image"):
        pair.copy()
    assert pair.there.calls == []


def test_what_would_move_is_said_and_not_done(pair: Pair) -> None:
    old, new = content.image(layer("a"), layer("b")), content.image(layer("a"), layer("c"), layer("d"))
    pair.push(old)
    pair.copy()
    pair.push(new)
    pair.watch.held[layer("d").digest()] = ["other/app"]
    push(pair.target, "other/app", "1", content.image(layer("d")))
    pair.there.calls.clear()

    found = missing(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS)

    assert found.digest == new.digest() and found.replaces == old.digest()
    assert found.blobs.keys() == {layer("c").digest(), new.blobs[0].digest()}
    assert found.mountable == {layer("d").digest(): 1000} and found.manifests == {new.digest(): len(new.content)}
    assert found.bytes == 1000 + len(new.blobs[0].content) + len(new.content)
    assert pair.writes() == []
    pair.copy()
    assert missing(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS).bytes == 0


def test_drift_is_found_and_repaired(pair: Pair) -> None:
    child = content.image(layer("a"))
    image = content.index(child, content.image(layer("b")))
    pair.push(image)
    pair.copy()
    del pair.there.blobs["mirror/app", layer("a").digest()]
    del pair.there.manifests["mirror/app", child.digest()]

    found = compare(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS)

    assert {(each.kind, each.here) for each in found} == {("manifest", child.digest()), ("blob", layer("a").digest())}
    assert pair.copy().result == Result.THERE  # the digest is the same: who only looks at that sees no drift
    outcome = pair.copy(thorough=True)
    assert (outcome.result, outcome.blobs_copied, outcome.manifests) == (Result.COPIED, 1, 1)
    assert compare(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS) == []
    assert pair.copy(thorough=True).result == Result.THERE


def test_another_image_at_the_target_is_a_difference(pair: Pair) -> None:
    pair.push(content.image(text="here"))
    push(pair.target, "mirror/app", "1", content.image(text="there"))
    found = compare(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS)
    assert [each.kind for each in found] == ["tag", "manifest", "blob", "blob"]
    assert found[0].there == content.image(text="there").digest()


def test_deleting_takes_one_tag_and_never_its_neighbours(pair: Pair) -> None:
    image = content.image()
    for tag in ("1", "2"):
        push(pair.target, "mirror/app", tag, image)
    with pytest.raises(Unsupported, match="cannot delete a single tag"):
        delete(pair.target, GOAL)
    assert len(pair.there.known_tags) == 2
    pair.there.deletes_tags = True
    assert delete(pair.target, GOAL) is True
    assert pair.there.known_tags == {("mirror/app", "2"): image.digest()}
    assert delete(pair.target, GOAL) is False
    assert delete(pair.target, GOAL.at(image.digest())) is True


def test_a_manifest_with_spaces_keeps_them(pair: Pair) -> None:
    image = content.image()
    odd = b" \n" + image.content.replace(b'","', b'" , "') + b"\n"
    for blob in image.blobs:
        pair.source.put_blob("library/app", blob.digest(), blob.content)
    pair.source.put_manifest(ORIGIN, parse(odd, image.media_type))
    digest = pair.copy().digest
    assert pair.there.manifests["mirror/app", digest][1] == odd
