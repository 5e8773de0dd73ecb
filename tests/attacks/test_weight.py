"""Manifests that are heavy on purpose: what many of them weigh together never has to be answered, or held, at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from artifacts.models import Artifact, Reference
from tests.api.calling import caller
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import door_of
from tests.stack import content
from tests.stack.content import Pushable

SUBJECT = content.image(text="what they are about")
KIND = "application/vnd.test.heavy"
MEGABYTE = 1_000_000


@pytest.fixture
def heavy(cast: Cast, registry: FakeRegistry) -> list[Pushable]:
    """Six artifacts about one subject, whose annotations are a megabyte each."""
    notes = [{"note": f"{number}{'v' * MEGABYTE}"} for number in range(6)]
    artifacts = [content.artifact(KIND, subject=SUBJECT, annotations=note) for note in notes]
    for artifact in artifacts:
        answer = door_of(cast.developer).push(registry, "private/app", artifact.digest(), artifact)
        assert answer.status_code == 201, answer.content
    return artifacts


@pytest.mark.parametrize("query", ["", f"?artifactType={KIND}"])
def test_referrers_come_page_by_page(cast: Cast, heavy: list[Pushable], query: str) -> None:
    path, found, pages = f"private/app/referrers/{SUBJECT.digest()}{query}", [], 0
    while path:
        answer = door_of(cast.guest)("GET", path)
        assert answer.status_code == 200
        notes = [entry["annotations"]["note"] for entry in answer.json()["manifests"]]
        assert sum(len(note.encode()) for note in notes) <= 4 * 2**20
        assert answer.headers.get("OCI-Filters-Applied") == ("artifactType" if query else None)
        found += answer.json()["manifests"]
        link = re.fullmatch(r'</v2/([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        path, pages = link[1] if link else "", pages + 1

    assert pages == 2
    assert [(entry["digest"], entry["annotations"]) for entry in found] == [
        (artifact.digest(), artifact.document["annotations"]) for artifact in heavy
    ]


def test_a_page_of_referrers_that_is_none(cast: Cast, heavy: list[Pushable]) -> None:
    for last in ("x", "-1", "", "٣", "9" * 30):
        assert door_of(cast.guest)("GET", f"private/app/referrers/{SUBJECT.digest()}?last={last}").status_code == 400
    beyond = door_of(cast.guest)("GET", f"private/app/referrers/{SUBJECT.digest()}?last={10**17}")
    assert beyond.json()["manifests"] == []


def test_lists_show_nothing_of_what_is_too_large(cast: Cast, registry: FakeRegistry, heavy: list[Pushable]) -> None:
    config = content.Blob(b'{"architecture":"amd64","os":"linux","config":{"Env":["' + b"x" * MEGABYTE + b'"]}}')
    config = content.Blob(config.content, content.OCI_CONFIG)
    image = content.manifest({**SUBJECT.document, "config": config.descriptor()}, (config, *SUBJECT.blobs[1:]))
    entries = [image.descriptor(annotations={"note": "x" * MEGABYTE}, platform={"os": "linux", "architecture": "arm"})]
    index = content.manifest({**content.index(image).document, "manifests": entries}, children=(image,))
    door = door_of(cast.developer)
    assert door.push(registry, "private/app", "v1", index).status_code == 201

    asks: tuple[Callable[[], Any], ...] = (
        lambda: caller(cast.guest).get("/projects/private/repositories/app/artifacts?page_size=100&q=base%3D%2A"),
        lambda: caller(cast.guest).get("/projects/private/artifacts?with_accessory=true"),
        lambda: caller(cast.guest).raw("GET", "/projects/private/repositories/app"),
    )
    for ask in asks:
        answer = ask()
        assert answer.status_code == 200
        assert len(answer.content) < MEGABYTE // 10
    assert all(row.extra_attrs == {} or len(str(row.extra_attrs)) < 70_000 for row in Artifact.objects.all())
    assert Reference.objects.get().annotations == {}
    assert door_of(cast.guest).get("private/app", "v1").content == index.content
