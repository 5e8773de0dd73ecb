"""Lists whose filters, order and page stand in the address, so that any view of them can be sent to somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PAGE_SIZE = 25
MAX_QUERY = 200
MOST = 10_000
"""Rows of a list that can be paged through. Beyond them one filters: nobody reads page 400, and counting costs."""


@dataclass(frozen=True)
class Found:
    """Rows whose ids are known, in their order: a page reads its own alone."""

    rows: QuerySet[Any]
    ids: list[int]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> list[Any]:
        ids = self.ids[part]
        read = {row.pk: row for row in self.rows.filter(pk__in=ids)}
        return [read[pk] for pk in ids if pk in read]


class Bounded(Paginator):  # type: ignore[type-arg]  # takes none at run time
    """Pages of the first `MOST` rows; counts no further than that."""

    @cached_property
    def count(self) -> int:
        return min(self._found, MOST)

    @property
    def has_more(self) -> bool:
        """Whether there are rows beyond the last page."""
        return self._found > MOST

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list
        if isinstance(rows, Found):
            return len(rows)
        return int(rows.order_by()[: MOST + 1].count())


@dataclass(frozen=True)
class Choice:
    """A filter that is chosen from a list: its name in the address, what it says, its options, what was chosen."""

    name: str
    label: Any
    options: Sequence[tuple[str, Any]]
    chosen: str


@dataclass(frozen=True)
class Listing:
    """One page of a list as asked for: `?q=`, `?sort=` (a column, `-` before it to descend), `?page=`."""

    page: Page[Any]
    query: str
    sort: str
    choices: Sequence[Choice] = field(default_factory=tuple)

    @property
    def numbers(self) -> list[int | str]:
        """Page numbers to offer, with an ellipsis where some are left out."""
        return list(self.page.paginator.get_elided_page_range(self.page.number, on_each_side=1, on_ends=1))

    @property
    def is_filtered(self) -> bool:
        """Whether something was asked for: then an empty list is no empty house."""
        return bool(self.query or any(choice.chosen for choice in self.choices))


def query_of(request: HttpRequest) -> str:
    """The filter text that was asked for; what is longer than anybody types is cut."""
    return word_of(request, "q")


def word_of(request: HttpRequest, name: str) -> str:
    """The text that the address gives for `name`."""
    return request.GET.get(name, "").replace("\0", "").strip()[:MAX_QUERY]


def choice_of(request: HttpRequest, name: str, label: Any, options: Sequence[tuple[str, Any]]) -> Choice:
    """The filter `name` with what the address chooses; empty for what is no option."""
    asked = request.GET.get(name, "")
    return Choice(name, label, options, asked if asked in {option for option, _ in options} else "")


def listing(
    request: HttpRequest,
    rows: QuerySet[Any],
    orders: Mapping[str, Sequence[Any]],
    *,
    default: str,
    per_page: int = PAGE_SIZE,
    choices: Sequence[Choice] = (),
    pages: Callable[[Any, int], Bounded] = Bounded,
    dress: Callable[[Any], QuerySet[Any]] | None = None,
) -> Listing:
    """The page of `rows` that `request` asks for, in one of `orders`; an unknown order or page falls back.

    `dress` adds what is derived to the rows of the page alone, however deep it lies.
    """
    sort = request.GET.get("sort", default)
    if sort.lstrip("-") not in orders or sort.startswith("--"):
        sort = default
    order = [field for field in orders[sort.lstrip("-")]]
    if sort.startswith("-"):
        order = [field[1:] if field.startswith("-") else f"-{field}" for field in order]
    page = pages(rows.order_by(*order), per_page).get_page(request.GET.get("page"))
    if dress:
        shown: Any = page.object_list
        keys = list(shown.values_list("pk", flat=True))
        dressed = dress(rows.model._default_manager.all()).in_bulk(keys)
        page.object_list = [dressed[key] for key in keys if key in dressed]
    return Listing(page=page, query=query_of(request), sort=sort, choices=choices)
