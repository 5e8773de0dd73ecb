from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.actors import ANONYMOUS
from audit import broker, publishing, tasks
from audit.actions import record
from audit.models import Entry, Publication
from configuration import values
from tests.audit import subscribers
from tests.cast import Cast
from tests.redis import Redis

pytestmark = pytest.mark.django_db

LISTEN = "tests.audit.subscribers.listen"
LISTEN_IF_WELL = "tests.audit.subscribers.listen_if_well"


@pytest.fixture(autouse=True)
def _table(settings: Settings) -> Iterator[None]:
    settings.SUBSCRIBERS = {"create_artifact": [LISTEN, LISTEN_IF_WELL], "delete_artifact": [LISTEN]}
    broker.forgive()
    yield
    subscribers.heard.clear()
    subscribers.broken = False
    broker.forgive()


def deliver_all() -> list[bool]:
    return [publishing.deliver(publication_id) for publication_id in publishing.due()]


def test_a_subscriber_hears_what_happened(cast: Cast) -> None:
    record(cast.developer.actor, "delete", "artifact", "private/web@sha256:1", project=cast.private, digest="sha256:1")

    assert deliver_all() == [True]
    (event,) = subscribers.heard
    assert event["type"] == "delete_artifact"
    assert (event["actor"], event["resource"]) == ("developer", "private/web@sha256:1")
    assert (event["project_id"], event["details"]) == (cast.private.pk, {"digest": "sha256:1"})
    assert not Publication.objects.exists()


def test_where_nobody_subscribes_nothing_is_written() -> None:
    record(ANONYMOUS, "create", "user", "x")

    assert Entry.objects.count() == 1
    assert not Publication.objects.exists()


def test_what_failed_is_not_announced() -> None:
    record(ANONYMOUS, "create", "artifact", "x", success=False)

    assert not Publication.objects.exists()


def test_a_type_that_is_not_kept_is_announced_all_the_same() -> None:
    values.set_values({"disabled_audit_log_event_types": "delete_artifact"})
    record(ANONYMOUS, "delete", "artifact", "x")

    assert deliver_all() == [True]
    assert not Entry.objects.exists()


def test_a_message_that_comes_twice_is_delivered_once() -> None:
    record(ANONYMOUS, "delete", "artifact", "x")
    (publication_id,) = publishing.due()

    assert publishing.deliver(publication_id)
    assert not publishing.deliver(publication_id)
    assert len(subscribers.heard) == 1


def test_one_subscriber_that_fails_keeps_the_event_and_does_not_disturb_another() -> None:
    subscribers.broken = True
    record(ANONYMOUS, "create", "artifact", "x")

    for publication in Publication.objects.order_by("subscriber"):
        if publication.subscriber == LISTEN_IF_WELL:
            with pytest.raises(subscribers.Deaf):
                publishing.deliver(publication.pk)
        else:
            publishing.deliver(publication.pk)

    (left,) = Publication.objects.all()
    assert (left.subscriber, left.attempts) == (LISTEN_IF_WELL, 1)
    assert left.error == "Deaf: line one\\u000aline two"
    assert timezone.now() < left.due_at < timezone.now() + timedelta(minutes=1)
    assert publishing.due() == []
    assert len(subscribers.heard) == 1


def test_it_is_heard_when_the_subscriber_is_well_again() -> None:
    subscribers.broken = True
    record(ANONYMOUS, "create", "artifact", "x")
    publication = Publication.objects.get(subscriber=LISTEN_IF_WELL)
    with pytest.raises(subscribers.Deaf):
        publishing.deliver(publication.pk)

    subscribers.broken = False
    Publication.objects.update(due_at=timezone.now())
    assert publishing.deliver(publication.pk)

    assert [event["resource"] for event in subscribers.heard] == ["x"]


def test_an_event_that_a_dead_worker_held_is_due_again() -> None:
    record(ANONYMOUS, "delete", "artifact", "x")
    (publication_id,) = publishing.due()
    Publication.objects.update(due_at=timezone.now() + timedelta(minutes=5))  # claimed, and never heard of again
    assert not publishing.deliver(publication_id)

    Publication.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert publishing.deliver(publication_id)


def test_the_worker_is_told_once_the_transaction_has_committed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, redis_server: Redis
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record(ANONYMOUS, "delete", "artifact", "x")
        assert redis_server.call("LLEN haven-queue:default") == b":0\r\n"

    assert redis_server.call("LLEN haven-queue:default") == b":1\r\n"


def test_a_broker_that_is_down_costs_nothing_and_loses_nothing(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, no_redis: None
) -> None:
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(20):
            record(ANONYMOUS, "delete", "artifact", f"x{number}")

    assert time.monotonic() - began < 1
    assert len(publishing.due()) == 20


def test_a_broker_that_hangs_is_waited_for_once(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, redis_server: Redis
) -> None:
    assert redis_server.process
    os.kill(redis_server.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with django_capture_on_commit_callbacks(execute=True):
            for number in range(20):
                record(ANONYMOUS, "delete", "artifact", f"x{number}")
        took = time.monotonic() - began
    finally:
        os.kill(redis_server.process.pid, signal.SIGCONT)

    assert took < 1
    assert len(publishing.due()) == 20


def test_the_sweep_sends_what_was_not_delivered_and_the_task_delivers_it(redis_server: Redis) -> None:
    record(ANONYMOUS, "delete", "artifact", "x")
    (publication_id,) = publishing.due()

    tasks.publish()
    assert redis_server.call("LLEN haven-queue:default") == b":1\r\n"
    tasks.deliver(str(publication_id))

    assert [event["resource"] for event in subscribers.heard] == ["x"]
    assert not Publication.objects.exists()
    tasks.deliver(str(publication_id))  # late, and the second time
    assert len(subscribers.heard) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_delivers() -> None:
    """On SQLite, whose test database has one connection, they take turns."""
    record(ANONYMOUS, "delete", "artifact", "x")
    (publication_id,) = publishing.due()
    number = 1 if connection.vendor == "sqlite" else 8
    barrier = threading.Barrier(number)

    def work() -> None:
        barrier.wait()
        publishing.deliver(publication_id)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(subscribers.heard) == 1
