from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.paths import Address, Kind, parse
from registry.errors import NameInvalid, RegistryError

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/", Address(Kind.PING)),
        ("/v2/_catalog", Address(Kind.CATALOG)),
        ("/v2/a/b/tags/list", Address(Kind.TAGS, "a/b")),
        ("/v2/a/b/manifests/latest", Address(Kind.MANIFEST, "a/b", "latest")),
        (f"/v2/a/b/manifests/{DIGEST}", Address(Kind.MANIFEST, "a/b", DIGEST)),
        (f"/v2/a/b/blobs/{DIGEST}", Address(Kind.BLOB, "a/b", DIGEST)),
        ("/v2/a/b/blobs/uploads/", Address(Kind.UPLOADS, "a/b")),
        ("/v2/a/b/blobs/uploads/0-1", Address(Kind.UPLOAD, "a/b", "0-1")),
        (f"/v2/a/b/referrers/{DIGEST}", Address(Kind.REFERRERS, "a/b", DIGEST)),
        # Names that look like paths: the last keyword wins.
        ("/v2/pub/manifests/latest/manifests/v1", Address(Kind.MANIFEST, "pub/manifests/latest", "v1")),
        ("/v2/pub/blobs/uploads/tags/list", Address(Kind.TAGS, "pub/blobs/uploads")),
        ("/v2/pub/tags/list/manifests/v1", Address(Kind.MANIFEST, "pub/tags/list", "v1")),
        (f"/v2/pub/blobs/uploads/blobs/{DIGEST}", Address(Kind.BLOB, "pub/blobs/uploads", DIGEST)),
        ("/v2/pub/blobs/uploads/blobs/uploads/", Address(Kind.UPLOADS, "pub/blobs/uploads")),
        ("/v2/pub/referrers/x/manifests/tags", Address(Kind.MANIFEST, "pub/referrers/x", "tags")),
    ],
)
def test_parse(path: str, expected: Address) -> None:
    assert parse(path) == expected
    assert parse(path).path == path


@pytest.mark.parametrize(
    "path",
    [
        "/v2//a/b/tags/list",
        "/v2/a//b/tags/list",
        "/v2/a/./b/tags/list",
        "/v2/pub/x/../../priv/y/manifests/v1",
        "/v2/..",
        "/v2/a/b/manifests/v1/",
        "/v2/a/b/manifests/v1/..",
        "/v2/_catalog/",
        "/v2/./_catalog",
        "/v2/A/b/tags/list",
        "/v2/a/b%2fc/tags/list",
        "/v2/a/b\\c/manifests/v1",
        "/v2/a/b/manifests/v1;x",
        "/v2/a/b/manifests/v1\n",
        "/v2/a/b/manifests/v\x00",
        "/v2/a/ß/manifests/v1",
        "/v2/a/b./manifests/v1",
        "/v2/a/_b/manifests/v1",
        "/v2/alone/manifests/v1",
        "/v2/a/b/blobs/uploads/a.b/",
        f"/v2/a/{'b' * 300}/manifests/v1",
        "/v2/localhost:5000/b/manifests/v1",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(NameInvalid):
        parse(path)


PIECE = st.sampled_from(
    [
        "a",
        "b",
        "manifests",
        "blobs",
        "uploads",
        "tags",
        "list",
        "referrers",
        "..",
        ".",
        "",
        "A",
        "%2f",
        DIGEST,
        "_x",
        "v1",
    ]
)


@given(st.lists(PIECE, max_size=8).map(lambda pieces: "/v2/" + "/".join(pieces)))
def test_parsing_and_building_agree(path: str) -> None:
    try:
        address = parse(path)
    except RegistryError as error:
        assert error.status in (400, 404)
    else:
        assert address.path == path


@given(st.text(max_size=60).map(lambda text: f"/v2/{text}"))
def test_any_text_is_parsed_or_refused(path: str) -> None:
    try:
        assert parse(path).path == path
    except RegistryError as error:
        assert error.status in (400, 404)
