"""Replication with registries of other kinds: blobs in an object store, a private CA, no list of referrers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.client import Registry
from registry.references import Reference
from replication.transfer.walking import fallback_tag
from tests.replication.plain import Plain, client, push
from tests.stack import content
from tests.stack.content import OCI_LAYER, Blob, Pushable
from tests.stack.moto import Moto
from tests.stack.replicas import HTPASSWD, PLAIN_PASSWORD, PLAIN_USER, Replicas
from tests.stack.tls import Authority

pytestmark = pytest.mark.stack

SIGNATURE, SBOM = "application/vnd.dev.cosign.artifact.sig.v1+json", "application/spdx+json"
SIGNED_PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"


def large_image() -> Pushable:
    """A layer of two chunks, and a small one."""
    return content.image(Blob(os.urandom(18_000_000), OCI_LAYER), Blob(os.urandom(1000), OCI_LAYER))


def holds(registry: Registry, repository: str, tag: str, pushed: Pushable) -> bool:
    """Whether the registry has all of `pushed`, byte for byte."""
    if registry.get_manifest(Reference(repository, tag)).content != pushed.content:
        return False
    for blob in pushed.blobs:
        with registry.get_blob(repository, blob.digest()) as stream:
            if b"".join(stream) != blob.content:
                return False
    return all(holds(registry, repository, child.digest(), child) for child in pushed.children)


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    moto = Moto()
    try:
        yield moto.start()
    finally:
        moto.remove()


def test_from_one_object_store_to_another(replicas: Replicas, moto: Moto) -> None:
    """Pulled from a registry that sends its clients to the store for each blob, pushed to one that does not."""
    image, index = large_image(), content.index(content.image(text="arm"), content.image(text="amd"))
    source, target = Plain(storage=moto.storage("source", redirect=True)), Plain(storage=moto.storage("target"))
    try:
        for one, name in ((source, "s3-source"), (target, "s3-target")):
            replicas.add(name, {"type": "docker-registry", "url": one.start().url})
        source.push("team/app", "v1", image)
        source.push("team/app", "multi", index)
        pull = replicas.pull_rule("from s3", "s3-source", filters=[name_is("team/app")], dest_namespace="from-s3")
        assert replicas.succeeds(pull)["total"] == 2
        mine = client(replicas.here.url, "admin", replicas.password)
        assert holds(mine, "from-s3/app", "v1", image) and holds(mine, "from-s3/app", "multi", index)

        onward = replicas.push_rule("to s3", "s3-target", filters=[name_is("from-s3/app")], dest_namespace="s3")
        assert replicas.succeeds(onward)["total"] == 2
        theirs = client(target.url)
        assert holds(theirs, "s3/app", "v1", image) and holds(theirs, "s3/app", "multi", index)

        assert replicas.moved(replicas.succeeds(pull)) == replicas.moved(replicas.succeeds(onward)) == 0
        for rule in (pull, onward):
            replicas.forget(rule)
    finally:
        source.remove()
        target.remove()


def name_is(pattern: str) -> dict[str, str]:
    return {"type": "name", "value": pattern}


@dataclass
class Private:
    """A registry behind TLS, its certificate signed by nobody that the world knows."""

    authority: Authority
    registry: Plain

    def client(self) -> Registry:
        return client(self.registry.url, PLAIN_USER, PLAIN_PASSWORD, verify=str(self.authority.path))


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Private]:
    authority = Authority(tmp_path)
    registry = Plain(htpasswd=HTPASSWD, certificate=authority.issue("127.0.0.1"))
    try:
        yield Private(authority, registry.start())
    finally:
        registry.remove()


def test_a_private_authority(replicas: Replicas, private: Private, tmp_path: Path) -> None:
    """Known, it is trusted in both directions; unknown, at the endpoint or when a run comes to it, it is named."""
    image, tagged = large_image(), {"type": "tag", "value": "v*"}
    push(private.client(), "team/app", "v1", image)
    fields = {
        "type": "docker-registry",
        "url": private.registry.url,
        "credential": {"access_key": PLAIN_USER, "access_secret": PLAIN_PASSWORD},
    }
    refused = replicas.add("private", fields, 400).json["errors"][0]["message"]
    assert "certificate is not trusted: give the CA's certificate" in refused
    replicas.add("private", {**fields, "ca_certificate": private.authority.path.read_text()})
    pull = replicas.pull_rule("from private", "private", filters=[name_is("team/app")], dest_namespace="private-ca")
    assert replicas.succeeds(pull)["total"] == 1
    onward = replicas.push_rule(
        "to private", "private", filters=[name_is("private-ca/app"), tagged], dest_namespace="back", override=True
    )
    assert replicas.succeeds(onward)["total"] == 1
    assert holds(private.client(), "back/app", "v1", image)

    other = tmp_path / "other"
    other.mkdir()
    for ours, theirs in zip(private.registry.certificate or (), Authority(other).issue("127.0.0.1"), strict=True):
        ours.write_bytes(theirs.read_bytes())
    private.registry.kill()
    private.registry.start()
    replicas.admin.push("private-ca/app", "v1", content.image(text="newer"))

    message = replicas.fails(onward)
    assert "certificate is not trusted" in message and PLAIN_PASSWORD not in message
    for rule in (pull, onward):
        replicas.forget(rule)


@dataclass
class Signed:
    """An index; an SBOM of one of its images and a signature of that, as referrers; cosign's signature, by its tag."""

    image: Pushable
    index: Pushable
    sbom: Pushable
    about: Pushable
    cosign: Pushable

    @property
    def tag(self) -> str:
        return f"{self.index.digest().replace(':', '-')}.sig"

    def check(self, registry: Registry, repository: str) -> None:
        """Everything is there, byte for byte, and found by what it belongs to."""
        assert holds(registry, repository, "v1", self.index)
        assert holds(registry, repository, self.tag, self.cosign)
        for subject, referring in ((self.image, self.sbom), (self.sbom, self.about)):
            assert holds(registry, repository, referring.digest(), referring)
            listed = registry.referrers(repository, subject.digest())
            if listed is None:
                listed = registry.get_manifest(Reference(repository, fallback_tag(subject.digest()))).children
            assert [entry.digest for entry in listed] == [referring.digest()]


def signed() -> Signed:
    image = content.image(text="signed")
    sbom = content.artifact(SBOM, Blob(b"what is in it"), subject=image)
    about = content.artifact(SIGNATURE, Blob(b"of the SBOM"), subject=sbom)
    index = content.index(image, content.image(text="signed, too"))
    return Signed(image, index, sbom, about, content.image(Blob(b"{}", SIGNED_PAYLOAD)))


def test_signatures_and_sboms_travel_with_what_they_belong_to(replicas: Replicas) -> None:
    """To a Haven, which lists what refers to an image; to a registry that has no such list; and back from there."""
    made, chart = signed(), content.chart()
    things = [("v1", made.index), (made.tag, made.cosign), *((one.digest(), one) for one in (made.sbom, made.about))]
    for reference, pushed in things:
        assert replicas.admin.push("library/signed", reference, pushed).status == 201
    replicas.admin.push("library/signed/chart", "1.2.3", chart)
    first_level = {"dest_namespace_replace_count": 1}

    for endpoint in ("there", "plain"):
        named = {"filters": [name_is("library/signed{,/chart}")], "dest_namespace": "signed", **first_level}
        rule = replicas.push_rule(f"signed to {endpoint}", endpoint, **named)
        assert replicas.succeeds(rule)["total"] == 2
        assert replicas.moved(replicas.succeeds(rule)) == 0
        replicas.forget(rule)
    named = {"filters": [name_is("signed/**")], "dest_namespace": "signed-again", **first_level}
    back = replicas.pull_rule("signed back", "plain", **named)
    replicas.succeeds(back)
    replicas.forget(back)

    plain = client(replicas.plain.url, PLAIN_USER, PLAIN_PASSWORD)
    there, here = (client(haven.url, "admin", replicas.password) for haven in (replicas.there, replicas.here))
    for registry, namespace in ((plain, "signed"), (there, "signed"), (here, "signed-again")):
        made.check(registry, f"{namespace}/signed")
        assert holds(registry, f"{namespace}/signed/chart", "1.2.3", chart)
