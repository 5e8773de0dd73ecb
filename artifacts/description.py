"""What a manifest says about the thing it makes: its type in Harbor's words, and what a list shows of its config."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from registry.manifests import MAX_DEPTH, Manifest

MAX_CONFIG = 4 * 1024 * 1024
"""Bytes of a config that are read; a larger one is kept and served, but shows nothing."""
MOST_SHOWN = 64 * 1024
"""Characters of a config, or of annotations, that lists show: a page of a hundred artifacts must stay a page."""

IMAGE_CONFIGS = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)
CNAB = "application/vnd.cnab.manifest.v1"
WASM = "application/vnd.wasm.config.v1+json"
TYPES = {
    **dict.fromkeys(IMAGE_CONFIGS, "IMAGE"),
    "application/vnd.cncf.helm.config.v1+json": "CHART",
    "application/vnd.cnab.config.v1+json": "CNAB",
    CNAB: "CNAB",
    WASM: "WASM",
    "application/vnd.cncf.model.manifest.v1+json": "CNAI",
    "application/vnd.cncf.model.config.v1+json": "CNAI",
    "application/vnd.goharbor.harbor.sbom.v1": "SBOM",
}
UNKNOWN = "UNKNOWN"
_NAMED_TYPE = re.compile(r"application/vnd\.[^.]*\.(?P<type>[^.]*)\.config\.[^.]*\+json", re.ASCII)
_WASM_ANNOTATIONS = {
    "module.wasm.image/variant": ("compat", "compat-smart"),
    "run.oci.handler": ("wasm",),
}
_AUTHOR_LABELS = ("org.opencontainers.image.authors", "maintainer")


@dataclass(frozen=True)
class Description:
    """What the row of an artifact tells without asking its blobs."""

    type: str = UNKNOWN
    extra_attrs: dict[str, Any] = field(default_factory=dict)


def describe(manifest: Manifest, config: bytes) -> Description:
    """The description of `manifest`, whose config blob is `config` (empty where it was not read)."""
    kind = type_of(manifest)
    document = _read(config) if config else {}
    is_image = kind == "IMAGE" and not manifest.is_index
    return Description(kind, shown(image_attributes(document) if is_image else document))


def shown(value: dict[str, Any]) -> dict[str, Any]:
    """`value`, if it is small enough to be shown in a list; else nothing of it."""
    return value if len(json.dumps(value, ensure_ascii=False)) <= MOST_SHOWN else {}


def type_of(manifest: Manifest) -> str:
    """Harbor's word for it: by `artifactType` where there is one, else by the config's media type."""
    if manifest.is_index:
        named = manifest.annotations.get("org.opencontainers.artifactType") or manifest.artifact_type
        return "CNAB" if named == CNAB else "IMAGE"
    annotations = manifest.annotations
    if any(annotations.get(name) in values for name, values in _WASM_ANNOTATIONS.items()):
        return TYPES[WASM]
    media_type = manifest.artifact_type
    if media_type in TYPES:
        return TYPES[media_type]
    named_type = _NAMED_TYPE.fullmatch(media_type)
    return named_type["type"].upper()[:64] if named_type and named_type["type"] else UNKNOWN


def has_readable_config(manifest: Manifest) -> bool:
    """Whether the config is worth reading: JSON of a sensible size."""
    config = manifest.config
    return bool(config and config.media_type.endswith("json") and 2 < config.size <= MAX_CONFIG)


def image_attributes(config: dict[str, Any]) -> dict[str, Any]:
    """What Harbor shows of an image's config."""
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    author = config.get("author")
    if not author and isinstance(labels, dict):
        author = next((labels[name] for name in _AUTHOR_LABELS if labels.get(name)), "")
    shown = {name: config[name] for name in ("architecture", "os", "created") if isinstance(config.get(name), str)}
    return shown | {"author": author if isinstance(author, str) else "", "config": inner}


def _read(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`; empty where it is none, or holds what a database cannot keep."""
    try:
        value = json.loads(content, parse_constant=_refuse)
        text = json.dumps(value, ensure_ascii=False)
        text.encode()  # fails on half a character
    except (ValueError, RecursionError):
        return {}
    is_keepable = isinstance(value, dict) and "\\u0000" not in text and _depth(value) <= MAX_DEPTH
    return value if is_keepable else {}


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
