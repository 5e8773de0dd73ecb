"""Rules and runs by the API: who may, what is refused, and what a project's own administrators can do."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from jobs import actions as jobs
from jobs.models import Job, Schedule
from replication.models import COPY, Endpoint, Policy
from tests.api import replication
from tests.api.calling import Caller, caller, message
from tests.cast import Cast, make_project


@pytest.fixture
def admin(cast: Cast) -> Caller:
    return caller(cast.admin)


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    return replication.endpoint()


def rule(endpoint: Endpoint, **fields: Any) -> dict[str, Any]:
    return {"name": "rule", "dest_registry": {"id": endpoint.pk}, "enabled": True, **fields}


def test_a_rule_is_shown_as_it_was_written(admin: Caller, endpoint: Endpoint) -> None:
    asked = rule(
        endpoint,
        dest_namespace="mirror",
        dest_namespace_replace_count=2,
        filters=[
            {"type": "name", "value": "library/**"},
            {"type": "tag", "value": "v*", "decoration": "excludes"},
            {"type": "label", "value": ["good"], "decoration": "matches"},
        ],
        trigger={"type": "scheduled", "trigger_settings": {"cron": "0 0 3 * * *"}},
        deletion=True,
        replicate_deletion=False,
        speed=-5,
        single_active_replication=True,
    )
    location = admin.post("/replication/policies", asked)["Location"].removeprefix("/api/v2.0")
    shown = admin.get(location).json()

    for name in ("dest_namespace", "dest_namespace_replace_count", "filters", "trigger", "single_active_replication"):
        assert shown[name] == asked.get(name, shown[name]) or name == "filters"
    assert [entry["value"] for entry in shown["filters"]] == ["library/**", "v*", ["good"]]
    assert (shown["deletion"], shown["replicate_deletion"], shown["speed"]) == (True, True, 0)
    assert (shown["src_registry"]["id"], shown["dest_registry"]["id"]) == (0, endpoint.pk)
    assert shown["dest_registry"]["credential"]["access_secret"] == "*****"
    assert Schedule.objects.get(vendor_type="REPLICATION").spec == {"policy": shown["id"]}

    assert admin.put(location, rule(endpoint)).status_code == 200
    assert not Schedule.objects.filter(vendor_type="REPLICATION").exists()
    assert admin.get(location).json()["dest_namespace_replace_count"] == -1


def test_rules_that_cannot_be(admin: Caller, endpoint: Endpoint) -> None:
    other = replication.unused()
    cron = {"type": "scheduled", "trigger_settings": {"cron": "* * * * *"}}
    every_minute = {"type": "scheduled", "trigger_settings": {"cron": "0 * * * * *"}}
    wrong = [
        rule(endpoint, src_registry={"id": other.pk}),
        {"name": "rule"},
        {"name": "rule", "dest_registry": {"id": 999}},
        rule(endpoint, name=""),
        rule(endpoint, dest_namespace="Not/A Name"),
        rule(endpoint, dest_namespace_replace_count=200),
        rule(endpoint, trigger=cron),
        rule(endpoint, trigger=every_minute),
        rule(endpoint, trigger={"type": "when I say so"}),
        rule(endpoint, trigger={"type": "event_based"}, single_active_replication=True),
        rule(endpoint, filters=[{"type": "name", "value": "{"}]),
        {"name": "rule", "src_registry": {"id": endpoint.pk}, "trigger": {"type": "event_based"}},
    ]
    for asked in wrong:
        answer = admin.post("/replication/policies", asked)
        assert answer.status_code == 400, (asked, answer.content)
    assert not Policy.objects.exists()
    assert admin.post("/replication/policies", rule(endpoint)).status_code == 201
    assert admin.post("/replication/policies", rule(endpoint)).status_code == 409


def test_a_disabled_rule_does_not_run(admin: Caller, endpoint: Endpoint) -> None:
    policy = replication.policy(enabled=False)
    assert admin.post("/replication/executions", {"policy_id": policy.pk}).status_code == 412
    assert admin.post("/replication/executions", {"policy_id": 999}).status_code == 404
    assert not Job.objects.exists()


def test_runs_and_tasks_by_their_words(admin: Caller) -> None:
    execution = replication.run()
    Job.objects.filter(execution=execution).exclude(kind=COPY).update(status="Success")
    for status, of_run, of_task in (
        ("Pending", "InProgress", "Pending"),
        ("Scheduled", "InProgress", "InProgress"),
        ("Running", "InProgress", "InProgress"),
        ("Success", "Succeed", "Succeed"),
        ("Error", "Failed", "Failed"),
        ("Stopped", "Stopped", "Stopped"),
    ):
        Job.objects.filter(kind=COPY).update(status=status)
        [run] = admin.get(f"/replication/executions?status={of_run}&trigger=manual").json()
        assert run["status"] == of_run
        tasks = f"/replication/executions/{execution.pk}/tasks"
        [task] = admin.get(f"{tasks}?status={of_task}&resource_type=image").json()
        assert (task["status"], task["src_resource"], task["dst_resource"]) == (
            of_task,
            "private/app:v1",
            "mirror/app:v1",
        )
        assert admin.get(f"{tasks}?resource_type=chart").json() == []
    assert admin.get("/replication/executions?trigger=scheduled").json() == []


def test_a_log_is_read_by_its_own_run_alone(admin: Caller) -> None:
    execution = replication.run()
    job = Job.objects.get(kind=COPY)
    jobs.log(job, "a line")
    other = jobs.start("HOUSEKEEPING", "HOUSEKEEPING", {})
    path = f"/replication/executions/{execution.pk}/tasks"

    answer = admin.get(f"{path}/{job.pk}/log")
    assert answer["Content-Type"].startswith("text/plain") and b"a line" in answer.content
    foreign = other.jobs.get()
    assert admin.get(f"{path}/{foreign.pk}/log").status_code == 404
    assert admin.get(f"/replication/executions/{other.pk}/tasks/{job.pk}/log").status_code == 404
    assert admin.get(f"/replication/executions/{other.pk}").status_code == 404


def own_rule(alice: Caller, endpoint: Endpoint, **fields: Any) -> Any:
    return alice.post("/projects/private/replication/policies", rule(endpoint, **fields))


def test_project_administrators_have_rules_of_their_own(cast: Cast, admin: Caller, endpoint: Endpoint) -> None:
    alice = caller(cast.alice)
    assert own_rule(alice, endpoint).status_code == 403
    assert alice.get("/projects/private/replication/registries").json() == []
    assert admin.put(f"/registries/{endpoint.pk}/sharing", {"shared": True}).status_code == 200
    [shared] = alice.get("/projects/private/replication/registries").json()
    assert shared["name"] == "there" and "credential" not in shared

    made = own_rule(alice, endpoint)
    assert made.status_code == 201, made.content
    policy = made["Location"].removeprefix("/api/v2.0")
    assert alice.get(policy).status_code == 200
    started = alice.post("/replication/executions", {"policy_id": int(policy.rpartition("/")[2])})
    assert started.status_code == 201
    run = started["Location"].removeprefix("/api/v2.0")
    assert alice.get(f"{run}/tasks").status_code == 200
    assert alice.get(f"/replication/executions?policy_id={policy.rpartition('/')[2]}").json()[0]["total"] == 0

    for who in (cast.maintainer, cast.developer, cast.stranger):
        assert_shut(who, policy, run)
    assert alice.get("/replication/policies").status_code == 403
    assert alice.get("/replication/executions").status_code == 403
    assert alice.post("/replication/policies", rule(endpoint, name="systems")).status_code == 403


def assert_shut(who: User, policy: str, run: str) -> None:
    ask = caller(who)
    for path in (policy, run, f"{run}/tasks", f"{run}/progress", "/projects/private/replication/policies"):
        assert ask.get(path).status_code == 403, (who, path)
    assert ask.put(run).status_code == 403
    assert ask.delete(policy).status_code == 403


def test_a_projects_rule_stays_in_its_project(cast: Cast, endpoint: Endpoint) -> None:
    Endpoint.objects.update(shared=True)
    make_project("other", cast.alice)
    alice = caller(cast.alice)
    pull = {"name": "pull", "src_registry": {"id": endpoint.pk}, "enabled": True}
    path = "/projects/private/replication/policies"

    for namespace in ("", "other", "other/private", "privateer"):
        answer = alice.post(path, {**pull, "dest_namespace": namespace})
        assert answer.status_code == 400 and "namespace private" in message(answer), namespace
    assert alice.post(path, {**pull, "dest_namespace": "private/mirror"}).status_code == 201


def test_who_only_uses_an_endpoint_does_not_learn_how_to_sign_in_there(
    cast: Cast, admin: Caller, endpoint: Endpoint
) -> None:
    Endpoint.objects.update(shared=True, access_key="haven-robot", insecure=True, ca_certificate="-----BEGIN")
    alice = caller(cast.alice)
    policy = own_rule(alice, endpoint)["Location"].removeprefix("/api/v2.0")
    Endpoint.objects.update(shared=False)

    for answer in (alice.get(policy), alice.get("/projects/private/replication/policies")):
        assert answer.status_code == 200 and b"there" in answer.content
        for hidden in (b"haven-robot", b"credential", b"BEGIN"):
            assert hidden not in answer.content, hidden
    assert b"haven-robot" in admin.get(policy).content
    asked = alice.get(policy).json() | {"description": "sent back as it came", "enabled": False}
    Endpoint.objects.update(shared=True)
    assert alice.put(policy, asked).status_code == 200
