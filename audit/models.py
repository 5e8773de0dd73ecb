from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from typing import Any


class EntryQuerySet(models.QuerySet["Entry"]):
    def of_projects(self, projects: Iterable[int] | models.QuerySet[Any, Any]) -> EntryQuerySet:
        """Entries of these projects alone: ids, or a query that yields them. Which ones is decided by the caller."""
        return self.filter(project_id__in=projects)

    def newest_first(self) -> EntryQuerySet:
        """As Harbor lists them; each filter of the API has an index that yields this order."""
        return self.order_by("-op_time", "-id")

    def of_events(self, event_types: Iterable[str]) -> EntryQuerySet:
        """Entries of these event types: `pull_artifact`, `login_user`."""
        return self.filter(is_any(event_types))


def is_any(event_types: Iterable[str]) -> models.Q:
    """The condition that an entry is of one of these event types."""
    chosen = models.Q(operation__in=[])
    for event_type in event_types:
        operation, _, resource_type = event_type.partition("_")
        chosen |= models.Q(operation=operation, resource_type=resource_type)
    return chosen


class Entry(models.Model):
    """Something that happened. It refers to people and projects by value: it outlives what it describes."""

    event_id = models.UUIDField(null=True, unique=True)
    """Set where the same event may be delivered twice (batched pulls): the second insert is ignored."""
    op_time = models.DateTimeField()
    username = models.CharField(max_length=255)
    resource_type = models.CharField(max_length=64)
    resource = models.CharField(max_length=512)
    operation = models.CharField(max_length=64)
    operation_description = models.CharField(max_length=1024, blank=True, default="")
    success = models.BooleanField(default=True)
    project_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)

    objects = EntryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-op_time", "-id"], name="entry_time"),
            models.Index(fields=["project_id", "-op_time", "-id"], name="entry_project_time"),
            models.Index(fields=["username", "-op_time", "-id"], name="entry_username_time"),
            models.Index(fields=["operation", "-op_time", "-id"], name="entry_operation_time"),
            models.Index(fields=["resource_type", "-op_time", "-id"], name="entry_type_time"),
            models.Index(fields=["resource", "-op_time", "-id"], name="entry_resource_time"),
            models.Index(fields=["-op_time", "-id"], condition=models.Q(success=False), name="entry_failed_time"),
            models.Index(
                fields=["username", "-op_time", "-id"],
                condition=models.Q(success=False),
                name="entry_failed_username_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.op_time:%Y-%m-%d %H:%M:%S} {self.username} {self.event_type} {self.resource}"

    @property
    def event_type(self) -> str:
        """Harbor's name for the kind of event: `pull_artifact`."""
        return f"{self.operation}_{self.resource_type}"


class Pull(models.Model):
    """A pull that arrived, by the id made at its request: the row that makes a second delivery harmless."""

    event_id = models.UUIDField(primary_key=True)
    arrived = models.DateTimeField(auto_now_add=True, db_index=True)
    waiting = models.TextField(blank=True, default="")
    """The whole record while its counters are still to be raised; empty once they are."""

    class Meta:
        indexes = [
            models.Index(fields=["arrived"], condition=~models.Q(waiting=""), name="pull_waiting"),
        ]

    def __str__(self) -> str:
        return str(self.event_id)


class Ledger(models.Model):
    """The one row about the log as a whole: what was remembered of it is true while `times` is the same."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    times = models.BigIntegerField(default=0)
    """How often entries were purged."""
    counted = models.BigIntegerField(default=0)
    """The id up to which entries are in the tallies."""
    settled = models.BigIntegerField(default=0)
    """The id below which none will appear any more."""
    newest = models.BigIntegerField(default=0)
    """The newest id when that was last looked into; settled once all transactions of then have ended."""
    next_transaction = models.BigIntegerField(default=0)
    """The transaction that would have begun next at that time, as PostgreSQL numbers them."""
    looked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "audit_purged"

    def __str__(self) -> str:
        return f"purged {self.times} times, counted up to {self.counted}"


class Tally(models.Model):
    """How many entries of one kind there are of a day (UTC): in a project, or everywhere."""

    day = models.DateField()
    project_id = models.BigIntegerField()
    """0 for everywhere: entries of all projects and of none."""
    operation = models.CharField(max_length=64)
    resource_type = models.CharField(max_length=64)
    success = models.BooleanField()
    number = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project_id", "day", "operation", "resource_type", "success"], name="tally_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.project_id} {self.operation} {self.resource_type} {self.success}: {self.number}"


class UserTally(models.Model):
    """How many entries of one kind there are of somebody."""

    username = models.CharField(max_length=255)
    operation = models.CharField(max_length=64)
    resource_type = models.CharField(max_length=64)
    success = models.BooleanField()
    number = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["username", "operation", "resource_type", "success"], name="usertally_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.username} {self.operation} {self.resource_type} {self.success}: {self.number}"


class Publication(models.Model):
    """An event on its way to one subscriber. The row goes when the subscriber has done its part."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event_type = models.CharField(max_length=128)
    subscriber = models.CharField(max_length=255)
    """The dotted name of the function that wants to know."""
    event = models.JSONField()
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_index=True)
    """When to try, or try again; moved ahead by whoever tries, so that two do not at once."""
    error = models.CharField(max_length=512, blank=True, default="")
    creation_time = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.event_type} for {self.subscriber}"
