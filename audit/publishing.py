"""An entry is an event: who follows up hears of it from a row that is written with it.

`settings.SUBSCRIBERS` (the table of `harbor/subscribers.py`) maps an event type to dotted names of functions
that take an event, a dictionary of plain values. A row per event and subscriber is written in the event's own
transaction, and only where somebody subscribes. It is delivered by a worker, soon after the commit if the broker is
there, by beat's next sweep if not, again with growing pauses if the subscriber fails: at least once, so a subscriber
makes sure by `event["id"]` that the second time does nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from audit import broker
from audit.models import Entry, Publication
from audit.text import one_line

_HOLD = timedelta(minutes=5)
"""How long one delivery may take before another worker may try."""
_LONGEST_PAUSE = timedelta(hours=1)


def publish(entries: Iterable[Entry]) -> None:
    """Let subscribers hear of what `entries` tell, once the running transaction has committed."""
    publications = [
        Publication(subscriber=name, event_type=entry.event_type, event=event, due_at=entry.op_time)
        for entry in entries
        if entry.success and (names := _subscribers(entry.event_type))
        for event in [_event(entry)]
        for name in names
    ]
    if not publications:
        return
    Publication.objects.bulk_create(publications)
    transaction.on_commit(lambda: _nudge(publications), robust=True)


def announce(
    event_type: str, username: str, resource: str, project_id: int | None, parts: Iterable[Mapping[str, Any]]
) -> None:
    """Let subscribers hear of `parts`, an event for each, once the running transaction has committed: of what an entry
    does not list because it would be too long."""
    now = timezone.now()
    about = {"type": event_type, "time": now.isoformat(), "actor": username, "resource": resource}
    publications = [
        Publication(
            subscriber=name,
            event_type=event_type,
            event={**about, "id": str(uuid.uuid4()), "project_id": project_id, "details": dict(part)},
            due_at=now,
        )
        for name in _subscribers(event_type)
        for part in parts
    ]
    if publications:
        Publication.objects.bulk_create(publications)
        transaction.on_commit(lambda: _nudge(publications), robust=True)


def deliver(publication_id: uuid.UUID) -> bool:
    """Hand one event to its subscriber; False if it was not due: delivered, or being delivered, by somebody else."""
    publication = _claim(publication_id)
    if publication is None:
        return False
    try:
        subscriber = import_string(publication.subscriber)
        subscriber(publication.event)
    except Exception as error:  # whatever it is, the event stays and is delivered later
        _postpone(publication, error)
        raise
    publication.delete()
    return True


def due(limit: int = 1000) -> list[uuid.UUID]:
    """Publications that wait for a delivery, the oldest first."""
    waiting = Publication.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return list(waiting.values_list("pk", flat=True)[:limit])


def _subscribers(event_type: str) -> Iterable[str]:
    table: Mapping[str, Iterable[str]] = settings.SUBSCRIBERS
    return table.get(event_type, ())


def _event(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.event_id or uuid.uuid4()),
        "type": entry.event_type,
        "time": entry.op_time.isoformat(),
        "actor": entry.username,
        "resource": entry.resource,
        "project_id": entry.project_id,
        "details": entry.details,
    }


def _nudge(publications: list[Publication]) -> None:
    for publication in publications:
        if not broker.send("audit.tasks.deliver", str(publication.pk)):
            return


def _claim(publication_id: uuid.UUID) -> Publication | None:
    now = timezone.now()
    waiting = Publication.objects.filter(pk=publication_id, due_at__lte=now)
    return Publication.objects.get(pk=publication_id) if waiting.update(due_at=now + _HOLD) else None


def _postpone(publication: Publication, error: Exception) -> None:
    pause = min(timedelta(seconds=10 * 2 ** min(publication.attempts, 12)), _LONGEST_PAUSE)
    Publication.objects.filter(pk=publication.pk).update(
        attempts=publication.attempts + 1,
        due_at=timezone.now() + pause,
        error=one_line(f"{type(error).__name__}: {error}", 512),
    )
