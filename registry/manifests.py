"""Manifests and indexes, read strictly.

What this accepts, every JSON reader reads alike. `distribution` is written in Go, whose reader matches keys without
regard to case and takes the last of two; clients, scanners and our rules would judge different images. So a document
that any two readers could see differently is refused, and the bytes are kept exactly as they came.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, NoReturn

from registry.errors import ManifestInvalid, TooLarge
from registry.references import digest_of, is_digest

MAX_MANIFEST = 4 * 1024 * 1024
"""Bytes; the least that a registry must accept, and the most that `distribution` does."""
MAX_ENTRIES = 1000
MAX_DEPTH = 64
MAX_SIZE = 2**63 - 1

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_SCHEMA1 = (
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
MEDIA_TYPES = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
"""The media types that `parse` understands, as a client would list them in `Accept`."""

FOREIGN_TYPES = frozenset(
    {
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    }
)

DOCUMENT_FIELDS = frozenset(
    {
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "manifests",
        "subject",
        "annotations",
        "fsLayers",
    }
)
DESCRIPTOR_FIELDS = frozenset(
    {"mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"}
)
PLATFORM_FIELDS = frozenset({"architecture", "os", "os.version", "os.features", "variant", "features"})

MEDIA_TYPE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
# Possessive, and with an optional last quote, so that no input makes it look at a byte twice.
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
STEPS = bytes.maketrans(b"[{]}", bytes([1, 1, 255, 255]))
NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))


@dataclass(frozen=True)
class Descriptor:
    """A pointer to content: its type, digest and the size (bytes) that the manifest claims."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    platform: dict[str, Any] = field(default_factory=dict)
    urls: tuple[str, ...] = ()

    @property
    def is_foreign(self) -> bool:
        """Whether the content is kept elsewhere, at `urls`, so that the registry need not hold it."""
        return self.media_type in FOREIGN_TYPES and bool(self.urls)


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index: its exact bytes, and what they say."""

    content: bytes
    media_type: str
    raw: dict[str, Any]
    """The whole document, unknown fields included."""
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    children: tuple[Descriptor, ...]
    """The entries of an index, in order."""
    subject: Descriptor | None
    annotations: dict[str, str]

    @cached_property
    def digest(self) -> str:
        """The sha256 digest of the bytes."""
        return digest_of(self.content)

    def digest_as(self, algorithm: str) -> str:
        """The digest of the bytes by `algorithm` (sha256 or sha512). Raises DigestInvalid for another."""
        return self.digest if algorithm == "sha256" else digest_of(self.content, algorithm)

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    @property
    def config_media_type(self) -> str:
        return self.config.media_type if self.config else ""

    @property
    def artifact_type(self) -> str:
        """What the referrers API calls it: `artifactType`, or else the media type of the config."""
        return self.raw.get("artifactType") or self.config_media_type

    @cached_property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers that the registry must hold, each digest once."""
        wanted = {blob.digest: blob for blob in self._contents if not blob.is_foreign}
        return tuple(wanted.values())

    @cached_property
    def foreign_blobs(self) -> tuple[Descriptor, ...]:
        """Layers kept elsewhere that the registry may nevertheless hold, each digest once."""
        needed = {blob.digest for blob in self.blobs}
        wanted = {blob.digest: blob for blob in self._contents if blob.is_foreign and blob.digest not in needed}
        return tuple(wanted.values())

    @property
    def _contents(self) -> tuple[Descriptor, ...]:
        return (self.config, *self.layers) if self.config else self.layers


def parse(content: bytes, media_type: str) -> Manifest:
    """The manifest in `content`, which came with the Content-Type `media_type` (parameters are ignored).

    Raises TooLarge (413) beyond MAX_MANIFEST and ManifestInvalid (400) for everything else that is wrong.
    """
    if len(content) > MAX_MANIFEST:
        raise TooLarge(f"the manifest is larger than {MAX_MANIFEST} bytes")
    media_type = media_type.partition(";")[0].strip()
    if media_type in DOCKER_SCHEMA1:
        raise ManifestInvalid("manifests of schema version 1 are not supported")
    if media_type not in MEDIA_TYPES:
        raise ManifestInvalid("the Content-Type is not that of a manifest", {"mediaType": media_type[:255]})
    raw = read_json(content)
    _check_document(raw, media_type)
    is_index = media_type in INDEX_TYPES
    manifest = Manifest(
        content=content,
        media_type=media_type,
        raw=raw,
        config=None if is_index else _config(raw.get("config")),
        layers=() if is_index else _descriptors(raw, "layers"),
        children=_descriptors(raw, "manifests") if is_index else (),
        subject=None if raw.get("subject") is None else _descriptor(raw["subject"], "subject"),
        annotations=_annotations(raw.get("annotations"), "annotations"),
    )
    _check_sizes(manifest)
    return manifest


def read_json(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`, if every reader sees the same in it. Raises ManifestInvalid."""
    brackets = STRING.sub(b"", content).translate(STEPS, NO_BRACKETS)
    if max(accumulate(array("b", brackets)), default=0) > MAX_DEPTH:
        raise ManifestInvalid(f"the manifest is nested deeper than {MAX_DEPTH}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestInvalid("the manifest is not UTF-8") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except json.JSONDecodeError as error:
        raise ManifestInvalid(f"the manifest is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ManifestInvalid("the manifest is not a JSON object")
    if "\\u" in text and not all(map(_is_plain, _strings(value))):
        raise ManifestInvalid("the manifest holds a character that is none")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ManifestInvalid("the manifest holds a key twice")
    return value


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -MAX_SIZE <= (number := int(digits)) <= MAX_SIZE:
        raise ManifestInvalid("the manifest holds a number that is too large")
    return number


def _refuse_number(text: str) -> NoReturn:
    raise ManifestInvalid("the manifest holds a number that is not an integer", {"number": text[:64]})


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)


def _is_plain(text: str) -> bool:
    """No NUL and no lone surrogate: PostgreSQL can keep neither, UTF-8 has no form for the second."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _check_keys(value: dict[str, Any], known: frozenset[str], where: str) -> None:
    """Refuse `LAYERS` or `layerſ` beside or instead of `layers`: Go reads them as the same field."""
    folded = {name.casefold() for name in known}
    for key in value:
        if key not in known and key.casefold() in folded:
            raise ManifestInvalid("the manifest holds a field in another spelling", {"field": key, "in": where})


def _check_document(raw: dict[str, Any], media_type: str) -> None:
    _check_keys(raw, DOCUMENT_FIELDS, "manifest")
    version = raw.get("schemaVersion")
    if version != 2 or isinstance(version, bool):
        raise ManifestInvalid("schemaVersion is not 2")
    is_docker = media_type in (DOCKER_MANIFEST, DOCKER_LIST)
    if (is_docker or "mediaType" in raw) and raw.get("mediaType") != media_type:
        raise ManifestInvalid("mediaType and Content-Type differ", {"contentType": media_type})
    alien = {"config", "layers", "fsLayers"} if media_type in INDEX_TYPES else {"manifests", "fsLayers"}
    if found := sorted(alien & raw.keys()):
        raise ManifestInvalid("the manifest is of two kinds at once", {"field": found[0]})
    artifact_type = raw.get("artifactType")
    if artifact_type:
        _media_type(artifact_type, "artifactType")
    elif artifact_type not in (None, ""):
        raise ManifestInvalid("artifactType is not a media type")


def _check_sizes(manifest: Manifest) -> None:
    sizes: dict[str, int] = {}
    for entry in (*manifest._contents, *manifest.children):
        if sizes.setdefault(entry.digest, entry.size) != entry.size:
            raise ManifestInvalid("the manifest gives one digest two sizes", {"digest": entry.digest})


def _config(value: Any) -> Descriptor:
    config = _descriptor(value, "config")
    if config.media_type in INDEX_TYPES | MANIFEST_TYPES or config.media_type in DOCKER_SCHEMA1:
        raise ManifestInvalid("the config may not be a manifest", {"mediaType": config.media_type})
    return config


def _descriptors(raw: dict[str, Any], name: str) -> tuple[Descriptor, ...]:
    if name not in raw:
        raise ManifestInvalid(f"{name} is missing")
    entries = [] if raw[name] is None else raw[name]  # Go writes an empty list as null.
    if not isinstance(entries, list):
        raise ManifestInvalid(f"{name} is not a list")
    if len(entries) > MAX_ENTRIES:
        raise ManifestInvalid(f"{name} holds more than {MAX_ENTRIES} entries")
    return tuple(_descriptor(entry, f"{name}[{position}]") for position, entry in enumerate(entries))


def _descriptor(value: Any, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise ManifestInvalid(f"{where} is not a descriptor")
    _check_keys(value, DESCRIPTOR_FIELDS, where)
    digest, size = value.get("digest"), value.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise ManifestInvalid(f"{where} has no valid digest", {"digest": str(digest)[:255]})
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ManifestInvalid(f"{where} has no valid size")
    if not isinstance(value.get("data"), str | None):
        raise ManifestInvalid(f"{where} has data that is not a string")
    return Descriptor(
        media_type=_media_type(value.get("mediaType"), f"{where}.mediaType"),
        digest=digest,
        size=size,
        artifact_type=_media_type(value["artifactType"], f"{where}.artifactType") if value.get("artifactType") else "",
        annotations=_annotations(value.get("annotations"), f"{where}.annotations"),
        platform=_platform(value.get("platform"), f"{where}.platform"),
        urls=tuple(_list_of_strings(value.get("urls"), f"{where}.urls")),
    )


def _media_type(value: Any, where: str) -> str:
    if not isinstance(value, str) or not MEDIA_TYPE.fullmatch(value):
        raise ManifestInvalid(f"{where} is not a media type")
    return value


def _annotations(value: Any, where: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ManifestInvalid(f"{where} is not a map of strings")
    return value


def _list_of_strings(value: Any, where: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ManifestInvalid(f"{where} is not a list of strings")
    return value


def _platform(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ManifestInvalid(f"{where} is not a platform")
    _check_keys(value, PLATFORM_FIELDS, where)
    checks: dict[str, Callable[[Any, str], Any]] = dict.fromkeys(("os.features", "features"), _list_of_strings)
    for name in PLATFORM_FIELDS & value.keys():
        if name in checks:
            checks[name](value[name], f"{where}.{name}")
        elif not isinstance(value[name], str):
            raise ManifestInvalid(f"{where}.{name} is not a string")
    return value
