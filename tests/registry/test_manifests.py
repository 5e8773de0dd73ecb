"""What is a manifest, and above all what is none. The list follows CVE-2021-41190 and readers that disagree."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DigestInvalid, ManifestInvalid, TooLarge
from registry.manifests import DOCKER_LIST, DOCKER_MANIFEST, MAX_MANIFEST, MEDIA_TYPES, OCI_INDEX, OCI_MANIFEST, parse
from tests.registry.documents import CONFIG_TYPE, descriptor, encode, image, index, manifest, sha256

FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def test_an_image() -> None:
    document = image(b"one", b"two", b"one", annotations={"a": "b"}, subject=descriptor(b"subject", OCI_MANIFEST))
    parsed = manifest(document)
    assert parsed.content == encode(document)
    assert parsed.digest == sha256(parsed.content)
    assert not parsed.is_index
    assert parsed.config is not None and parsed.config_media_type == CONFIG_TYPE
    assert [layer.digest for layer in parsed.layers] == [sha256(b"one"), sha256(b"two"), sha256(b"one")]
    assert [blob.digest for blob in parsed.blobs] == [sha256(b"{}"), sha256(b"one"), sha256(b"two")]
    assert parsed.subject is not None and parsed.subject.digest == sha256(b"subject")
    assert parsed.annotations == {"a": "b"} and parsed.children == ()
    assert parsed.artifact_type == CONFIG_TYPE


def test_an_index() -> None:
    child = descriptor(b"x", OCI_MANIFEST, platform={"os": "linux", "architecture": "arm64", "os.features": ["f"]})
    parsed = manifest(index(child, descriptor(b"y", OCI_INDEX, annotations={"k": "v"})))
    assert parsed.is_index and parsed.config is None and parsed.blobs == ()
    assert parsed.children[0].platform["architecture"] == "arm64"
    assert parsed.children[1].annotations == {"k": "v"}
    assert parsed.artifact_type == ""


def test_artifact_type_comes_before_the_config() -> None:
    assert manifest(image(artifactType="application/x.y")).artifact_type == "application/x.y"


def test_bytes_are_kept_as_they_came() -> None:
    content = (
        b'{ "schemaVersion" : 2,\r\n\t"mediaType":"'
        + OCI_INDEX.encode()
        + b'","x-y":{"Layers":[{}]},"manifests":[] }\n'
    )
    parsed = parse(content, f"{OCI_INDEX}; charset=utf-8")
    assert parsed.content == content and parsed.media_type == OCI_INDEX
    assert parsed.raw["x-y"] == {"Layers": [{}]}


@pytest.mark.parametrize(
    "document", [image(), index(), image(layers=None), index(manifests=None), image(artifactType="")]
)
def test_empty_lists(document: dict[str, Any]) -> None:
    parsed = manifest(document)
    assert parsed.layers == () and parsed.children == ()


def test_media_type_may_be_missing_from_oci_alone() -> None:
    document = image(b"one")
    del document["mediaType"]
    assert parse(encode(document), OCI_MANIFEST).media_type == OCI_MANIFEST
    with pytest.raises(ManifestInvalid):
        parse(encode(document), DOCKER_MANIFEST)


def test_foreign_layers_need_not_be_here() -> None:
    away = descriptor(b"away", FOREIGN, urls=["https://elsewhere.test/x"])
    parsed = manifest(image(b"one", layers=[descriptor(b"one"), away, descriptor(b"here", FOREIGN)]))
    assert [blob.digest for blob in parsed.blobs] == [sha256(b"{}"), sha256(b"one"), sha256(b"here")]
    assert [blob.digest for blob in parsed.foreign_blobs] == [sha256(b"away")]


def test_urls_alone_make_no_layer_foreign() -> None:
    parsed = manifest(image(layers=[descriptor(b"one", urls=["https://elsewhere.test/x"])]))
    assert sha256(b"one") in [blob.digest for blob in parsed.blobs]


def test_digests_by_both_algorithms() -> None:
    parsed = manifest(image())
    assert parsed.digest_as("sha256") == parsed.digest
    assert parsed.digest_as("sha512").startswith("sha512:") and len(parsed.digest_as("sha512")) == 135
    with pytest.raises(DigestInvalid):
        parsed.digest_as("md5")


BAD_DIGESTS = ["", "sha256:abc", "md5:" + "a" * 32, "sha256:../../x", "sha256:" + "A" * 64, None, 7, sha256(b"") + "\n"]


@pytest.mark.parametrize("digest", BAD_DIGESTS)
@pytest.mark.parametrize("place", [lambda d: image(layers=[d]), lambda d: image(config=d), lambda d: image(subject=d)])
def test_bad_digests(digest: Any, place: Callable[[Any], dict[str, Any]]) -> None:
    _refused(place({**descriptor(), "digest": digest}))


@pytest.mark.parametrize("size", [-1, -5, 2**63, 10**19, 10**30, 1.0, 1.5, "1", None, True])
def test_bad_sizes(size: Any) -> None:
    _refused(image(layers=[{**descriptor(), "size": size}]))


@pytest.mark.parametrize(
    "document",
    [
        [],
        "text",
        None,
        image(schemaVersion=1),
        image(schemaVersion="2"),
        image(schemaVersion=True),
        image(schemaVersion=None),
        image(mediaType=OCI_INDEX),
        image(manifests=[]),
        image(manifests=None),
        index(layers=[]),
        index(config=descriptor(b"{}", CONFIG_TYPE)),
        index(fsLayers=[]),
        image(layers={}),
        image(layers="x"),
        image(layers=[None]),
        image(layers=[[]]),
        image(layers=[descriptor()] * 1001),
        index(manifests=[descriptor(b"x", OCI_MANIFEST)] * 1001),
        image(config=None),
        image(config=[]),
        image(config=descriptor(b"{}", OCI_INDEX)),
        image(config=descriptor(b"{}", DOCKER_LIST)),
        image(config=descriptor(b"{}", OCI_MANIFEST)),
        image(subject="sha256:abc"),
        image(subject={}),
        image(annotations={"a": 1}),
        image(annotations={"a": None}),
        image(annotations=["a"]),
        image(annotations="a"),
        image(layers=[descriptor(annotations={"a": {}})]),
        image(layers=[descriptor(urls="https://x")]),
        image(layers=[descriptor(urls=[1])]),
        image(layers=[descriptor(data=1)]),
        image(layers=[descriptor(media_type="")]),
        image(layers=[descriptor(media_type="a/b\nX: y")]),
        image(layers=[descriptor(media_type="a/" + "b" * 255)]),
        image(layers=[{**descriptor(), "mediaType": None}]),
        image(artifactType=7),
        image(artifactType="a\0b"),
        index({**descriptor(b"x", OCI_MANIFEST), "platform": "linux"}),
        index({**descriptor(b"x", OCI_MANIFEST), "platform": {"os": 1}}),
        index({**descriptor(b"x", OCI_MANIFEST), "platform": {"os.features": "x"}}),
        index({**descriptor(b"x", OCI_MANIFEST), "platform": {"OS": "linux"}}),
        image(layers=[descriptor(b"one"), {**descriptor(b"one"), "size": 99}]),
        image(number=0.5),
        {key: value for key, value in image().items() if key != "layers"},
        {key: value for key, value in image().items() if key != "config"},
        {key: value for key, value in index().items() if key != "manifests"},
    ],
)
def test_documents_that_are_no_manifest(document: Any) -> None:
    _refused(document)


VARIANTS = [
    *[
        "LAYERS",
        "Layers",
        "layer\u017f",
        "Config",
        "con\ufb01g",
        "MediaType",
        "schemaverSion",
        "Subject",
        "ANNOTATIONS",
    ],
    *["artifacttype", "Manifests", "fslayers", "annotation\u017f"],
]


@pytest.mark.parametrize("key", VARIANTS)
def test_fields_in_another_spelling(key: str) -> None:
    """Go would read them as the field itself."""
    _refused(image(b"one", **{key: []}))


@pytest.mark.parametrize("key", ["Digest", "SIZE", "MediaType", "URLs", "Data", "diGest", "\u017fize", "platForm"])
def test_descriptor_fields_in_another_spelling(key: str) -> None:
    _refused(image(layers=[{**descriptor(), key: "x"}]))


def test_a_kelvin_sign_is_a_k() -> None:
    """No field of today holds a k, so ask the check itself."""
    from registry.manifests import _check_keys

    with pytest.raises(ManifestInvalid):
        _check_keys({"\u212aind": 1}, frozenset({"kind"}), "test")


def test_keys_of_annotations_are_free() -> None:
    keys = {"Digest": "a", "digest": "b", "LAYERS": "c", "\u017f": "d"}
    assert manifest(image(annotations=keys)).annotations == keys


@pytest.mark.parametrize(
    "text",
    [
        '"manifests":[]',
        '"x":{"a":1,"a":1}',
        '"x":[[{"a":1,"a":2}]]',
        '"annotations":{"a":"1","a":"2"}',
        '"x":NaN',
        '"x":Infinity',
        '"x":-Infinity',
        '"x":1e400',
        '"x":1e2',
        '"x":0.1',
        '"x":12345678901234567890123',
        '"x":' + "9" * 5000,
        '"x":"\\ud800"',
        '"x":"\\udc00\\ud800"',
        '"\\ud800":1',
        '"x":"\\u0000"',
        '"\\u0000":1',
        '"x":[["\\u0000"]]',
        '"x":"a\nb"',
        '"x":01',
        '"x":1,',
        '"x":' + "[" * 64 + "]" * 64,
        '"x":' + '{"a":' * 64 + "1" + "}" * 64,
        '"x":' + "[" * 100_000,
        '"x":' + "[" * 100_000 + "]" * 100_000,
    ],
)
def test_json_that_readers_disagree_on(text: str) -> None:
    document = (
        encode({key: value for key, value in index().items() if text[1:7] != "layers"})[:-1]
        + b","
        + text.encode()
        + b"}"
    )
    with pytest.raises(ManifestInvalid):
        parse(document, OCI_INDEX)


@pytest.mark.parametrize(
    "text",
    [
        '"x":' + "[" * 63 + "]" * 63,
        '"x":"' + "[" * 1000 + '"',
        '"x":"\\\\\\"' + "{" * 1000 + '"',
        '"x":"\\ud83d\\ude00"',
        '"x":"\\\\u0000"',
        '"x":9223372036854775807',
        '"x":null,"X":null',
        '"x":[],"é":"\U0001f600"',
    ],
)
def test_json_that_is_unusual_and_right(text: str) -> None:
    document = encode(index())[:-1] + b"," + text.encode() + b"}"
    assert parse(document, OCI_INDEX).content == document


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        encode(image()).decode().encode("utf-16"),
        b'{"a":"\xed\xa0\x80"}',
    ],
)
def test_bytes_that_are_no_json(content: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        parse(content, OCI_MANIFEST)


@pytest.mark.parametrize(
    "media_type",
    [
        *[
            "",
            "application/json",
            "text/plain",
            "application/vnd.docker.distribution.manifest.v1+json",
            OCI_MANIFEST.upper(),
        ],
        *["application/vnd.docker.distribution.manifest.v1+prettyjws", DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST],
    ],
)
def test_the_content_type_must_be_the_manifests(media_type: str) -> None:
    with pytest.raises(ManifestInvalid):
        parse(encode(image()), media_type)


def test_size_limit() -> None:
    filler = "x" * (MAX_MANIFEST - len(encode(image(annotations={"a": ""}))))
    content = encode(image(annotations={"a": filler}))
    assert len(content) == MAX_MANIFEST
    assert parse(content, OCI_MANIFEST).annotations["a"] == filler
    with pytest.raises(TooLarge) as refused:
        parse(content + b" ", OCI_MANIFEST)
    assert refused.value.status == 413


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_calmly(content: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        parse(content, OCI_MANIFEST)


@given(st.dictionaries(st.sampled_from(["config", "layers", "subject", "annotations", "LAYERS", "x"]), json_values))
def test_any_document_is_read_or_refused(fields: dict[str, Any]) -> None:
    document = image(b"one", **fields)
    content = json.dumps(document).encode()
    try:
        parsed = parse(content, OCI_MANIFEST)
    except ManifestInvalid:
        return
    assert parsed.content == content and parsed.raw == document
    assert all(blob.size >= 0 for blob in parsed.blobs)


def _refused(document: Any) -> None:
    """By every name that it could come under."""
    for media_type in MEDIA_TYPES:
        with pytest.raises(ManifestInvalid):
            parse(encode(document), media_type)
