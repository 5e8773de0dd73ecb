"""Writing down what happened. An entry is written in the transaction of what it describes, or neither is."""

from __future__ import annotations

from typing import Any, Protocol

from django.utils import timezone

from audit import forwarding, publishing
from audit.events import is_kept
from audit.models import Entry
from audit.text import fit, one_line


class Named(Protocol):
    """An actor, as far as the audit log cares."""

    @property
    def name(self) -> str: ...


class Numbered(Protocol):
    """A project, as far as the audit log cares."""

    @property
    def pk(self) -> Any: ...


def record(
    actor: Named,
    operation: str,
    resource_type: str,
    resource: str,
    *,
    project: Numbered | None = None,
    description: str = "",
    success: bool = True,
    **details: Any,
) -> Entry:
    """Write down what `actor` did, in the words of Harbor: `create`, `artifact`, `library/nginx:1.27`.

    Call it inside the action's transaction. Subscribers of the event hear of it once that has committed, and only if
    `success`. Never hand it a secret. The entry is returned unsaved where the operator disabled this type,
    or wants a syslog server to keep the log.
    """
    entry = make_entry(
        username=actor.name,
        operation=operation,
        resource_type=resource_type,
        resource=resource,
        project_id=project.pk if project else None,
        description=description,
        success=success,
        details=details,
    )
    if is_kept(entry.event_type):
        if not forwarding.is_database_skipped():
            entry.save(force_insert=True)
        forwarding.forward([entry])
    publishing.publish([entry])
    return entry


def make_entry(
    *,
    username: str,
    operation: str,
    resource_type: str,
    resource: str,
    project_id: int | None,
    details: dict[str, Any],
    description: str = "",
    success: bool = True,
) -> Entry:
    """An entry, not saved, whose every text fits its column and stays on one line."""
    resource = one_line(resource, 512)
    return Entry(
        op_time=timezone.now(),
        username=one_line(username, 255),
        operation=one_line(operation, 64),
        resource_type=one_line(resource_type, 64),
        resource=resource,
        operation_description=one_line(description or f"{operation} {resource_type}: {resource}", 1024),
        success=success,
        project_id=project_id,
        details=fit(details),
    )
