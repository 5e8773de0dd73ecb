"""What was pushed last stands first among the latest pushes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.backends import BACKEND
from artifacts.models import Tag
from tests.api.stage import make_image, make_repository
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_an_old_artifact_that_is_pushed_again_rises(cast: Cast, client: Client) -> None:
    old, new = make_repository(cast.private, "old-one"), make_repository(cast.private, "new-one")
    make_image(old, "v1")
    make_image(new, "v1")
    client.force_login(cast.admin, backend=BACKEND)
    for first, second in ((old, new), (new, old)):
        Tag.objects.filter(repository=first).update(push_time=timezone.now())
        Tag.objects.filter(repository=second).update(push_time=timezone.now() - timedelta(days=1))
        pushes = client.get("/").context["pushes"]
        assert [push["artifact"].repository.name for push in pushes] == [first.name, second.name]
