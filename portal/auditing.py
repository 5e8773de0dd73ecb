"""The log as pages and files show it: which entries are asked for, and how they become lines of a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Entry, EntryQuerySet
from audit.pages import page
from audit.totals import Counted
from portal.listing import Bounded, Choice, choice_of, query_of, word_of
from portal.names import EVENTS

MOST_LINES = 100_000
"""Lines of a file, the newest. Who needs more asks for a shorter time, or has the log forwarded."""
CHUNK = 2000
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell may not begin with: a spreadsheet would run it."""
HEAD = ("time", "username", "operation", "resource_type", "resource", "result", "description")


class LogPages(Bounded):
    """Pages of the log, counted and found as the API does it."""

    @cached_property
    def _counted(self) -> Counted:
        rows: Any = self.object_list
        return Counted(rows.order_by())

    @cached_property
    def _found(self) -> int:
        return self._counted.total

    def page(self, number: Any) -> Page[Entry]:
        number = self.validate_number(number)
        rows: Any = self.object_list
        start = (number - 1) * self.per_page
        keys = page(self._counted, rows.query.order_by, start, min(start + self.per_page, self.count))
        entries = rows.in_bulk(keys)
        return Page([entries[key] for key in keys if key in entries], number, self)


def choices_of(request: HttpRequest) -> list[Choice]:
    """The filters that are chosen from a list: the kind of event, and how it ended."""
    events = sorted(((kind, str(name)) for kind, name in EVENTS.items()), key=lambda event: event[1])
    results = [("done", _("Done")), ("failed", _("Failed"))]
    return [
        choice_of(request, "event", _("All events"), events),
        choice_of(request, "result", _("Done or failed"), results),
    ]


def asked_for(request: HttpRequest, rows: EntryQuerySet) -> EntryQuerySet:
    """Those of `rows` that the address asks for: by who (`q`), `resource`, `event`, `result`, and days.

    Names are compared whole, as the indexes of the log are made: a part of a name would read every entry there is.
    """
    event, result = (choice.chosen for choice in choices_of(request))
    if who := query_of(request):
        rows = rows.filter(username=who)
    if resource := word_of(request, "resource"):
        rows = rows.filter(resource=resource)
    if event:
        rows = rows.of_events([event])
    if result:
        rows = rows.filter(success=result == "done")
    first, last = day_of(request, "from"), day_of(request, "to")
    if first:
        rows = rows.filter(op_time__gte=_midnight(first))
    if last:
        rows = rows.filter(op_time__lt=_midnight(last + timedelta(days=1)))
    return rows


def day_of(request: HttpRequest, name: str) -> date | None:
    """The day that the address gives, as a date field sends it; None for none, or one beyond the calendar's ends."""
    try:
        day = date.fromisoformat(word_of(request, name))
    except ValueError:
        return None
    return day if 1 < day.year < 9999 else None


def _midnight(day: date) -> datetime:
    """When the day begins where the reader is."""
    return timezone.make_aware(datetime.combine(day, time.min))


class _Line:
    """What `csv` writes to, and gives back what it would have written."""

    def write(self, text: str) -> str:
        return text


def lines(rows: EntryQuerySet, most: int = MOST_LINES) -> Iterator[str]:
    """The newest of `rows` as CSV, `most` of them, read and sent a piece at a time."""
    writer: Any = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(HEAD)  # by which a spreadsheet knows UTF-8
    for entry in rows.newest_first()[:most].iterator(chunk_size=CHUNK):
        yield writer.writerow([_harmless(cell) for cell in _cells(entry)])


def _cells(entry: Entry) -> Iterable[str]:
    when = entry.op_time.astimezone(UTC).isoformat(timespec="seconds")
    result = "done" if entry.success else "failed"
    who, what = (entry.username, entry.operation), (entry.resource_type, entry.resource)
    return (when, *who, *what, result, entry.operation_description)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell
