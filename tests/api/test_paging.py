"""Pages: how long, how many, and where the others are."""

from __future__ import annotations

import pytest

from api.paging import UNPAGED
from projects.models import Project
from tests.api.calling import caller, code
from tests.cast import Cast, make_project


@pytest.fixture
def many(cast: Cast) -> Cast:
    """23 more projects, so that there are 25."""
    for number in range(23):
        make_project(f"p{number:02}")
    return cast


def link(number: int, rel: str, size: int = 10, query: str = "") -> str:
    return f'</api/v2.0/projects?page={number}&page_size={size}{query}>; rel="{rel}"'


@pytest.mark.parametrize(
    ("query", "names", "links"),
    [
        ("", 10, link(2, "next")),
        ("?page=2", 10, f"{link(1, 'prev')} , {link(3, 'next')}"),
        ("?page=3", 5, link(2, "prev")),
        ("?page=4", 0, None),
        ("?page=1000000000&page_size=100", 0, None),
        ("?page=9223372036854775807", 0, None),
        ("?page=0", 10, link(2, "next")),
        ("?page=-1", 10, link(2, "next")),
        ("?page_size=25", 25, None),
        ("?page_size=100", 25, None),
        ("?page_size=0", 25, None),
        ("?page_size=-1", 25, None),
        ("?page=&page_size=", 10, link(2, "next")),
        ("?page_size=24", 24, link(2, "next", 24)),
        ("?q=name=~p&page_size=5", 5, link(2, "next", 5, "&q=name=~p")),
        ("?q=name%3D~p&page_size=5", 5, link(2, "next", 5, "&q=name=~p")),
    ],
)
def test_pages(many: Cast, query: str, names: int, links: str | None) -> None:
    response = caller(many.admin).get(f"/projects{query}")
    assert (response.status_code, len(response.json())) == (200, names)
    assert response.get("Link") == links
    assert response["X-Total-Count"] == "25"


def test_pages_neither_repeat_nor_skip(many: Cast) -> None:
    admin, seen, address = caller(many.admin), [], "/api/v2.0/projects?page_size=7&sort=-creation_time"
    while address:
        response = admin.raw("GET", address)
        seen += [project["name"] for project in response.json()]
        nexts = [part for part in response.get("Link", "").split(" , ") if 'rel="next"' in part]
        address = nexts[0].partition(">")[0].removeprefix("<") if nexts else ""
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.parametrize("query", ["page_size=101", "page_size=1000000000", "page=x", "page_size=1.5", "page=1e3"])
def test_a_page_that_cannot_be_is_422(cast: Cast, query: str) -> None:
    response = caller(cast.admin).get(f"/projects?{query}")
    assert (response.status_code, code(response)) == (422, "UNPROCESSABLE_ENTITY")


def test_a_link_is_safe_to_follow_whatever_was_asked(many: Cast) -> None:
    """What would end the address, or the header, is escaped; the link leads to the same list."""
    query = "q=name%3D~p%250d%250aSet-Cookie:%20a%3Db&name=%0d%0aX:%20y%3C%3E%26%23&page_size=1"
    admin = caller(many.admin)
    response = admin.get(f"/projects?{query}")
    assert response.status_code == 200
    assert "Set-Cookie: a" not in str(response.headers)
    response = admin.get("/projects?q=name=~p&unknown=%0d%0aX:%20y%3C%3E%26%23&page_size=1")
    address = response["Link"].partition(">")[0].removeprefix("<")
    assert "\r" not in response["Link"] and "%0D%0AX:%20y%3C%3E%26%23" in address
    assert admin.raw("GET", address).json()[0]["name"] == "p01"


def test_everything_at_once_has_a_limit(cast: Cast) -> None:
    Project.objects.bulk_create(Project(name=f"p{number}") for number in range(UNPAGED))
    response = caller(cast.admin).get("/projects?page_size=0")
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
