"""Lists of artifacts: every filter finds what it says, every sort sorts, and pages put together are the whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from artifacts import actions
from artifacts.models import Artifact, Repository, Tag
from artifacts.totals import UNTIL_COUNTED
from projects import labels
from tests.api.calling import Caller, caller
from tests.api.stage import make_image, make_index, make_repository, make_signature
from tests.cast import Cast

pytestmark = pytest.mark.django_db
DAY = datetime(2025, 3, 1, tzinfo=UTC)
IN_REPOSITORY = "/projects/private/repositories/app/artifacts"
LISTS = (IN_REPOSITORY, "/projects/private/artifacts")
Row = dict[str, Any]


@pytest.fixture
def shelf(cast: Cast) -> Repository:
    """Twelve images, charts among them, some without a tag; an index, whose child has none; a signature."""
    repository = make_repository(cast.private)
    for number in range(12):
        tags = [f"v{number}", f"nightly-{number}"][: number % 3]
        made = make_image(repository, *tags, type="CHART" if number % 4 == 3 else "IMAGE")
        pulled = DAY + timedelta(days=number) if number % 2 else None
        pushed = DAY + timedelta(hours=number // 2)  # two at a time
        Artifact.objects.filter(pk=made.pk).update(size=1000 - number % 5, push_time=pushed, pull_time=pulled)
    child, signed = make_image(repository), make_image(repository, "signed")
    make_index(repository, "multi", child)
    make_signature(signed)
    return repository


def read(who: Caller, address: str, **asked: object) -> tuple[list[Row], int]:
    """The entries, and how many there are in all."""
    words = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in asked.items())
    answer = who.get(f"{address}?{words}")
    assert answer.status_code == 200, (address, asked, answer.content)
    return answer.json(), int(answer["X-Total-Count"])


def names(row: Row) -> set[str]:
    return {tag["name"] for tag in row["tags"] or ()}


FILTERS: dict[str, Callable[[Row], bool]] = {
    "tags=*": lambda row: bool(names(row)),
    "tags=nil": lambda row: not names(row),
    "tags=v2": lambda row: "v2" in names(row),
    "tags=~nightly": lambda row: any("nightly" in name for name in names(row)),
    "type=CHART": lambda row: row["type"] == "CHART",
    "type={CHART WASM}": lambda row: row["type"] == "CHART",
    "type=~char": lambda row: row["type"] == "CHART",
    "size=[998~999]": lambda row: 998 <= row["size"] <= 999,
    "size=998,type=IMAGE": lambda row: row["size"] == 998 and row["type"] == "IMAGE",
    "push_time=[2025-03-01T02:00:00~2025-03-01T03:00:00]": lambda row: (
        "T02" in row["push_time"] or "T03:00:00.000" in row["push_time"]
    ),
    "pull_time=[2025-03-02~2025-03-05]": lambda row: "2025-03-02" <= row["pull_time"] <= "2025-03-05T00:00:00.000Z",
    "media_type=~config": lambda row: "config" in row.get("media_type", ""),
    "repository_name=~APP": lambda row: True,
    "repository_name=private/other": lambda row: False,
    "type={}": lambda row: False,
}
SORTS = ("id", "digest", "type", "size", "push_time", "pull_time", "repository_id")


def test_every_filter_finds_what_it_says(cast: Cast, shelf: Repository) -> None:
    admin = caller(cast.admin)
    for address in LISTS:
        everything, total = read(admin, address, page_size=100)
        assert len(everything) == total == 14
        for asked, wanted in FILTERS.items():
            for _ in range(2):  # found, and remembered
                found, count = read(admin, address, page_size=100, q=asked)
                expected = [row["id"] for row in everything if wanted(row)]
                assert ([row["id"] for row in found], count) == (expected, len(expected)), (address, asked)


def test_every_sort_sorts_and_its_pages_are_the_whole(cast: Cast, shelf: Repository) -> None:
    admin = caller(cast.admin)
    for address in LISTS:
        for name in SORTS:
            for sort, asked in ((name, ""), (f"-{name}", ""), (name, "size=[1~2000]")):
                whole, total = read(admin, address, page_size=100, sort=sort, q=asked)
                values = [row[name] for row in whole if row[name] != "0001-01-01T00:00:00.000Z"]
                assert values == sorted(values, reverse=sort != name), (address, sort)
                pages = [read(admin, address, page_size=4, page=page, sort=sort, q=asked)[0] for page in range(1, 6)]
                assert [row["id"] for page in pages for row in page] == [row["id"] for row in whole], (address, sort)
                assert total == len(whole) == len({row["id"] for row in whole})


def test_a_filtered_list_follows_what_changes(cast: Cast, shelf: Repository) -> None:
    admin, actor = caller(cast.admin), cast.admin.actor
    label = labels.create_label(actor, name="good", project=cast.private)
    asked = {"tags=nil": 0, "tags=~v": 0, f"labels=({label.pk})": 0}

    def counts() -> list[int]:
        return [read(admin, IN_REPOSITORY, q=each)[1] for each in asked]

    assert counts() == [4, 8, 0]
    plain = Artifact.objects.get(tags__name="v2")
    actions.attach_label(actor, plain, label)
    assert counts() == [4, 8, 1]
    actions.delete_tag(actor, Tag.objects.get(name="v1"))
    assert counts() == [5, 7, 1]
    actions.create_tag(actor, plain, "v2.0")
    actions.detach_label(actor, plain, label)
    assert counts() == [5, 7, 0]
    actions.attach_label(actor, plain, label)
    assert counts() == [5, 7, 1]
    labels.delete_label(actor, label)
    assert counts() == [5, 7, 0]


def test_what_is_sorted_by_pulls_is_remembered_no_longer_than_until_they_are_counted(
    cast: Cast, shelf: Repository
) -> None:
    redis: Any = cache._cache.get_client()  # type: ignore[attr-defined]
    for sort in ("pull_time", "-pull_time", "-PullTime", "size,pull_time"):
        read(caller(cast.admin), IN_REPOSITORY, q="type=IMAGE", sort=sort)
        assert [key for key in redis.keys("*artifacts.total*") if redis.ttl(key) > UNTIL_COUNTED] == [], sort
    read(caller(cast.admin), IN_REPOSITORY, q="type=IMAGE", sort="size")
    assert [key for key in redis.keys("*artifacts.total*") if redis.ttl(key) > UNTIL_COUNTED]


def test_labels_are_known_however_the_question_is_escaped(cast: Cast, shelf: Repository) -> None:
    admin, actor = caller(cast.admin), cast.admin.actor
    label = labels.create_label(actor, name="good", project=cast.private)
    asked = {"q": f"%6Cabels=({label.pk})"}
    assert read(admin, IN_REPOSITORY, **asked)[1] == 0
    actions.attach_label(actor, Artifact.objects.get(tags__name="v2"), label)
    assert read(admin, IN_REPOSITORY, **asked)[1] == 1


def test_a_long_page_asks_as_often_as_a_short_one(cast: Cast, shelf: Repository) -> None:
    admin = caller(cast.admin)
    Artifact.objects.filter(tags__name="multi").update(push_time=timezone.now())  # the entries of indexes are a query
    dressed = "with_label=true&with_accessory=true"
    tags = f"{IN_REPOSITORY}/v2/tags?"
    for address in (f"{IN_REPOSITORY}?{dressed}", f"{LISTS[1]}?{dressed}&q=type%3DIMAGE", "/repositories?", tags):
        numbers = []
        for size in (1, 10, 100):
            admin.get(f"{address}&page_size={size}")  # what is remembered is remembered
            with CaptureQueriesContext(connection) as asked:
                assert admin.get(f"{address}&page_size={size}").json()
            numbers.append(len(asked))
        assert len(set(numbers)) == 1, (address, numbers)
