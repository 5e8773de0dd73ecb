from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from audit import batches, publishing, pulls
from audit.models import Entry, Publication, Pull
from audit.pulls import PullRecord, count_pull
from configuration import values
from configuration.models import Setting
from tests.audit import subscribers
from tests.redis import Redis

pytestmark = pytest.mark.django_db


def record(number: int = 1, *, tag: str = "v1") -> PullRecord:
    return PullRecord(
        event_id=uuid.uuid4(),
        artifact_id=number,
        digest=f"sha256:{number}",
        tag=tag,
        repository="library/web",
        project_id=7,
        username="alice",
        time=timezone.now() - timedelta(minutes=1),
        address="192.0.2.1",
    )


class Counted(list[PullRecord]):
    """A counter that remembers."""

    def __call__(self, records: list[PullRecord]) -> None:
        self.extend(records)


def test_a_pull_by_tag_becomes_an_entry_at_the_time_of_its_request() -> None:
    counted, pull = Counted(), record()
    count_pull(pull)

    assert batches.flush(counted) == 1

    entry = Entry.objects.get()
    assert (entry.event_id, entry.op_time, entry.username) == (pull.event_id, pull.time, "alice")
    assert (entry.event_type, entry.resource, entry.project_id) == ("pull_artifact", "library/web:v1", 7)
    assert entry.details == {"digest": "sha256:1", "tag": "v1", "address": "192.0.2.1"}
    assert counted == [pull]


def test_a_pull_by_digest_names_the_digest() -> None:
    count_pull(record(tag=""))
    batches.flush(Counted())

    assert Entry.objects.get().resource == "library/web@sha256:1"


def test_counting_a_pull_asks_the_database_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        count_pull(record())


def test_a_second_flush_finds_nothing(redis_server: Redis) -> None:
    counted = Counted()
    count_pull(record())
    batches.flush(counted)

    assert batches.flush(counted) == 0
    assert len(counted) == 1
    assert redis_server.call("DBSIZE") == b":0\r\n"


def test_what_arrives_twice_counts_once() -> None:
    counted, pull = Counted(), record()
    for _ in range(3):
        count_pull(pull)
    batches.flush(counted)
    count_pull(pull)
    batches.flush(counted)

    assert counted == [pull]
    assert Entry.objects.count() == 1


def test_a_flush_works_through_more_than_one_batch() -> None:
    counted = Counted()
    pulls.client(5.0).rpush(pulls.QUEUE, *(record(number).to_json() for number in range(2500)))

    assert batches.flush(counted) == 2500
    assert {pull.artifact_id for pull in counted} == set(range(2500))
    assert Entry.objects.count() == 2500


def test_without_redis_a_pull_goes_to_the_database_and_is_counted_later(no_redis: None) -> None:
    counted, pull = Counted(), record()
    count_pull(pull)
    assert Entry.objects.get().event_id == pull.event_id

    batches.flush(counted)
    batches.flush(counted)

    assert counted == [pull]
    assert Entry.objects.count() == 1


def test_a_redis_that_hangs_is_waited_for_once_and_what_it_did_take_is_not_counted_again(redis_server: Redis) -> None:
    count_pull(record())  # the connection stands
    assert redis_server.process
    os.kill(redis_server.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for number in range(2, 6):
            count_pull(record(number))
        took = time.monotonic() - began
    finally:
        os.kill(redis_server.process.pid, signal.SIGCONT)
        pulls.forgive()

    counted = Counted()
    batches.flush(counted)

    assert took < 1
    assert sorted(pull.artifact_id for pull in counted) == [1, 2, 3, 4, 5]
    assert Entry.objects.count() == 5


def test_a_counter_that_fails_leaves_everything_for_the_next_flush() -> None:
    def fail(_: list[PullRecord]) -> None:
        raise RuntimeError("no")

    count_pull(record())
    with pytest.raises(RuntimeError):
        batches.flush(fail)
    assert not Entry.objects.exists()

    counted = Counted()
    batches.flush(counted)

    assert len(counted) == Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("key", "value"), [("pull_audit_log_disable", True), ("disabled_audit_log_event_types", "login_user,pull_artifact")]
)
def test_pulls_that_nobody_wants_recorded_are_counted_all_the_same(key: str, value: object) -> None:
    Setting.objects.create(key=key, value=json.dumps(value))
    values.forget()
    counted, pull = Counted(), record()
    for _ in range(2):
        count_pull(pull)
        batches.flush(counted)

    assert counted == [pull]
    assert not Entry.objects.exists()


@pytest.mark.parametrize("line", ["", "no json", "[]", "{}", '{"event_id": "1"}', "null", b"\xff\x00"])
def test_what_is_no_record_does_not_hold_up_the_others(line: str | bytes) -> None:
    counted = Counted()
    pulls.client(5.0).rpush(pulls.QUEUE, line, record().to_json())

    assert batches.flush(counted) == 1


def test_a_name_that_no_column_takes_does_not_hold_up_the_others() -> None:
    counted = Counted()
    strange = record()
    count_pull(PullRecord.of(strange.to_json().replace("alice", "a\\n\\u0000" + "x" * 999)))
    batches.flush(counted)

    assert len(counted) == 1
    assert "\n" not in Entry.objects.get().username


def test_threads_and_connections_may_come_and_go(redis_server: Redis) -> None:
    """A pool counts the connections that it makes, and refuses after so many."""
    most = pulls.client(pulls._TIMEOUT).connection_pool.max_connections
    for _ in range(most + 1):
        pulls._thread = threading.local()
        count_pull(record())

    assert int(pulls.client(pulls._TIMEOUT).llen(pulls.QUEUE)) == most + 1
    assert not Pull.objects.exists()


def test_subscribers_hear_of_pulls(settings: Settings) -> None:
    settings.SUBSCRIBERS = {"pull_artifact": ["tests.audit.subscribers.listen"]}
    pull = record()
    count_pull(pull)
    batches.flush(Counted())

    (publication_id,) = publishing.due()
    publishing.deliver(publication_id)

    assert [event["id"] for event in subscribers.heard] == [str(pull.event_id)]
    assert not Publication.objects.exists()
    subscribers.heard.clear()


def test_old_ids_are_forgotten_but_not_what_waits() -> None:
    long_ago = timezone.now() - timedelta(days=4)
    done, waiting, recent = (Pull(event_id=uuid.uuid4()) for _ in range(3))
    waiting.waiting = record().to_json()
    Pull.objects.bulk_create([done, waiting, recent])
    Pull.objects.exclude(pk=recent.pk).update(arrived=long_ago)

    assert batches.forget() == 1
    assert set(Pull.objects.all()) == {waiting, recent}


def test_redis_killed_under_load_loses_no_pull(redis_server: Redis) -> None:
    """Each pull is in Redis' append-only file or in the database; some, whose answer was cut off, are in both."""
    sent = [record(number) for number in range(400)]
    for pull in sent[:200]:
        count_pull(pull)
    assert redis_server.process
    redis_server.process.kill()
    redis_server.process.wait()
    for pull in sent[200:300]:
        count_pull(pull)
    redis_server.start()
    for pull in sent[300:]:
        count_pull(pull)
    counted = Counted()
    batches.flush(counted)

    assert sorted(pull.artifact_id for pull in counted) == list(range(400))
    assert Entry.objects.count() == 400


@pytest.mark.django_db(transaction=True)
def test_flushes_at_once_share_the_work() -> None:
    # one in-memory database, one connection: tests/audit/test_killed_flush.py has the processes
    threads = 1 if connection.vendor == "sqlite" else 4
    counted = Counted()
    for number in range(300):
        count_pull(record(number))

    together(threads, lambda: batches.flush(counted))

    assert sorted(pull.artifact_id for pull in counted) == list(range(300))
    assert Entry.objects.count() == 300


def together(number: int, work: Callable[[], object]) -> None:
    """Do `work` in several threads, each with a connection of its own, from one moment on."""
    barrier = threading.Barrier(number)

    def one() -> None:
        barrier.wait()
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
