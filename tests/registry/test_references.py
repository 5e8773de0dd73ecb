from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DigestInvalid, NameInvalid, TagInvalid
from registry.references import Reference, digest_of, is_digest, is_name, is_tag, parse_digest, parse_name

SHA256 = "sha256:" + "a" * 64
SHA512 = "sha512:" + "0" * 128


@pytest.mark.parametrize(
    "name",
    ["a", "library/nginx", "a/b/c/d", "a-b", "a--b", "a__b", "a_b", "a.b", "1/2", "pub/manifests/latest", "a" * 255],
)
def test_names(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *[
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A/b",
            "a/B",
            "a..b",
            "a./b",
            "-a",
            "a-",
            "a___b",
            "_a",
            "a_",
            ".",
            "..",
            "a/../b",
        ],
        *[
            "a/./b",
            "a\n",
            "a/b\n",
            "a b",
            "a%2fb",
            "a:80/b",
            "localhost:5000/c",
            "٣/a",
            "a\0",
            "ä",
            "a" * 256,
            "a\\b",
            "a;b",
        ],
    ],
)
def test_names_that_are_none(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(NameInvalid):
        parse_name(name)


@pytest.mark.parametrize("tag", ["latest", "1.27", "_x", "A-b.c_d", "sha256-" + "a" * 64 + ".sig", "a" * 128])
def test_tags(tag: str) -> None:
    assert is_tag(tag)


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a" * 129, "a b", "a\n", "a/b", "a:b", "ä", "a%00"])
def test_tags_that_are_none(tag: str) -> None:
    assert not is_tag(tag)
    with pytest.raises((TagInvalid, DigestInvalid)):
        Reference.parse("library/a", tag)


def test_digests() -> None:
    assert is_digest(SHA256) and is_digest(SHA512)
    assert parse_digest(SHA256) == SHA256
    assert digest_of(b"", "sha512").startswith("sha512:cf83e1357eefb8bd")


@pytest.mark.parametrize(
    "digest",
    [
        *["", "sha256:", "sha256:abc", "md5:" + "a" * 32, "sha256:" + "A" * 64, "SHA256:" + "a" * 64, SHA256 + "\n"],
        *[
            "sha256:../../x",
            "sha512:" + "a" * 64,
            "sha256:" + "a" * 128,
            "sha256:baddigeststring",
            "sha256+b64:" + "a" * 64,
        ],
    ],
)
def test_digests_that_are_none(digest: str) -> None:
    assert not is_digest(digest)
    with pytest.raises(DigestInvalid):
        parse_digest(digest)


def test_reference() -> None:
    reference = Reference.parse("library/nginx/extra", "1.27")
    assert (reference.project, reference.is_digest, str(reference)) == ("library", False, "library/nginx/extra:1.27")
    pinned = reference.at(SHA256)
    assert (pinned.repository, pinned.is_digest, str(pinned)) == (
        reference.repository,
        True,
        f"library/nginx/extra@{SHA256}",
    )


@given(st.text(max_size=300))
def test_what_is_a_name_is_a_safe_path(name: str) -> None:
    if is_name(name):
        segments = name.split("/")
        assert all(segments) and not {".", ".."} & set(segments)
        assert name == name.lower() and name.isascii() and not set(name) & set(" %:?#\\\n\0")
