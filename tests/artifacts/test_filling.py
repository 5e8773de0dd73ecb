"""The migration that fills in what lists show works on an installation where people go on pushing and pulling."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from artifacts.models import Artifact, Repository
from artifacts.standing import misplaced
from tests.api.stage import make_image, make_index, make_repository, make_signature
from tests.cast import Cast
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def fill(limit: str = "") -> None:
    """As `migrate` does it, where PostgreSQL ends what takes longer than `limit`."""
    migration: Any = import_module("artifacts.migrations.0006_listed_indexes")
    with connection.schema_editor(atomic=False) as editor:
        if limit and connection.vendor == "postgresql":
            editor.execute(f"SET statement_timeout = '{limit}'")
        migration.fill(None, editor)


def test_it_waits_for_pulls_that_are_counted_and_both_are_done(cast: Cast) -> None:
    """Longer than a statement may take; and the pulls hold one artifact, then want another that comes before it."""
    repository = make_repository(cast.private, "app")
    first, last = make_image(repository, "v1"), make_image(repository, "v2")
    index = make_index(repository, "all", make_image(repository))
    make_signature(index)
    Artifact.objects.update(listed=True, tagged=False)  # as the columns come
    assert misplaced(Artifact.objects.all()).count() == 5
    counting = threading.Event()

    def count() -> None:
        with transaction.atomic():
            Repository.objects.filter(pk=repository.pk).update(pull_count=F("pull_count") + 2)
            raise_count(last)
            counting.set()
            threading.Event().wait(0.6)
            raise_count(first)

    def raise_count(artifact: Artifact) -> None:
        Artifact.objects.filter(pk=artifact.pk).update(pull_count=F("pull_count") + 1)

    def migrate() -> None:
        assert counting.wait(20)
        fill("100ms")

    assert at_once([count, migrate]) == [None, None]
    assert not misplaced(Artifact.objects.all()).exists()
    assert [Artifact.objects.get(pk=one.pk).pull_count for one in (first, last)] == [1, 1]
    fill()  # again, as after a migration that was interrupted
    assert not misplaced(Artifact.objects.all()).exists()
