"""What a packed model holds for a reader, pushed by the front door and read by the API."""

from __future__ import annotations

import gzip
import io
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import Settings

from tests.api.calling import BASE, caller, code
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import door_of
from tests.stack import content
from tests.stack.content import Blob, Pushable
from tokens.signing import key_folder
from tokens.upstream import registry as upstream

DOC, WEIGHT = "application/vnd.cncf.model.doc.v1", "application/vnd.cncf.model.weight.v1.raw"
MANIFEST, CONFIG = "application/vnd.cncf.model.manifest.v1+json", "application/vnd.cncf.model.config.v1+json"
HERE = "/projects/private/repositories/model/artifacts/v1"

TREE = [
    {"name": "empty", "type": "directory"},
    {"name": "etc", "type": "directory", "children": [{"name": "passwd", "type": "file", "size": 1}]},
    {
        "name": "weights",
        "type": "directory",
        "children": [
            {"name": "a", "type": "directory", "children": [{"name": "1.bin", "type": "file", "size": 1}]},
            {"name": "b.safetensors", "type": "file", "size": 2},
        ],
    },
    {"name": "LICENSE", "type": "file", "size": 9},
    {"name": "README.md", "type": "file", "size": 10240},
]


@pytest.fixture
def registry(settings: Settings) -> Iterator[FakeRegistry]:
    key_folder().prepare()
    fake = FakeRegistry(url=f"https://{uuid.uuid4().hex}.test")
    settings.REGISTRY_URL = fake.url
    upstream().session.mount(fake.url, fake)
    yield fake


@dataclass(frozen=True)
class File:
    """A layer of a model."""

    path: str
    content: bytes = b""
    media_type: str = WEIGHT

    @property
    def blob(self) -> Blob:
        return Blob(self.content, self.media_type)

    def descriptor(self) -> dict[str, Any]:
        return self.blob.descriptor() | {"annotations": {"org.cncf.model.filepath": self.path}}


def model(*files: File) -> Pushable:
    config = Blob(b'{"descriptor": {"name": "llama"}}', CONFIG)
    document = {
        "schemaVersion": 2,
        "mediaType": content.OCI_IMAGE,
        "artifactType": MANIFEST,
        "config": config.descriptor(),
        "layers": [file.descriptor() for file in files],
    }
    return content.manifest(document, (config, *(file.blob for file in files)))


def archived(name: str, text: bytes) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return raw.getvalue()


def circle() -> bytes:
    """An archive whose second member, of an unknown type, is so much smaller than nothing that it follows itself."""
    member = bytearray(tarfile.TarInfo("README").tobuf(tarfile.GNU_FORMAT))
    member[124:136] = (-tarfile.BLOCKSIZE).to_bytes(12, "big", signed=True)
    member[148:157] = b" " * 8 + b"Z"
    member[148:156] = b"%06o\0 " % sum(member)
    first = tarfile.TarInfo("folder")
    first.type = tarfile.DIRTYPE
    return first.tobuf() + bytes(member) + bytes(2 * tarfile.BLOCKSIZE)


def push(cast: Cast, registry: FakeRegistry, *files: File) -> None:
    assert door_of(cast.developer).push(registry, "private/model", "v1", model(*files)).status_code == 201


def test_a_model_shows_its_readme_its_licence_and_its_files(cast: Cast, registry: FakeRegistry) -> None:
    push(
        cast,
        registry,
        File("weights/b.safetensors", b"bb"),
        File("weights/a/1.bin", b"a"),
        File("README.md", archived("README.md", b"# Llama <b>\n"), f"{DOC}.tar"),
        File("LICENSE", b"as it is\n", f"{DOC}.raw"),
        File("empty/"),
        File("/".join(["deep"] * 1000), b"deep"),
        File("../../etc/passwd", b"x"),
        File("LICENSE/is/no/folder", b"y"),
    )
    ask = caller(cast.guest)
    shown = ask.get(HERE).json()
    assert shown["type"] == "CNAI"
    found = {
        name: ask.get(link["href"].removeprefix(BASE), Accept="*/*") for name, link in shown["addition_links"].items()
    }
    files = found.pop("files")
    assert {name: (answer["Content-Type"], answer.content) for name, answer in found.items()} == {
        "readme.md": ("text/markdown; charset=utf-8", b"# Llama <b>\n"),
        "license": ("text/plain; charset=utf-8", b"as it is\n"),
    }
    assert files["Content-Type"] == "application/json; charset=utf-8"
    assert files.json() == TREE
    assert ask.get(f"{HERE}/additions/build_history").status_code == 400
    assert caller(cast.stranger).get(f"{HERE}/additions/readme.md").status_code == 403


def test_what_a_model_has_not_is_not_found(cast: Cast, registry: FakeRegistry) -> None:
    push(cast, registry, File("README.md", b"weights called so", WEIGHT), File("docs/LICENSE", b"x", f"{DOC}.raw"))
    for addition in ("readme.md", "license"):
        answer = caller(cast.guest).get(f"{HERE}/additions/{addition}", Accept="*/*")
        assert (answer.status_code, code(answer)) == (404, "NOT_FOUND")


def test_a_document_is_read_no_further_than_its_limit(cast: Cast, registry: FakeRegistry) -> None:
    for packed, kind, size in (
        (gzip.compress(archived("README", b"a" * 2**20 * 6)), "tar+gzip", 0),  # a bomb: nothing is shown of it
        (gzip.compress(archived("README", b"small")), "tar+gzip", 5),
        (b"no archive at all", "tar", 0),
        (circle(), "tar", 0),
        (b"no gzip at all", "tar+gzip", 0),
    ):
        push(cast, registry, File("README", packed, f"{DOC}.{kind}"))
        answer = caller(cast.guest).get(f"{HERE}/additions/readme.md", Accept="*/*")
        assert (answer.status_code, len(answer.content)) == (200, size), kind
    push(cast, registry, File("README", b"a" * (2**22 + 1), f"{DOC}.raw"))
    assert caller(cast.guest).get(f"{HERE}/additions/readme.md", Accept="*/*").status_code == 404
