"""Quotas in words, and the warning before they are full."""

from __future__ import annotations

import pytest

from accounts.actions import configure
from accounts.actors import SYSTEM
from accounts.errors import Denied, NotFound
from audit.models import Entry
from projects import actions, quotas
from projects.models import Quota
from tests.cast import Cast

MIB = 1024 * 1024


def warnings() -> list[str]:
    rows = Entry.objects.filter(operation="warn", resource_type="quota").order_by("pk")
    return list(rows.values_list("operation_description", flat=True))


def test_bytes_are_readable() -> None:
    sizes = {0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 21_076_378: "20.1 MiB", MIB - 1: "1024.0 KiB"}
    sizes |= {1024**3: "1.0 GiB", 1024**4: "1.0 TiB", 2**62: "4.0 EiB"}
    assert {size: quotas.readable(size) for size in sizes} == sizes


def test_what_does_not_fit_is_told_in_harbors_words(cast: Cast) -> None:
    Quota.objects.filter(project=cast.private).update(hard=20 * MIB, used=MIB)
    with pytest.raises(Denied) as refused:
        actions.charge(cast.private.pk, 20 * MIB)
    assert refused.value.message == (
        "Quota exceeded when processing the request of adding 20.0 MiB of storage resource, which when updated to "
        "current usage of 1.0 MiB will exceed the configured upper limit of 20.0 MiB."
    )


def test_one_warning_for_each_crossing(cast: Cast) -> None:
    Quota.objects.filter(project=cast.private).update(hard=100)
    for amount in (84, 1, 5, 10, -50, 10, 26):
        actions.charge(cast.private.pk, amount, actor=cast.developer.actor)
    assert warnings() == [
        "the project uses 85% of its quota: 85 B of 100 B",
        "the project uses 86% of its quota: 86 B of 100 B",
    ]
    entry = Entry.objects.filter(resource_type="quota").first()
    assert entry and (entry.username, entry.resource, entry.project_id) == ("developer", "private", cast.private.pk)
    assert entry.details == {"used": 85, "hard": 100}


def test_no_warning_without_a_limit_or_where_it_is_not_enforced(cast: Cast) -> None:
    actions.charge(cast.private.pk, MIB)
    Quota.objects.filter(project=cast.public).update(hard=100)
    with pytest.raises(Denied):
        actions.charge(cast.public.pk, 101)
    configure(SYSTEM, {"quota_per_project_enable": False})
    actions.charge(cast.public.pk, 90)
    assert warnings() == []


def test_room(cast: Cast) -> None:
    Quota.objects.filter(project=cast.private).update(hard=100, used=60)
    actions.require_room(cast.private.pk, 40)
    actions.require_room(cast.public.pk, 2**70)
    with pytest.raises(Denied):
        actions.require_room(cast.private.pk, 41)
    assert Quota.objects.get(project=cast.private).used == 60
    with pytest.raises(NotFound):
        actions.require_room(12345, 0)
