"""Repositories and what they hold, as rows: the API reads rows, no registry is asked."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

from artifacts.models import Accessory, Artifact, Manifest, Reference, Repository, Tag
from artifacts.standing import settle
from projects.models import Project
from robots import secrets
from robots.models import Robot

OCI = "application/vnd.oci.image"
PUSHED = datetime(2024, 1, 20, 9, 18, 50, 783000, tzinfo=UTC)
_numbers = count(1)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def make_repository(project: Project, name: str = "app", **fields: Any) -> Repository:
    """The repository `name`, without the project's, in `project`."""
    return Repository.objects.create(project=project, name=f"{project.name}/{name}", **fields)


def make_image(repository: Repository, *tags: str, **fields: Any) -> Artifact:
    """An image with these tags."""
    config = {"mediaType": f"{OCI}.config.v1+json", "digest": digest_of(b"config"), "size": 6}
    document = {"schemaVersion": 2, "config": config, "layers": [], "annotations": {"number": str(next(_numbers))}}
    content = json.dumps(document).encode()
    given: dict[str, Any] = {
        "media_type": f"{OCI}.manifest.v1+json",
        "config_media_type": f"{OCI}.config.v1+json",
        "artifact_type": f"{OCI}.config.v1+json",
        "type": "IMAGE",
        "extra_attrs": {"architecture": "amd64", "os": "linux", "author": "", "config": {"Cmd": ["sh"]}},
        **fields,
    }
    digest = digest_of(content)
    artifact = Artifact.objects.create(
        project=repository.project,
        repository=repository,
        digest=digest,
        stored_digest=digest,
        size=len(content) + 6,
        manifest_size=len(content),
        push_time=PUSHED,
        **given,
    )
    Manifest.objects.create(artifact=artifact, content=content)
    for tag in tags:
        Tag.objects.create(repository=repository, artifact=artifact, name=tag, push_time=PUSHED)
    settle([artifact.pk])
    return artifact


def make_index(repository: Repository, tag: str, *children: Artifact) -> Artifact:
    """An index of `children`, each for a platform of its own."""
    index = make_image(
        repository, tag, media_type=f"{OCI}.index.v1+json", config_media_type="", artifact_type="", extra_attrs={}
    )
    for position, child in enumerate(children):
        platform = {"os": "linux", "architecture": "arm64", "variant": f"v{position}"}
        Reference.objects.create(parent=index, child=child, position=position, platform=platform)
    settle([child.pk for child in children])
    return index


def make_signature(subject: Artifact) -> Artifact:
    """A signature of `subject`."""
    signature = make_image(subject.repository, subject_digest=subject.digest)
    Accessory.objects.create(
        artifact=signature,
        repository=subject.repository,
        subject=subject,
        subject_digest=subject.digest,
        type="signature.cosign",
    )
    settle([signature.pk])
    return signature


def make_system_robot(name: str, system: list[str], projects: dict[int, list[str]]) -> tuple[Robot, str]:
    """A robot of the system, and its secret; project 0 is every project."""
    secret = secrets.new_secret()
    robot = Robot.objects.create(
        name=name,
        level=Robot.Level.SYSTEM,
        duration=-1,
        secret_digest=secrets.digest(secret),
        permissions={"system": system, "projects": {str(pk): words for pk, words in projects.items()}},
    )
    return robot, secret
