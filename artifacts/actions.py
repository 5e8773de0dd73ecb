"""Everything that changes what a repository holds.

Each function begins by locking the project's quota row, then touches the repository's row: so two changes in one
project come one after the other, in an order that cannot deadlock, and no HTTP happens meanwhile. What changes contents
changes the quota row, too, if only its time: what is remembered of a project (`totals`, `survey`) ends with that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor, Permission
from accounts.errors import BadRequest, Conflict, Denied, NotFound
from accounts.permissions import refuse
from artifacts import adding, removal
from artifacts.contents import Push, look
from artifacts.copying import Copy
from artifacts.models import Artifact, ArtifactLabel, Repository, Tag
from artifacts.rows import insert
from artifacts.standing import settle
from artifacts.survey import Survey
from audit.actions import record
from audit.publishing import announce
from configuration import values
from projects.actions import charge, lock_quota
from projects.labels import lock_label
from projects.models import Label, Project
from projects.permissions import PULL, PUSH, require
from registry.references import is_tag

READ_ONLY = "The system is in read only mode. Any modification is prohibited."


def require_writable() -> None:
    """Return unless the system is in read-only mode; raise `Denied` then."""
    if values.get("read_only"):
        raise Denied(READ_ONLY)


@transaction.atomic
def record_push(
    actor: Actor, project: Project, push: Push, *, permissions: frozenset[Permission] | None = None
) -> Artifact:
    """Make `push` an artifact of its repository, and its tag point there; the repository appears with its first push.

    `permissions` is what the caller has just read that `actor` may do here; asked anew where it is not given.
    Raises ManifestBlobUnknown where a child went meanwhile, Denied where the quota is exceeded.
    """
    if permissions is None:
        require(actor, PUSH.resource, PUSH.action, project)
    elif PUSH not in permissions:
        refuse(actor)
    require_writable()
    now = timezone.now()
    seen = _charge(actor, project.pk, push)
    repository = adding.touch_repository(project.pk, push.reference.repository, now)
    artifact = adding.find(repository, push, seen) or adding.add(project.pk, repository, push, seen, now)
    if push.tag:
        point_tag(repository, push.tag, artifact, now)
    if affected := adding.affected(push, seen, artifact):
        settle(affected)
    record(actor, "create", "artifact", str(push), project=project, digest=push.digest, tag=push.tag)
    return artifact


def _charge(actor: Actor, project_id: int, push: Push) -> Survey:
    """Charge the project for `push`, which locks it; what it holds of it, true until the transaction ends."""
    seen = push.seen
    if seen and seen.version:
        price = adding.price(push, seen)
        if charge(project_id, price, unchanged_since=seen.version, actor=actor):
            return seen
    lock_quota(project_id)
    seen = look(project_id, push)
    adding.check_children(push, seen)
    charge(project_id, adding.price(push, seen), actor=actor)
    return seen


@transaction.atomic
def record_copy(actor: Actor, source: Artifact, project: Project, copies: Sequence[Copy]) -> None:
    """Make `copies`, which `copying.prepare` has made of `source`, artifacts of `project`. It is charged once for all.

    Who copies reads the one repository and writes the other. A tag that is there already moves, as by a push.
    """
    for resource, action in (PULL, Permission("artifact", "read")):
        require(actor, resource, action, source.repository.project)
    for resource, action in (PUSH, Permission("artifact", "create")):
        require(actor, resource, action, project)
    require_writable()
    lock_quota(project.pk)
    now, price = timezone.now(), 0
    for push, tags in ((copy.push, copy.tags) for copy in copies):
        seen = look(project.pk, push)
        adding.check_children(push, seen)
        price += adding.price(push, seen)
        repository = adding.touch_repository(project.pk, push.reference.repository, now)
        artifact = adding.find(repository, push, seen) or adding.add(project.pk, repository, push, seen, now)
        moved = set(Tag.objects.filter(repository=repository, name__in=tags).values_list("artifact", flat=True))
        for tag in tags:
            point_tag(repository, tag, artifact, now)
        settle(adding.affected(push, seen, artifact) | {artifact.pk} | moved)
        if push.digest == source.digest:
            _record_copy(actor, source, project, push, tags)
    charge(project.pk, price, actor=actor)


def _record_copy(actor: Actor, source: Artifact, project: Project, push: Push, tags: Sequence[str]) -> None:
    origin = f"{source.repository.name}@{source.digest}"
    record(
        actor,
        "create",
        "artifact",
        str(push),
        project=project,
        description=f"create artifact: {push}, copied from {origin}",
        digest=push.digest,
        tag=push.tag,
        tags=list(tags),
        copied_from=origin,
    )


def point_tag(repository: Repository, name: str, artifact: Artifact, now: datetime) -> None:
    """Let `name` mean `artifact`, whatever it meant before. The row is locked from here on.

    Rules about tags that may not move belong here, before the write.
    """
    insert(
        [Tag(repository=repository, artifact=artifact, name=name, push_time=now)],
        on_conflict="(repository_id, name) DO UPDATE SET"
        " artifact_id = excluded.artifact_id, push_time = excluded.push_time",
    )


@transaction.atomic
def create_tag(actor: Actor, artifact: Artifact, name: str) -> Tag:
    """Give `artifact` another tag. Raises BadRequest for what is no tag, Conflict where it is taken."""
    repository = artifact.repository
    require(actor, "tag", "create", repository.project)
    require_writable()
    if not is_tag(name):
        raise BadRequest(f"invalid tag name: {name[:128]}", field="name")
    charge(repository.project_id, 0, actor=actor)
    adding.touch_repository(repository.project_id, repository.name, timezone.now())
    if not Artifact.objects.filter(pk=artifact.pk).exists():
        raise NotFound("the artifact has been deleted")
    tag, created = Tag.objects.get_or_create(
        repository=repository, name=name, defaults={"artifact": artifact, "push_time": timezone.now()}
    )
    if not created:
        raise Conflict(f"tag {name} already exists")
    settle([artifact.pk])
    record(
        actor,
        "create",
        "tag",
        f"{repository.name}:{name}",
        project=repository.project,
        digest=artifact.digest,
        tag=name,
    )
    return tag


@transaction.atomic
def delete_tag(actor: Actor, tag: Tag) -> None:
    """Take the name away; the artifact stays."""
    repository = tag.repository
    require(actor, "tag", "delete", repository.project)
    require_writable()
    charge(repository.project_id, 0, actor=actor)
    adding.touch_repository(repository.project_id, repository.name, timezone.now())
    named = list(Tag.objects.filter(pk=tag.pk).values_list("artifact", flat=True))  # it may have moved since
    if not Tag.objects.filter(pk=tag.pk).delete()[0]:
        raise NotFound(f"tag {tag.name} not found")
    settle(named)
    record(
        actor,
        "delete",
        "tag",
        f"{repository.name}:{tag.name}",
        project=repository.project,
        digest=tag.artifact.digest,
        tag=tag.name,
        **_description_of(tag.artifact),
    )


@transaction.atomic
def delete_artifact(actor: Actor, artifact: Artifact) -> None:
    """Delete `artifact` with its tags, accessories, and what only its index held. The quota is released at once.

    The registry's copy stays until collection. Raises InUse for what an index names.
    """
    repository = artifact.repository
    require(actor, "artifact", "delete", repository.project)
    require_writable()
    lock_quota(repository.project_id)
    adding.touch_repository(repository.project_id, repository.name, timezone.now())
    tags = list(artifact.tags.order_by("name").values_list("name", flat=True))
    description = _description_of(artifact)
    released = removal.remove(repository, artifact.pk)
    charge(repository.project_id, -released)
    record(
        actor,
        "delete",
        "artifact",
        f"{repository.name}@{artifact.digest}",
        project=repository.project,
        digest=artifact.digest,
        tags=tags,
        **description,
    )


def _description_of(artifact: Artifact) -> dict[str, Any]:
    """What rules know an artifact by, beside its name: told of what is deleted, as it cannot be asked any more."""
    return {"kind": artifact.type, "labels": sorted(artifact.labels.values_list("name", flat=True))}


@transaction.atomic
def delete_repository(actor: Actor, repository: Repository) -> None:
    """Delete `repository` with all it holds. The quota is released at once."""
    require(actor, "repository", "delete", repository.project)
    require_writable()
    lock_quota(repository.project_id)
    if not Repository.objects.select_for_update().filter(pk=repository.pk).exists():
        raise NotFound(f"repository {repository.name} not found")
    gone = [{"artifacts": batch} for batch in removal.contents(repository)]
    released = removal.remove_all(repository)
    charge(repository.project_id, -released)
    record(actor, "delete", "repository", repository.name, project=repository.project)
    announce("delete_contents", actor.name, repository.name, repository.project_id, gone)


@transaction.atomic
def update_repository(actor: Actor, repository: Repository, description: str) -> None:
    """Describe `repository` anew."""
    require(actor, "repository", "update", repository.project)
    require_writable()
    changed = Repository.objects.filter(pk=repository.pk).update(description=description, update_time=timezone.now())
    if not changed:
        raise NotFound(f"repository {repository.name} not found")
    record(actor, "update", "repository", repository.name, project=repository.project)


@transaction.atomic
def attach_label(actor: Actor, artifact: Artifact, label: Label) -> None:
    """Put `label` on `artifact`. Raises Conflict where it is there already, NotFound for another project's label."""
    project = artifact.repository.project
    require(actor, "artifact-label", "create", project)
    require_writable()
    charge(project.pk, 0, actor=actor)
    if not Artifact.objects.filter(pk=artifact.pk).exists():
        raise NotFound("the artifact has been deleted")
    current = lock_label(label.pk)
    if current.project_id not in (None, project.pk):
        raise NotFound(f"label {label.pk} not found in the project {project.name}")
    if not ArtifactLabel.objects.get_or_create(artifact=artifact, label=current)[1]:
        raise Conflict(f"the artifact carries the label {current.name} already")
    _record_label(actor, "create", artifact, current, "put a label on an artifact")


@transaction.atomic
def detach_label(actor: Actor, artifact: Artifact, label: Label) -> None:
    """Take `label` off `artifact`. Raises NotFound where it is not on it."""
    require(actor, "artifact-label", "delete", artifact.repository.project)
    require_writable()
    charge(artifact.project_id, 0, actor=actor)
    if not ArtifactLabel.objects.filter(artifact=artifact, label=label).delete()[0]:
        raise NotFound(f"the artifact does not carry the label {label.pk}")
    _record_label(actor, "delete", artifact, label, "took a label off an artifact")


def _record_label(actor: Actor, operation: str, artifact: Artifact, label: Label, told: str) -> None:
    repository = artifact.repository
    name = f"{repository.name}@{artifact.digest}"
    record(
        actor,
        operation,
        "artifact-label",
        name,
        project=repository.project,
        description=f"{told}: {label.name}, {name}",
        digest=artifact.digest,
        label=label.name,
    )
