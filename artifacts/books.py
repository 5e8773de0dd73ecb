"""What projects really use, counted anew: what `Quota.used` should say, and how it is put right where it does not; and
the same of what lists know of artifacts.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import SYSTEM
from artifacts import aliases
from artifacts.models import Artifact, ArtifactBlob, Blob, Repository
from artifacts.standing import misplaced, settle
from projects.actions import charge, lock_quota, set_used


def used(project_id: int) -> int:
    """Bytes of the distinct blobs and manifests that the project's artifacts reference."""
    artifact, blob, use, repository = (model._meta.db_table for model in (Artifact, Blob, ArtifactBlob, Repository))
    statement = f"""
        SELECT COALESCE(SUM(part.size), 0) FROM (
            SELECT b.stored_digest, b.size FROM {blob} b JOIN {repository} r ON r.id = b.repository_id
            WHERE r.project_id = %s AND EXISTS (SELECT 1 FROM {use} u WHERE u.blob_id = b.id)
            UNION
            SELECT a.stored_digest, a.manifest_size FROM {artifact} a WHERE a.project_id = %s
        ) part
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [project_id, project_id])
        return int(cursor.fetchone()[0])


def pays_for(project_id: int, digest: str) -> bool:
    """Whether something in the project holds the blob, so that it costs nothing more."""
    stored = aliases.known([digest]).get(digest, digest)
    return Blob.objects.filter(stored_digest=stored, repository__project=project_id, uses__isnull=False).exists()


@transaction.atomic
def compare(project_id: int) -> tuple[int, int]:
    """The bytes that the project's quota says, and those that are used. Pushes wait while they are counted."""
    return lock_quota(project_id).used, used(project_id)


@transaction.atomic
def put_right(project_id: int) -> tuple[int, int]:
    """Let the project's quota say what is used; what it said before, and says now."""
    booked, real = compare(project_id)
    if booked != real:
        set_used(SYSTEM, project_id, real)
    return booked, real


@transaction.atomic
def misplaced_in(project_id: int) -> int:
    """Of how many artifacts of the project lists know wrongly how they stand. Pushes wait while they are counted."""
    lock_quota(project_id)
    return misplaced(Artifact.objects.filter(project=project_id)).count()


@transaction.atomic
def place_anew(project_id: int) -> int:
    """Let lists know rightly how the project's artifacts stand; of how many they did not."""
    charge(project_id, 0)  # what has been counted is counted again, here and in the repositories
    wrong = misplaced(Artifact.objects.filter(project=project_id))
    for repository in sorted(set(wrong.values_list("repository", flat=True))):  # locked in order, as for pulls
        Repository.objects.filter(pk=repository).update(update_time=timezone.now())
    return settle(wrong.values_list("pk", flat=True))
