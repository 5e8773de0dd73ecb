from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.actors import ANONYMOUS
from audit.actions import record
from audit.events import EVENT_TYPES
from audit.models import Entry
from configuration import values
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_an_entry_says_who_did_what_where(cast: Cast) -> None:
    record(cast.developer.actor, "create", "artifact", "private/web:1", project=cast.private, digest="sha256:1")

    entry = Entry.objects.get()
    assert (entry.username, entry.operation, entry.resource_type) == ("developer", "create", "artifact")
    assert (entry.resource, entry.project_id, entry.success) == ("private/web:1", cast.private.pk, True)
    assert entry.event_type == "create_artifact"
    assert entry.details == {"digest": "sha256:1"}


def test_an_anonymous_pull_has_harbors_name() -> None:
    assert record(ANONYMOUS, "pull", "artifact", "library/a:1").username == "anonymous"


def test_a_failed_login_is_recorded_as_failed(cast: Cast) -> None:
    record(cast.guest.actor, "login", "user", "guest", success=False)

    assert not Entry.objects.get().success


@pytest.mark.parametrize(
    "text",
    ["a\nFAKE entry", "a\r\nb", "a\x1b[2Jb", "a\x00b", "a\u2028b", "a\u202egpj.exe", "a\ud800b", "a\x85b", "a\tb"],
)
def test_one_entry_is_one_line(text: str) -> None:
    record(ANONYMOUS, text[:60], "user", text, description=text, agent=text, nested={"list": [text]})

    entry = Entry.objects.get()
    shown = f"{entry.operation} {entry.resource} {entry.operation_description} {entry.details}"
    assert len(shown.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", shown)
    assert entry.resource.startswith("a\\u")


def test_names_of_all_languages_stay_as_they_are() -> None:
    assert record(ANONYMOUS, "create", "project", "镜像 été שלום").resource == "镜像 été שלום"


def test_what_is_too_long_is_cut() -> None:
    record(ANONYMOUS, "o" * 999, "t" * 999, "r" * 9999, description="d" * 9999, agent="a" * 99999, many=[1] * 9999)

    entry = Entry.objects.get()
    assert entry.resource == "r" * 511 + "…"
    assert (len(entry.operation), len(entry.resource_type), len(entry.operation_description)) == (64, 64, 1024)
    assert len(entry.details["agent"]) == 1024
    assert len(entry.details["many"]) == 100


def test_a_detail_named_like_a_secret_is_hidden() -> None:
    canary = "canary-7f3a"
    details: dict[str, Any] = {"ldap_search_password": canary, "auth": {"client_secret": canary, "Token": [canary]}}

    record(ANONYMOUS, "update", "configuration", "system", keys=["a"], **details)

    entry = Entry.objects.get()
    assert canary not in f"{entry} {entry.details} {entry.operation_description}"
    assert entry.details["keys"] == ["a"]


def test_what_is_rolled_back_was_never_recorded() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record(ANONYMOUS, "create", "user", "x")
        raise RuntimeError

    assert not Entry.objects.exists()


def test_a_disabled_type_is_not_kept_and_others_are() -> None:
    values.set_values({"disabled_audit_log_event_types": "login_user, create_user"})

    for operation in ("login", "create", "delete"):
        record(ANONYMOUS, operation, "user", "x")

    assert [entry.operation for entry in Entry.objects.all()] == ["delete"]


def test_the_events_are_the_18_of_harbor() -> None:
    assert len(set(EVENT_TYPES)) == 18


def test_entries_are_listed_by_the_projects_that_somebody_may_see(cast: Cast) -> None:
    record(ANONYMOUS, "create", "artifact", "private/a", project=cast.private)
    record(ANONYMOUS, "create", "artifact", "public/a", project=cast.public)
    record(ANONYMOUS, "login", "user", "somebody")

    def listed(projects: Any) -> list[str]:
        return [entry.resource for entry in Entry.objects.of_projects(projects).newest_first()]

    assert listed([cast.private.pk, cast.public.pk]) == ["public/a", "private/a"]
    assert listed([cast.public.pk]) == ["public/a"]
    assert listed([]) == []


def test_entries_are_chosen_by_event_type() -> None:
    for operation, resource_type in [("pull", "artifact"), ("create", "artifact"), ("pull", "chart")]:
        record(ANONYMOUS, operation, resource_type, "x")

    assert [entry.event_type for entry in Entry.objects.of_events(["pull_artifact"])] == ["pull_artifact"]
    assert not Entry.objects.of_events([]).exists()


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"username": "alice"},
        {"resource": "library/a:1"},
        {"resource_type": "artifact"},
        {"operation": "pull"},
        {"project_id": 1},
        {"op_time__range": ("2026-01-01 00:00Z", "2026-02-01 00:00Z")},
        {"success": False},
        {"username": "alice", "success": False},
    ],
)
def test_every_filter_reads_an_index_in_the_order_of_the_list(chosen: dict[str, Any]) -> None:
    query = Entry.objects.filter(**chosen).newest_first()[:10]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # an empty table is read from end to end, unless told not to
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")

    plan = query.explain()

    assert ("entry_failed_username_time" if {"username", "success"} <= chosen.keys() else "entry_") in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
