"""Artifacts as the pages show them, made from rows and manifests that are read already."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from artifacts.kinship import REFERENCE_TYPE
from artifacts.models import Accessory, Artifact, Repository, Tag
from portal.commands import Command, pull_commands
from portal.names import accessory_name, type_name
from portal.natural import natural

SHOWN_TAGS = 6
SHOWN_PLATFORMS = 3


def artifact_url(repository: Repository, digest: str, view: str = "artifact") -> str:
    """The page `view` of an artifact."""
    return reverse(f"portal:{view}", args=[repository.name.partition("/")[0], repository.short_name, digest])


@dataclass(frozen=True)
class Part:
    """An entry of an index: an image for one platform."""

    artifact: Artifact
    platform: str
    repository: Repository

    @property
    def url(self) -> str:
        """Its page; an index may have a thousand entries, of which most pages show none."""
        return artifact_url(self.repository, self.artifact.digest)


@dataclass(frozen=True)
class Companion:
    """An accessory under its subject: a signature, an SBOM, an attestation."""

    accessory: Accessory
    name: Any
    url: str


@dataclass(frozen=True)
class Name:
    """A tag, and the line that pulls by it."""

    name: str
    line: str


@dataclass(frozen=True)
class Row:
    """An artifact in a repository's list."""

    artifact: Artifact
    url: str
    type: Any
    tags: list[Name]
    more_tags: int
    platforms: list[str]
    more_platforms: int
    accessories: list[Companion]
    labels: list[Any]
    commands: list[Command]

    @classmethod
    def of(cls, artifact: Artifact, repository: Repository) -> Row:
        """The row of `artifact`, whose tags, references and accessories were read with it."""
        tags = in_order(artifact.tags.all())
        platforms = platforms_of(artifact, repository)
        return cls(
            artifact=artifact,
            url=artifact_url(repository, artifact.digest),
            type=kind_of(artifact),
            tags=[Name(tag.name, commands_of(artifact, repository, [tag])[0].line) for tag in tags[:SHOWN_TAGS]],
            more_tags=len(tags[SHOWN_TAGS:]),
            platforms=platforms[:SHOWN_PLATFORMS],
            more_platforms=len(platforms[SHOWN_PLATFORMS:]),
            accessories=companions(artifact, repository),
            labels=list(artifact.labels.all()),
            commands=commands_of(artifact, repository, tags),
        )


def in_order(tags: Any) -> list[Tag]:
    """Tags as people read them, the highest version first."""
    return sorted(tags, key=lambda tag: natural(tag.name), reverse=True)


def commands_of(artifact: Artifact, repository: Repository, tags: list[Tag]) -> list[Command]:
    """How to pull `artifact`: by its first tag, or by digest where it has none."""
    return pull_commands(artifact.type, repository.name, tags[0].name if tags else "", artifact.digest)


def is_index(artifact: Artifact) -> bool:
    """Whether it is a list of manifests."""
    return artifact.media_type.endswith(("index.v1+json", "manifest.list.v2+json"))


def kind_of(artifact: Artifact) -> Any:
    """What kind of thing it is, in the reader's language."""
    return type_name("INDEX" if is_index(artifact) and artifact.type == "IMAGE" else artifact.type)


def platforms_of(artifact: Artifact, repository: Repository) -> list[str]:
    """The platforms that an image or an index is for."""
    if is_index(artifact):
        return [part.platform for part in parts_of(artifact, repository) if part.platform]
    name = platform_name(artifact.extra_attrs)
    return [name] if name and artifact.type == "IMAGE" else []


def parts_of(index: Artifact, repository: Repository) -> list[Part]:
    """The entries of an index, BuildKit's attestations apart: they are accessories."""
    return [
        Part(entry.child, platform_name(entry.platform), repository)
        for entry in index.references.all()
        if REFERENCE_TYPE not in entry.annotations
    ]


def entries_of(index: Artifact) -> list[tuple[int, str]]:
    """The ids of an index's entries as `parts_of` has them, each with its platform; without reading the children."""
    entries = index.references.order_by("position").values_list("pk", "platform", "annotations")
    return [(pk, platform_name(platform)) for pk, platform, notes in entries if REFERENCE_TYPE not in notes]


def wholes_of(artifact: Artifact, repository: Repository) -> list[Part]:
    """The indexes that hold `artifact`, a few of them."""
    entries = artifact.parents.select_related("parent").order_by("-parent__push_time", "-pk")[:SHOWN_TAGS]
    return [Part(entry.parent, "", repository) for entry in entries]


def companions(artifact: Artifact, repository: Repository) -> list[Companion]:
    """What belongs to `artifact`."""
    return [
        Companion(accessory, accessory_name(accessory.type), artifact_url(repository, accessory.artifact.digest))
        for accessory in artifact.accessories.all()
    ]


def platform_name(platform: Mapping[str, Any]) -> str:
    """`linux/arm64/v8`; empty where the system is not told."""
    words = [platform.get(name) for name in ("os", "architecture", "variant")]
    return "/".join(str(word) for word in words if word) if words[0] and words[1] else ""


def pretty(content: bytes) -> str:
    """A manifest with its lines broken for reading; what is not JSON as it is."""
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except ValueError:
        return content.decode(errors="replace")
