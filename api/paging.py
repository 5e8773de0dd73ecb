"""Lists: filter, sort, cut a page, and say so in `X-Total-Count` and `Link`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework.response import Response

from accounts.errors import BadRequest
from api import parameters
from api.paths import raw_path
from api.query import Filter, condition, ordering, parse

Row = TypeVar("Row", bound=Model)

MAX_PAGE_SIZE = 100
UNPAGED = 10_000
"""`page_size=0` asks for everything; beyond this many rows it is refused, not cut short in silence."""


@dataclass(frozen=True, slots=True)
class Page:
    """The page a client asked for. `size` 0 is everything."""

    number: int
    size: int

    @classmethod
    def of(cls, request: HttpRequest) -> Page:
        number = parameters.number(request, "page", 1)
        size = parameters.number(request, "page_size", 10, MAX_PAGE_SIZE)
        return cls(max(number, 1), max(size, 0))

    def bounds(self, total: int) -> tuple[int, int]:
        """Where the page begins and ends among `total` rows."""
        if not self.size:
            if total > UNPAGED:
                raise BadRequest(f"more than {UNPAGED} entries: ask for them page by page")
            return 0, total
        start = min((self.number - 1) * self.size, total)
        return start, min(start + self.size, total)

    def links(self, request: HttpRequest, total: int) -> str:
        """The `Link` header; empty where there is no other page."""
        if not self.size:
            return ""
        found = []
        if self.number > 1 and (self.number - 1) * self.size < total:
            found.append(f'<{self.address(request, self.number - 1)}>; rel="prev"')
        if self.number * self.size < total:
            found.append(f'<{self.address(request, self.number + 1)}>; rel="next"')
        return " , ".join(found)

    def address(self, request: HttpRequest, number: int) -> str:
        """This list at another page: relative, its parameters in order of their names, legible where that is safe."""
        asked: dict[str, list[object]] = {key: list(request.GET.getlist(key)) for key in request.GET}
        asked |= {"page": [number], "page_size": [self.size]}
        pairs = [f"{readable(key)}={readable(str(value))}" for key, values in sorted(asked.items()) for value in values]
        return f"{raw_path(request)}?{'&'.join(pairs)}"


def readable(value: str) -> str:
    """`value` for a query inside a header: only what would change its meaning is escaped."""
    return quote(value, safe="=~,:/@!$'()*;?[]{}|", errors="replace")


def counted(request: HttpRequest, rows: Sequence[Any], total: int, page: Page) -> Response:
    """`rows` as a page of `total`. Never null: go-swagger makes an empty list of one that was not filled."""
    headers = {"X-Total-Count": str(total)}
    if links := page.links(request, total):
        headers["Link"] = links
    return Response(rows, headers=headers)


def keys_of(rows: QuerySet[Any], start: int, end: int, total: int) -> list[Any]:
    """The ids of the rows from `start` to before `end`, read from the nearer end of the `total`."""
    if start >= end:
        return []
    keys = rows.values_list("pk", flat=True)
    if start <= total - end:
        return list(keys[start:end])
    return list(keys.reverse()[total - end : total - start])[::-1]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list can be filtered and sorted by, in Harbor's words, and how it is sorted unasked."""

    default: tuple[str, ...]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    count: Callable[[Any], int] = QuerySet.count
    """How many rows there are in all, exactly; for lists that are too long to be counted each time."""
    find: Callable[[Any], list[Any] | int] | None = None
    """All keys of rows in their order, or how many there are; for lists that take long to look through, too."""

    def answer(
        self,
        request: HttpRequest,
        rows: QuerySet[Row],
        shape: Callable[[list[Row]], list[Any]],
        dress: Callable[[Any], QuerySet[Row]] = lambda rows: rows,
    ) -> Response:
        """The page of `rows` that `request` asks for.

        Only keys are read to find the page; `dress` adds joins and counts to the rows on it, however deep it lies.
        """

        def show(keys: list[Any]) -> list[Any]:
            found = {row.pk: row for row in dress(rows.model._default_manager.filter(pk__in=keys))}
            return shape([found[key] for key in keys if key in found])

        return self.answer_keys(request, rows, show)

    def answer_keys(
        self, request: HttpRequest, rows: QuerySet[Any], show: Callable[[list[Any]], list[Any]]
    ) -> Response:
        """The page of `rows` that `request` asks for; `show` gives the entries with these keys, in their order."""
        page = Page.of(request)
        rows = rows.filter(condition(parse(request.GET.get("q", "")), self.filters))
        rows = rows.order_by(*ordering(request.GET.get("sort", ""), self.sorts, self.default))
        found = self.find(rows) if self.find else self.count(rows)
        total = found if isinstance(found, int) else len(found)
        start, end = page.bounds(total)
        keys = keys_of(rows, start, end, total) if isinstance(found, int) else found[start:end]
        return counted(request, show(keys) if keys else [], total, page)
