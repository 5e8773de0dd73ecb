"""Pages of what is large cost no more queries than those of what is small."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.views.artifacts import ENTRIES
from tests.api.stage import make_image, make_index, make_signature
from tests.portal.conftest import Reader, Scene


def queries_of(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_an_index_of_many_costs_no_more_queries_than_one_of_two(scene: Scene, reader: Reader) -> None:
    client = reader("admin")
    images = [make_image(scene.repository) for _ in range(12)]
    large = make_index(scene.repository, "large", *images)
    for part in ("tags", "platforms", "config", "manifest", "accessories"):
        few, many = (
            queries_of(client, f"{scene.path}/-/artifacts/{index.digest}?view={part}") for index in (scene.index, large)
        )
        assert many == few <= 20, part

    shown = client.get(f"{scene.path}/-/artifacts/{large.digest}?view=platforms").content.decode()
    assert all(f"/-/artifacts/{image.digest}" in shown for image in images)


def test_an_index_of_hundreds_is_shown_a_page_at_a_time(scene: Scene, reader: Reader) -> None:
    images = [make_image(scene.repository) for _ in range(ENTRIES + 1)]
    path = f"{scene.path}/-/artifacts/{make_index(scene.repository, 'large', *images).digest}?view=platforms"

    first, last = (reader("guest").get(f"{path}&page={page}").content.decode() for page in (1, 2))

    assert f"1 to {ENTRIES} of {ENTRIES + 1}" in first and "?view=platforms&amp;page=2" in first
    assert images[-2].digest in first and images[-1].digest not in first
    assert images[-1].digest in last and images[0].digest not in last
    assert f'<span class="hv-count">{ENTRIES + 1}</span>' in last


def test_many_accessories_cost_no_more_queries_than_one(scene: Scene, reader: Reader) -> None:
    client, path = reader("admin"), f"{scene.image_path}?view=accessories"
    few = queries_of(client, path)
    for _ in range(5):
        make_signature(scene.image)

    assert queries_of(client, path) == few


def test_a_repository_is_searched_by_what_may_be_tag_or_digest(scene: Scene, reader: Reader) -> None:
    client = reader("guest")

    def page(query: str) -> str:
        return client.get(f"{scene.path}?q={query}").content.decode()

    tagged = make_image(scene.repository, "cafe")
    row, other = f"/-/artifacts/{tagged.digest}", f"/-/artifacts/{scene.image.digest}"

    assert row in page("caf") and row in page(tagged.digest[:30]) and row in page(tagged.digest[20:40])
    assert other not in page("cafe") or "cafe" in scene.image.digest
    assert other in page("v1.1") and row not in page("v1.1")
