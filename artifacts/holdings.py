"""What a project holds of something that is about to be pushed: one joined query, under the quota's lock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db import connection

from artifacts.models import Accessory, Artifact, ArtifactBlob, Blob, Repository


@dataclass
class Holdings:
    """The part that is there already."""

    artifacts: dict[str, int] = field(default_factory=dict)
    """Ids of the repository's artifacts, by digest."""
    charged: set[str] = field(default_factory=set)
    """Stored digests of blobs and manifests that the project's artifacts reference: paid for."""
    waiting: list[int] = field(default_factory=list)
    """Ids of accessories that came before the artifact that they belong to."""


def holdings(
    *, project_id: int, repository_id: int, artifacts: Collection[str], stored: Collection[str], subject: str
) -> Holdings:
    """What is there of `artifacts` (by digest, in the repository), of `stored` (by stored digest, in the project), and
    of accessories that wait for the artifact `subject`."""
    found = Holdings()
    rows = {
        "artifact": lambda digest, pk: found.artifacts.update({digest: pk}),
        "charged": lambda digest, pk: found.charged.add(digest),
        "waiting": lambda digest, pk: found.waiting.append(pk),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(len(artifacts), len(stored)),
            [repository_id, *artifacts, project_id, *stored, project_id, *stored, repository_id, subject],
        )
        for kind, digest, pk in cursor.fetchall():
            rows[kind](digest, pk)
    return found


def _statement(artifacts: int, stored: int) -> str:
    artifact, blob, use, repository, accessory = (
        model._meta.db_table for model in (Artifact, Blob, ArtifactBlob, Repository, Accessory)
    )
    return f"""
        SELECT 'artifact', a.digest, a.id FROM {artifact} a
        WHERE a.repository_id = %s AND a.digest IN ({_places(artifacts)})
        UNION ALL
        SELECT 'charged', b.stored_digest, 0 FROM {blob} b JOIN {repository} r ON r.id = b.repository_id
        WHERE r.project_id = %s AND b.stored_digest IN ({_places(stored)})
        AND EXISTS (SELECT 1 FROM {use} u WHERE u.blob_id = b.id)
        UNION ALL
        SELECT 'charged', a.stored_digest, 0 FROM {artifact} a
        WHERE a.project_id = %s AND a.stored_digest IN ({_places(stored)})
        UNION ALL
        SELECT 'waiting', '', x.id FROM {accessory} x
        WHERE x.repository_id = %s AND x.subject_digest = %s AND x.subject_id IS NULL
    """


def _places(count: int) -> str:
    return ", ".join(["%s"] * count) or "NULL"
