from __future__ import annotations

import json
from typing import Any

import pytest

from artifacts import kinship
from artifacts.description import describe, has_readable_config, type_of
from artifacts.kinship import Kinship
from registry.manifests import Manifest, parse
from tests.stack import content
from tests.stack.content import Blob, Pushable

IMAGE = content.image(text="hello")
DIGEST = "sha256:" + "a" * 64


def read(pushed: Pushable) -> Manifest:
    return parse(pushed.content, pushed.media_type)


def with_config(media_type: str, config: bytes = b"{}", **fields: Any) -> Pushable:
    document = {
        "schemaVersion": 2,
        "mediaType": content.OCI_IMAGE,
        "config": Blob(config, media_type).descriptor(),
        "layers": [],
        **fields,
    }
    return content.manifest(document)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("application/vnd.oci.image.config.v1+json", "IMAGE"),
        ("application/vnd.docker.container.image.v1+json", "IMAGE"),
        ("application/vnd.cncf.helm.config.v1+json", "CHART"),
        ("application/vnd.cnab.config.v1+json", "CNAB"),
        ("application/vnd.wasm.config.v1+json", "WASM"),
        ("application/vnd.cncf.model.config.v1+json", "CNAI"),
        ("application/vnd.example.tea.config.v1+json", "TEA"),
        ("application/vnd.oci.empty.v1+json", "UNKNOWN"),
        ("text/plain", "UNKNOWN"),
        ("application/vnd.example.tea.v1+json", "UNKNOWN"),
    ],
)
def test_types(media_type: str, expected: str) -> None:
    assert type_of(read(with_config(media_type))) == expected


def test_the_artifact_type_comes_first() -> None:
    model = "application/vnd.cncf.model.manifest.v1+json"
    assert type_of(read(content.artifact(model))) == "CNAI"
    sbom = with_config(
        "application/vnd.oci.image.config.v1+json", artifactType="application/vnd.goharbor.harbor.sbom.v1"
    )
    assert type_of(read(sbom)) == "SBOM"


def test_annotations_tell_wasm_and_cnab() -> None:
    wasm = content.image(text="x", annotations={"module.wasm.image/variant": "compat"})
    assert type_of(read(wasm)) == "WASM"
    bundle = content.index(IMAGE, annotations={"org.opencontainers.artifactType": "application/vnd.cnab.manifest.v1"})
    assert type_of(read(bundle)) == "CNAB"
    assert type_of(read(content.index(IMAGE))) == "IMAGE"


def test_an_images_attributes() -> None:
    config = {
        "architecture": "arm64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Labels": {"maintainer": "me"}, "Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    found = describe(read(IMAGE), json.dumps(config).encode())

    assert found.extra_attrs == {
        "architecture": "arm64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "author": "me",
        "config": config["config"],
    }


def test_a_charts_attributes_are_its_config() -> None:
    chart = content.chart()
    found = describe(read(chart), chart.blobs[0].content)

    assert (found.type, found.extra_attrs["version"]) == ("CHART", "1.2.3")


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b'{"a": NaN}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
)
def test_a_config_that_no_database_takes_shows_nothing(config: bytes) -> None:
    chart = content.chart()

    assert describe(read(chart), config).extra_attrs == {}


@pytest.mark.parametrize("inner", [None, [], "text", {"Labels": []}, {"Labels": {"maintainer": 7}}])
def test_odd_image_configs(inner: Any) -> None:
    found = describe(read(IMAGE), json.dumps({"architecture": 7, "config": inner, "author": []}).encode())

    assert found.extra_attrs == {"author": "", "config": inner}


def test_only_sensible_configs_are_read() -> None:
    assert has_readable_config(read(IMAGE))
    assert not has_readable_config(read(with_config("application/octet-stream")))
    assert not has_readable_config(read(content.index(IMAGE)))
    huge = {**with_config("application/vnd.x.y.config.v1+json").document}
    huge["config"] = {**huge["config"], "size": 5 * 2**20}
    assert not has_readable_config(read(content.manifest(huge)))


# What belongs to what


@pytest.mark.parametrize(
    ("artifact_type", "expected"),
    [
        ("application/vnd.dev.cosign.artifact.sig.v1+json", "signature.cosign"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", "signature.cosign"),
        ("application/vnd.cncf.notary.signature", "signature.notation"),
        ("application/vnd.goharbor.harbor.sbom.v1", "sbom.harbor"),
        ("application/vnd.anything.else", "subject.accessory"),
    ],
)
def test_a_subject_tells(artifact_type: str, expected: str) -> None:
    accessory = content.artifact(artifact_type, subject=IMAGE)

    assert kinship.kinship(read(accessory)) == Kinship(expected, IMAGE.digest())


def test_nydus() -> None:
    layer = content.layer({"boot": b"strap"})
    document = content.image(layer, text="nydus").document
    subject = {"mediaType": IMAGE.media_type, "digest": IMAGE.digest(), "size": len(IMAGE.content)}
    last = {**document["layers"][0], "annotations": {"containerd.io/snapshot/nydus-bootstrap": "true"}}
    nydus = content.manifest({**document, "layers": [last], "subject": subject})

    assert kinship.kinship(read(nydus)) == Kinship("accelerator.nydus", IMAGE.digest())


SIMPLE = Blob(b"{}", kinship.SIMPLE_SIGNING)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (f"sha256-{'a' * 64}.sig", Kinship("signature.cosign", DIGEST)),
        (f"sha256-{'a' * 64}.att", Kinship("attestation.cosign", DIGEST)),
        (f"sha256-{'a' * 64}.sbom", Kinship("sbom.cosign", DIGEST)),
        (f"sha512-{'a' * 128}.att", Kinship("attestation.cosign", "sha512:" + "a" * 128)),
        (f"sha256-{'a' * 64}", None),
        (f"sha256-{'a' * 65}.sig", None),
        (f"sha512-{'a' * 64}.sig", None),
        (f"sha256-{'A' * 64}.sig", None),
        (f"x-sha256-{'a' * 64}.sig", None),
        ("latest", None),
        ("", None),
    ],
)
def test_cosigns_tags(tag: str, expected: Kinship | None) -> None:
    assert kinship.kinship(read(content.image(SIMPLE)), tag) == expected


def test_a_signature_tag_on_an_image_is_no_signature() -> None:
    """Or anybody could hide an image behind it."""
    assert kinship.kinship(read(IMAGE), f"sha256-{'a' * 64}.sig") is None


def test_an_artifact_is_not_its_own_accessory() -> None:
    image = content.image(SIMPLE)
    tag = image.digest().replace(":", "-") + ".sig"

    assert list(kinship.kinships(read(image), image.digest(), tag)) == []
