"""What a project holds of something that is about to be pushed: one query.

It is asked before the registry is, so that nothing known is asked for again, and is still true in the push's
transaction if the project's quota row has not changed meanwhile: whatever changes contents changes that row.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from artifacts.models import Accessory, Artifact, ArtifactBlob, Blob, Repository, Tag
from projects.models import Quota


@dataclass(frozen=True, slots=True)
class SeenBlob:
    """A blob that the repository holds: the digest that the manifest uses, the sha256 it is stored by, its size."""

    digest: str
    stored_digest: str
    size: int


@dataclass(frozen=True, slots=True)
class SeenArtifact:
    """An artifact of the repository. `size` is that of all it holds, `manifest_size` that of the manifest alone."""

    id: int
    size: int
    manifest_size: int
    media_type: str


@dataclass
class Survey:
    """The part that is there already. `version` is the quota row's; None where there is no project any more."""

    version: datetime | None = None
    artifacts: dict[str, SeenArtifact] = field(default_factory=dict)
    """The repository's, by digest."""
    blobs: dict[str, SeenBlob] = field(default_factory=dict)
    """The repository's, by digest."""
    charged: set[str] = field(default_factory=set)
    """Stored digests of blobs and manifests that the project's artifacts reference: paid for."""
    waiting: list[int] = field(default_factory=list)
    """Ids of accessories that came before the artifact that they belong to."""
    named: int | None = None
    """The id of the artifact that the tag names so far."""


def survey(
    project_id: int,
    repository: str,
    *,
    artifacts: Collection[str],
    blobs: Collection[str],
    stored: Collection[str],
    subject: str,
    tag: str,
) -> Survey:
    """What is there of `artifacts` and `blobs` (digests, in the repository), of `stored` (stored digests, in the
    project), of accessories that wait for the artifact `subject`, and of `tag` (in the repository)."""
    found = Survey()
    digests = [project_id, repository, *artifacts, repository, *blobs]
    parameters: list[Any] = [*digests, project_id, *stored, project_id, *stored, repository, subject, repository, tag]
    with connection.cursor() as cursor:
        cursor.execute(_statement(len(artifacts), len(blobs), len(stored)), parameters)
        for kind, version, digest, stored_digest, pk, size, manifest_size, media_type in cursor.fetchall():
            if kind == "quota":
                found.version = _time(version)
            elif kind == "artifact":
                found.artifacts[digest] = SeenArtifact(pk, size, manifest_size, media_type)
            elif kind == "blob":
                found.blobs[digest] = SeenBlob(digest, stored_digest, size)
            elif kind == "charged":
                found.charged.add(stored_digest)
            elif kind == "tag":
                found.named = pk
            else:
                found.waiting.append(pk)
    return found


def _statement(artifacts: int, blobs: int, stored: int) -> str:
    quota, artifact, blob, use, repository, accessory, tag = (
        model._meta.db_table for model in (Quota, Artifact, Blob, ArtifactBlob, Repository, Accessory, Tag)
    )
    return f"""
        SELECT 'quota', q.update_time, '', '', 0, 0, 0, '' FROM {quota} q WHERE q.project_id = %s
        UNION ALL
        SELECT 'artifact', NULL, a.digest, '', a.id, a.size, a.manifest_size, a.media_type
        FROM {artifact} a JOIN {repository} r ON r.id = a.repository_id
        WHERE r.name = %s AND a.digest IN ({_places(artifacts)})
        UNION ALL
        SELECT 'blob', NULL, b.digest, b.stored_digest, 0, b.size, 0, ''
        FROM {blob} b JOIN {repository} r ON r.id = b.repository_id
        WHERE r.name = %s AND b.digest IN ({_places(blobs)})
        UNION ALL
        SELECT 'charged', NULL, '', b.stored_digest, 0, 0, 0, ''
        FROM {blob} b JOIN {repository} r ON r.id = b.repository_id
        WHERE r.project_id = %s AND b.stored_digest IN ({_places(stored)})
        AND EXISTS (SELECT 1 FROM {use} u WHERE u.blob_id = b.id)
        UNION ALL
        SELECT 'charged', NULL, '', a.stored_digest, 0, 0, 0, ''
        FROM {artifact} a WHERE a.project_id = %s AND a.stored_digest IN ({_places(stored)})
        UNION ALL
        SELECT 'waiting', NULL, '', '', x.id, 0, 0, ''
        FROM {accessory} x JOIN {repository} r ON r.id = x.repository_id
        WHERE r.name = %s AND x.subject_digest = %s AND x.subject_id IS NULL
        UNION ALL
        SELECT 'tag', NULL, '', '', t.artifact_id, 0, 0, ''
        FROM {tag} t JOIN {repository} r ON r.id = t.repository_id WHERE r.name = %s AND t.name = %s
    """


def _places(count: int) -> str:
    return ", ".join(["%s"] * count) or "NULL"


def _time(value: Any) -> datetime:
    """A time as the database gave it: SQLite has none and keeps text, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
