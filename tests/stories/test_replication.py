"""Images between two Havens and a plain registry: pushed, pulled, by event and by the clock; and what goes wrong."""

from __future__ import annotations

import os

import pytest

from tests.processes import wait_until
from tests.replication.plain import client, push
from tests.stack import content
from tests.stack.content import Blob, Pushable
from tests.stack.replicas import PLAIN_PASSWORD, PLAIN_USER, Replicas

pytestmark = pytest.mark.stack

REPOSITORIES, TAGS = 200, 10
MANY = f"""
from concurrent.futures import ThreadPoolExecutor
from django.db import transaction
from accounts.actors import SYSTEM
from artifacts.actions import record_push
from artifacts.contents import Push, complete
from artifacts.models import Tag
from projects.models import Project
from registry.manifests import parse
from registry.references import Reference
from tests.stack.content import Blob, image
from tokens.upstream import registry

def store(name):
    made = image(Blob(name.encode()))
    for blob in made.blobs:
        registry().put_blob(name, blob.digest(), blob.content)
    manifest = parse(made.content, made.media_type)
    registry().put_manifest(Reference(name, made.digest()), manifest)
    return Push(Reference(name, "v0"), made.digest(), manifest)

project = Project.objects.get(name="library")
with ThreadPoolExecutor(8) as pool:
    pushes = list(pool.map(store, [f"library/many/app{{number}}" for number in range({REPOSITORIES})]))
pushes = [complete(registry(), project.pk, push) for push in pushes]
with transaction.atomic():
    for push in pushes:
        artifact = record_push(SYSTEM, project, push)
        about = {{"repository": artifact.repository, "artifact": artifact, "push_time": artifact.push_time}}
        Tag.objects.bulk_create(Tag(name=f"v{{tag}}", **about) for tag in range(1, {TAGS}))
answer = None
"""
"""Pushes that would take their time one by one."""
LATER = """
from django.utils import timezone
from jobs.models import Job
from jobs.tasks import nudge
Job.objects.filter(execution_id={execution}).update(lease_until=timezone.now())
nudge()
answer = None
"""
"""The lease of a dead worker has run out, as it does after a minute, and beat has looked."""


def image_of(text: str) -> Pushable:
    return content.image(Blob(text.encode()), Blob(os.urandom(100_000)))


def name(pattern: str) -> dict[str, str]:
    return {"type": "name", "value": pattern}


def tag(pattern: str) -> dict[str, str]:
    return {"type": "tag", "value": pattern, "decoration": "matches"}


def test_push_with_flattening_and_nothing_the_second_time(replicas: Replicas) -> None:
    image, index = image_of("one"), content.index(image_of("arm"), image_of("amd"))
    replicas.admin.push("library/team/app", "v1", image)
    replicas.admin.push("library/team/app", "multi", index)
    replicas.admin.push("library/team/app", "dev", image_of("two"))
    chart = content.chart()
    replicas.admin.push("library/team/chart", "v3", chart)
    rule = replicas.push_rule(
        "out",
        filters=[name("library/team/**"), {"type": "tag", "value": "dev", "decoration": "excludes"}],
        dest_namespace="mirror/of",
        dest_namespace_replace_count=1,
    )

    first = replicas.run(rule)
    assert (first["status"], first["total"], first["succeed"]) == ("Succeed", 3, 3), replicas.tasks(first["id"])
    assert replicas.admin_there.pull("mirror/of/team/app", "v1").content == image.content
    assert replicas.admin_there.pull("mirror/of/team/app", "multi").content == index.content
    assert replicas.admin_there.pull("mirror/of/team/chart", "v3").content == chart.content
    assert replicas.admin_there.pull("mirror/of/team/app", "dev").status == 404

    before = replicas.there.registry_requests()
    second = replicas.run(rule)
    assert (second["status"], second["total"]) == ("Succeed", 3)
    moved = replicas.api("GET", f"/replication/executions/{second['id']}/progress", None, 200).json
    assert (moved["bytes"], moved["there"]) == (0, 3)
    assert replicas.there.registry_requests() == before
    replicas.forget(rule)


def test_two_hundred_repositories_of_ten_tags(replicas: Replicas) -> None:
    """Two thousand tags arrive; the second time not a byte moves, nothing is written, and the run says so."""
    replicas.here.ask(MANY)
    rule = replicas.push_rule("many", "plain", filters=[name("library/many/*")], dest_namespace="many")

    first = replicas.succeeds(rule, 240)

    assert (first["total"], first["succeed"]) == (REPOSITORIES, REPOSITORIES)
    kept = replicas.plain.storage / "docker/registry/v2/repositories/many"
    arrived = {str(path.relative_to(kept)) for path in kept.glob("*/_manifests/tags/*/current/link")}
    assert len(arrived) == REPOSITORIES * TAGS and replicas.moved(first) > 0
    before = {str(path): path.stat().st_mtime_ns for path in replicas.plain.storage.rglob("*")}
    second = replicas.succeeds(rule, 120)
    progress = replicas.api("GET", f"/replication/executions/{second['id']}/progress", None, 200).json
    assert (second["total"], progress["bytes"], progress["there"]) == (REPOSITORIES, 0, REPOSITORIES)
    assert {str(path): path.stat().st_mtime_ns for path in replicas.plain.storage.rglob("*")} == before
    replicas.forget(rule)


def test_pull_from_a_plain_registry_with_a_password(replicas: Replicas) -> None:
    image = image_of("plain")
    theirs = client(replicas.plain.url, PLAIN_USER, PLAIN_PASSWORD)
    push(theirs, "team/app", "v1", image)
    push(theirs, "team/app", "v2", image_of("other"))
    rule = replicas.pull_rule("in", "plain", filters=[name("team/*"), tag("v1")], dest_namespace="pulled")

    run = replicas.run(rule)

    assert (run["status"], run["total"]) == ("Succeed", 1), replicas.tasks(run["id"])
    assert replicas.admin.pull("pulled/app", "v1").content == image.content
    assert replicas.admin.pull("pulled/app", "v2").status == 404
    log = replicas.log(run["id"], replicas.tasks(run["id"])[0]["id"])
    assert "copying team/app to pulled/app" in log and PLAIN_PASSWORD not in log
    project = replicas.api("GET", "/projects/pulled", None, 200).json
    assert project["metadata"]["public"] == "false"
    replicas.forget(rule)


def test_events_push_and_delete(replicas: Replicas) -> None:
    image = image_of("event")
    rule = replicas.push_rule(
        "events", filters=[name("library/eventful")], trigger={"type": "event_based"}, deletion=True, override=True
    )
    replicas.admin.push("library/eventful", "v1", image)
    wait_until(lambda: replicas.admin_there.pull("library/eventful", "v1").status == 200, "the event's copy", 60)
    newer = image_of("newer")
    replicas.admin.push("library/eventful", "v1", newer)
    wait_until(lambda: replicas.admin_there.pull("library/eventful", "v1").content == newer.content, "the override", 60)

    path = "/projects/library/repositories/eventful/artifacts"
    replicas.api("DELETE", f"{path}/v1", None, 200)
    wait_until(lambda: replicas.admin_there.pull("library/eventful", "v1").status == 404, "the deletion", 60)
    assert replicas.admin_there.pull("library/eventful", newer.digest()).status == 404
    assert replicas.admin_there.pull("library/eventful", image.digest()).status == 200  # was never deleted here

    for number in range(3):
        replicas.admin.push("library/eventful", f"w{number}", image_of(f"event {number}"))
    wait_until(lambda: replicas.tags_there("library/eventful") == ["w0", "w1", "w2"], "three copies", 60)
    replicas.api("DELETE", "/projects/library/repositories/eventful", None, 200)
    wait_until(lambda: replicas.tags_there("library/eventful") == [], "the deletion of all", 60)
    assert replicas.admin_there.pull("library/eventful", image.digest()).status == 404
    assert {run["trigger"] for run in replicas.runs(rule)} == {"event_based"}
    replicas.forget(rule)


def test_the_clock_starts_a_rule(replicas: Replicas) -> None:
    replicas.admin.push("library/timed", "v1", image_of("timed"))
    trigger = {"type": "scheduled", "trigger_settings": {"cron": "0 0 3 * * *"}}
    rule = replicas.push_rule("timed", "plain", filters=[name("library/timed")], trigger=trigger)
    replicas.here.ask(
        "from jobs.models import Schedule\nfrom django.utils import timezone\n"
        f"answer = Schedule.objects.filter(vendor_type='REPLICATION', vendor_id={rule}).update(next_run=timezone.now())"
    )

    run = replicas.next_run(rule, 90)

    assert (run["status"], run["trigger"]) == ("Succeed", "scheduled")
    assert list(client(replicas.plain.url, PLAIN_USER, PLAIN_PASSWORD).tags("library/timed")) == ["v1"]
    replicas.forget(rule)


def test_a_run_is_stopped_within_seconds(replicas: Replicas) -> None:
    replicas.admin.push("library/slow", "v1", content.image(Blob(os.urandom(4_000_000))))
    rule = replicas.push_rule("slow", filters=[name("library/slow")], dest_namespace="slow", speed=50)
    execution = replicas.start(rule)
    wait_until(lambda: any(task["status"] == "InProgress" for task in replicas.tasks(execution)), "the copy", 30)

    replicas.api("PUT", f"/replication/executions/{execution}", None, 200)

    wait_until(lambda: replicas.execution(execution)["status"] == "Stopped", "the end", 10)
    assert replicas.admin_there.pull("slow/slow", "v1").status == 404
    replicas.forget(rule)


def test_a_killed_worker_is_taken_over_and_nothing_is_sent_twice(replicas: Replicas) -> None:
    image = content.image(Blob(os.urandom(40_000_000)))
    replicas.admin.push("library/large", "v1", image)
    rule = replicas.push_rule("large", filters=[name("library/large")], dest_namespace="large", speed=4000)
    execution = replicas.start(rule)

    def moved() -> int:
        progress = replicas.api("GET", f"/replication/executions/{execution}/progress", None, 200).json
        return int(progress["bytes"])

    wait_until(lambda: moved() >= 17_000_000, "the first chunk", 60)
    replicas.here.kill("replicator")
    replicas.here.ask(LATER.format(execution=execution))

    run = replicas.ended(execution, 240)
    assert run["status"] == "Succeed", replicas.tasks(execution)
    assert replicas.admin_there.pull("large/large", "v1").content == image.content
    sent = replicas.here.ask(
        "from jobs.models import Job\n"
        f"answer = Job.objects.get(execution_id={execution}, kind='REPLICATION').progress['sent']"
    )
    assert sent < 40_000_000
    replicas.forget(rule)


def test_a_run_survives_that_redis_is_killed(replicas: Replicas) -> None:
    for number in range(6):
        replicas.admin.push("library/redis", f"v{number}", content.image(Blob(os.urandom(1_000_000))))
    rule = replicas.push_rule("redis", filters=[name("library/redis")], dest_namespace="redis", speed=1000)
    execution = replicas.start(rule)
    wait_until(lambda: any(task["status"] == "InProgress" for task in replicas.tasks(execution)), "the copies", 30)

    replicas.here.kill("redis")

    run = replicas.ended(execution, 240)
    assert (run["status"], run["succeed"]) == ("Succeed", 6), replicas.tasks(execution)
    replicas.forget(rule)


def test_drift_is_found_and_repaired(replicas: Replicas) -> None:
    replicas.admin.push("library/proof", "v1", image_of("one"))
    replicas.admin.push("library/proof", "v2", image_of("two"))
    rule = replicas.push_rule("proof", filters=[name("library/proof")], dest_namespace="proof", override=True)

    def check(kind: str) -> str:
        begun = replicas.api("POST", f"/replication/policies/{rule}/{kind}", None, 201).location
        path = str(begun).removeprefix("/api/v2.0")
        wait_until(lambda: replicas.api("GET", path, None, 200).json["status"] == "Succeed", kind, 60)
        return path

    would = replicas.api("GET", check("dry-run"), None, 200).json
    assert (would["missing"], would["matched"]) == (2, 2)
    assert would["bytes"] > 200_000
    assert replicas.admin_there.pull("proof/proof", "v1").status != 200
    replicas.run(rule)
    assert replicas.api("GET", check("verify"), None, 200).json["there"] == 2

    replicas.admin_there.api("DELETE", "/projects/proof/repositories/proof/artifacts/v1")
    path = check("verify")
    found = replicas.api("GET", path, None, 200).json
    assert (found["there"], found["missing"]) == (1, 1)
    [missing] = replicas.api("GET", f"{path}/findings?state=missing", None, 200).json
    assert missing["source"] == "library/proof:v1"

    repair = replicas.api("POST", f"{path}/repair", None, 201).location
    run = replicas.ended(int(repair.rpartition("/")[2]))
    assert (run["status"], run["total"]) == ("Succeed", 1)
    assert replicas.admin_there.pull("proof/proof", "v1").status == 200
    replicas.forget(rule)


def test_endpoints_that_cannot_be_used_are_refused_with_a_reason(replicas: Replicas) -> None:
    wrong = {"access_key": PLAIN_USER, "access_secret": "wrong"}
    answer = replicas.add("w", {"type": "docker-registry", "url": replicas.plain.url, "credential": wrong}, 400)
    assert "refuses these credentials" in answer.json["errors"][0]["message"]
    answer = replicas.add("p", {"type": "docker-registry", "url": "http://10.0.0.1"}, 400)
    assert "HAVEN_ALLOWED_NETWORKS" in answer.json["errors"][0]["message"]
    answer = replicas.add("n", {"type": "docker-registry", "url": "http://127.0.0.1:9"}, 400)
    assert "cannot be reached" in answer.json["errors"][0]["message"]
    rule = replicas.push_rule("uses")
    used = replicas.api("DELETE", f"/registries/{replicas.endpoints['there']}", None, 412)
    assert "used by replication rules" in used.json["errors"][0]["message"]
    replicas.forget(rule)
