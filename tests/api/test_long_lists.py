"""A page costs as many queries wherever it lies and however long it is, and holds what it should."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry
from tests.api.calling import Caller, caller
from tests.api.stage import make_image, make_repository
from tests.cast import Cast, make_project

LISTS = (
    "/projects",
    "/repositories",
    "/projects/private/repositories",
    "/auditlog-exts",
    "/projects/private/artifacts",
)


def fill(cast: Cast, number: int, start: int = 0) -> None:
    for index in range(start, start + number):
        repository = make_repository(cast.private, f"app-{index:03}")
        make_image(repository, f"v{index}")
        make_project(f"p{index:03}", public=True)
    made = {"username": "alice", "operation": "pull", "resource_type": "artifact", "project_id": cast.private.pk}
    Entry.objects.bulk_create(
        Entry(op_time=timezone.now(), resource=f"private/app:{index}", **made) for index in range(start, start + number)
    )


def queries(who: Caller, address: str) -> int:
    who.get(address)  # what is remembered is remembered
    with CaptureQueriesContext(connection) as asked:
        assert who.get(address).json(), address
    return len(asked)


def test_queries_do_not_grow_with_the_page_nor_its_place(cast: Cast) -> None:
    fill(cast, 12)
    for who in (caller(cast.admin), caller(cast.alice)):
        for address in LISTS:
            one = queries(who, f"{address}?page_size=1")
            assert queries(who, f"{address}?page_size=10") == one, address
            assert queries(who, f"{address}?page_size=1&page=11") == one, address


@pytest.mark.parametrize("sort", ["", "&sort=op_time", "&sort=-resource", "&sort=resource"])
def test_pages_read_from_the_far_end_are_the_same(cast: Cast, sort: str) -> None:
    fill(cast, 23)
    admin = caller(cast.admin)
    whole = [row["id"] for row in admin.get(f"/auditlog-exts?page_size=100{sort}").json()]
    parts: list[int] = []
    for page in range(1, 6):
        response = admin.get(f"/auditlog-exts?page_size=5&page={page}{sort}")
        assert response["X-Total-Count"] == "23"
        parts += [row["id"] for row in response.json()]
    assert parts == whole and len(whole) == 23
