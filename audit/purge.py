"""Forgetting old entries, in steps that are bounded however many there are: none locks the table or holds it long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import Q
from django.utils import timezone

from audit import tallies
from audit.events import EVENT_TYPES, OTHER
from audit.models import Entry, EntryQuerySet, is_any

KIND = "PURGE_AUDIT_LOG"
LONGEST = 240_000
"""Hours; Harbor's."""
Key = tuple[datetime, int]


class Running(Protocol):
    """The job, as far as purging cares."""

    def log(self, line: str) -> None: ...
    def progress(self, **values: int | str) -> None: ...
    def check(self) -> None: ...


def purge(spec: Mapping[str, Any], job: Running, size: int = 5000) -> str:
    """Delete the entries of these event types that are older than `audit_retention_hour` (a job's function).

    `dry_run` counts them only. Steps of `size` entries walk the log from its oldest on, so that one costs the same
    whether there is much to delete in it or nothing; each is a transaction of its own, after each it may be stopped.
    """
    hours, chosen = int(spec["audit_retention_hour"]), event_types(spec["include_event_types"])
    dry_run, word = bool(spec.get("dry_run")), "would be deleted" if spec.get("dry_run") else "deleted"
    before = timezone.now() - timedelta(hours=hours)
    job.log(f"entries before {before:%Y-%m-%dT%H:%M:%SZ} of {', '.join(chosen) or 'no type'}")
    if hours < 1 or not chosen:
        return "nothing to delete"
    old = Entry.objects.filter(op_time__lt=before)
    total, deleted, seen, last = old.count(), 0, 0, None
    while step := _step(old, last, size):
        job.check()
        rows, last = step
        matching = of_types(rows, chosen)
        deleted += matching.count() if dry_run else tallies.delete(matching)
        seen = min(seen + size, total)
        job.progress(done=seen, total=total, deleted=deleted)
    tallies.tidy()
    job.log(f"{deleted} entries {word}")
    return f"{deleted} entries {word}"


def event_types(names: str) -> list[str]:
    """Those of a comma separated list that there are; `other` is every event that has no name of its own."""
    asked = {name.strip().lower() for name in names.split(",")}
    return [name for name in (*EVENT_TYPES, OTHER) if name in asked]


def of_types(entries: EntryQuerySet, chosen: Sequence[str]) -> EntryQuerySet:
    """Those of `entries` that are of the `chosen` event types."""
    wanted = is_any(name for name in chosen if name != OTHER)
    return entries.filter(wanted | ~is_any(EVENT_TYPES) if OTHER in chosen else wanted)


def _step(old: EntryQuerySet, last: Key | None, size: int) -> tuple[EntryQuerySet, Key] | None:
    """The next entries of `old` after `last`, and the last of them; None at the end."""
    rest = old if last is None else old.filter(op_time__gte=last[0]).filter(Q(op_time__gt=last[0]) | Q(pk__gt=last[1]))
    keys = rest.order_by("op_time", "pk").values_list("op_time", "pk")
    end = keys[size - 1 : size].first() or rest.order_by("-op_time", "-pk").values_list("op_time", "pk").first()
    if end is None:
        return None
    return rest.filter(op_time__lte=end[0]).filter(Q(op_time__lt=end[0]) | Q(pk__lte=end[1])), end
