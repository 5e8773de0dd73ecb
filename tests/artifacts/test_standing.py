"""Whether lists show an artifact follows from tags, indexes and kinships, in whatever order they come and go."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from artifacts import actions, fsck, totals
from artifacts.models import Artifact, Repository, Tag
from artifacts.standing import misplaced
from tests.artifacts.conftest import door_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE
from tests.stack import content

pytestmark = pytest.mark.django_db
NAME = "private/app"
OTHER = content.image(*IMAGE.blobs[1:], text="another")
INDEX = content.index(IMAGE, OTHER)
SIGNATURE = content.artifact("application/vnd.cncf.notary.signature", IMAGE.blobs[0], subject=IMAGE)


def standing() -> dict[str, tuple[bool, bool]]:
    """(listed, tagged) by digest, which must be true."""
    assert not misplaced(Artifact.objects.all()).exists()
    return {row.digest: (row.listed, row.tagged) for row in Artifact.objects.all()}


def test_pushes_tags_and_deletions_settle_what_they_are_about(cast: Cast, registry: FakeRegistry) -> None:
    door, actor = door_of(cast.alice), cast.alice.actor

    def push(reference: str, what: content.Pushable) -> None:
        assert door.push(registry, NAME, reference, what).status_code == 201

    push(IMAGE.digest(), IMAGE)
    assert standing() == {IMAGE.digest(): (True, False)}
    push("other", OTHER)
    push("all", INDEX)
    assert standing() == {
        IMAGE.digest(): (False, False),
        OTHER.digest(): (True, True),
        INDEX.digest(): (True, True),
    }
    push("other", INDEX)  # the tag moves: its artifact is but an entry now
    assert standing()[OTHER.digest()] == (False, False)
    actions.create_tag(actor, Artifact.objects.get(digest=IMAGE.digest()), "amd64")
    assert standing()[IMAGE.digest()] == (True, True)
    actions.delete_tag(actor, Tag.objects.get(name="amd64"))
    assert standing()[IMAGE.digest()] == (False, False)
    push("kept", IMAGE)
    push(SIGNATURE.digest(), SIGNATURE)
    assert standing()[SIGNATURE.digest()] == (False, False)
    actions.delete_artifact(actor, Artifact.objects.get(digest=INDEX.digest()))
    assert standing() == {IMAGE.digest(): (True, True), SIGNATURE.digest(): (False, False)}


def test_a_tag_that_moved_meanwhile_is_taken_from_where_it_is(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.alice)
    assert door.push(registry, NAME, "v1", IMAGE).status_code == 201
    seen = Tag.objects.get(name="v1")
    assert door.push(registry, NAME, "v1", OTHER).status_code == 201
    actions.delete_tag(cast.alice.actor, seen)
    assert standing() == {IMAGE.digest(): (True, False), OTHER.digest(): (True, False)}


def test_what_is_wrong_all_the_same_is_named_and_put_right(cast: Cast, registry: FakeRegistry) -> None:
    assert door_of(cast.alice).push(registry, NAME, "v1", IMAGE).status_code == 201
    assert list(fsck.lists()) == []
    Artifact.objects.update(listed=False, tagged=False)
    assert list(fsck.lists()) == ["I6 private: lists know 1 artifacts wrongly"]
    told = StringIO()
    call_command("recount", stdout=told)
    assert "private: lists knew 1 artifacts wrongly" in told.getvalue()
    assert standing() == {IMAGE.digest(): (True, True)} and list(fsck.lists()) == []


def test_what_was_counted_while_it_was_wrong_is_counted_again(cast: Cast, registry: FakeRegistry) -> None:
    for name in (NAME, "private/other"):
        assert door_of(cast.alice).push(registry, name, "v1", IMAGE).status_code == 201
    Artifact.objects.filter(repository__name=NAME).update(listed=False)

    def counted() -> dict[str, int]:
        rows = totals.with_counts(list(Repository.objects.order_by("name")))
        for row in rows:
            listed = Artifact.objects.filter(repository=row).listed()
            assert totals.total(listed, row.update_time) == row.artifact_count  # type: ignore[attr-defined]
        return {row.name: row.artifact_count for row in rows}  # type: ignore[attr-defined]

    assert counted() == {NAME: 0, "private/other": 1}
    other = Repository.objects.get(name="private/other").update_time
    call_command("recount", stdout=StringIO())
    assert counted() == {NAME: 1, "private/other": 1}
    assert Repository.objects.get(name="private/other").update_time == other  # nothing was wrong there
