"""Lists whose filter, order and page stand in the address, so that any view of them can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PAGE_SIZE = 25
MAX_QUERY = 200


@dataclass(frozen=True)
class Listing:
    """One page of a list as asked for: `?q=`, `?sort=` (a column, `-` before it to descend), `?page=`."""

    page: Page[Any]
    query: str
    sort: str

    @property
    def numbers(self) -> list[int | str]:
        """Page numbers to offer, with an ellipsis where some are left out."""
        return list(self.page.paginator.get_elided_page_range(self.page.number, on_each_side=1, on_ends=1))


def query_of(request: HttpRequest) -> str:
    """The filter text that was asked for; what is longer than anybody types is cut."""
    return request.GET.get("q", "").replace("\0", "").strip()[:MAX_QUERY]


def listing(
    request: HttpRequest,
    rows: QuerySet[Any],
    orders: Mapping[str, Sequence[Any]],
    *,
    default: str,
    per_page: int = PAGE_SIZE,
) -> Listing:
    """The page of `rows` that `request` asks for, in one of `orders`; an unknown order or page falls back."""
    sort = request.GET.get("sort", default)
    if sort.lstrip("-") not in orders or sort.startswith("--"):
        sort = default
    order = [field for field in orders[sort.lstrip("-")]]
    if sort.startswith("-"):
        order = [field[1:] if field.startswith("-") else f"-{field}" for field in order]
    page = Paginator(rows.order_by(*order), per_page).get_page(request.GET.get("page"))
    return Listing(page=page, query=query_of(request), sort=sort)
