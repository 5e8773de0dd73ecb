"""Rules of replication on their pages: made, tried, run, looked at; and who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import actions as jobs
from jobs.models import Execution, Job, JobLog, Schedule, Status
from projects.models import Project
from replication import runs
from replication.models import CHECKS, COPY, VERIFY, Endpoint, Finding, Policy
from tests.portal.conftest import Reader, Scene

EXAMPLE = "library/team/app"
GIVEN = {
    "name": "out",
    "direction": "push",
    "name_filter": "private/**",
    "tag_how": "matches",
    "label_how": "matches",
    "dest_namespace": "mirror",
    "replace_count": "1",
    "trigger": "manual",
    "enabled": "on",
}
SPEC = {"operation": "copy", "resource_type": "image", "source": "private/app/web", "target": "mirror/app/web"}


@pytest.fixture
def endpoint(scene: Scene) -> Endpoint:
    return Endpoint.objects.create(name="there", type="harbor", url="https://there.test", status="healthy", shared=True)


def make_rule(endpoint: Endpoint, name: str = "rule", **fields: Any) -> Policy:
    return Policy.objects.create(name=name, target=endpoint, **fields)


def make_run(scene: Scene, rule: Policy, *statuses: str, **progress: int) -> Execution:
    """A run of the rule with a job for each of `statuses`."""
    execution = runs.start(scene.cast.admin.actor, rule)
    now = timezone.now()
    for number, status in enumerate(statuses):
        job = jobs.add_job(execution, COPY, {**SPEC, "tags": [f"v{number}"], "digest": "", "policy": rule.pk})
        Job.objects.filter(pk=job.pk).update(status=status, progress=progress, start_time=now)
        JobLog.objects.create(job=job, time=now, line=f"copying number {number}")
    return execution


def make_verification(scene: Scene, rule: Policy, *states: str, status: str = Status.SUCCESS) -> Execution:
    execution = runs.verify(scene.cast.admin.actor, rule)
    job = execution.jobs.get()
    totals = {state: states.count(state) for state in set(states)} | {"matched": len(states)}
    Job.objects.filter(pk=job.pk).update(status=status, progress=totals)
    for number, state in enumerate(states):
        names = {"source": f"private/app:v{number}", "target": f"mirror/app:v{number}"}
        Finding.objects.create(job=job, state=state, **names)
    return execution


def test_a_rule_is_written_and_explains_itself(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    client = reader("admin")
    form = {**GIVEN, "endpoint": endpoint.pk, "tag_filter": "v*", "tag_how": "excludes", "labels": "a\nb", "speed": "5"}
    answer = client.post("/replication/new", {**form, "trigger": "scheduled", "cron": "0 30 2 * * *"}, follow=True)
    rule = Policy.objects.get()

    assert rule.filters == [
        {"type": "name", "value": "private/**"},
        {"type": "tag", "value": "v*", "decoration": "excludes"},
        {"type": "label", "value": ["a", "b"], "decoration": "matches"},
    ]
    assert (rule.is_push, rule.replace_count, rule.speed, rule.enabled, rule.cron) == (True, 1, 5, True, "0 30 2 * * *")
    page = answer.content.decode()
    assert "Copies what matches from Haven to there by the clock: every day at 02:30 UTC." in page
    for told in ("<code>mirror/team/app</code>", "tags other than v*", "at most 5.0 KiB a second"):
        assert told in page, told
    assert Schedule.objects.get().cron == "0 30 2 * * *"

    shown = client.get(f"/replication/{rule.pk}/change").content.decode()
    assert 'value="0 30 2 * * *"' in shown and "a\nb</textarea>" in shown
    client.post(f"/replication/{rule.pk}/change", {**form, "name": "other", "direction": "pull", "labels": ""})
    rule.refresh_from_db()
    assert (rule.name, rule.source, rule.target) == ("other", endpoint, None)
    assert not Schedule.objects.exists()
    question = client.get(f"/replication/{rule.pk}/delete").content.decode()
    assert "what was copied stays" in question and "It has never run." in question
    client.post(f"/replication/{rule.pk}/delete")
    assert not Policy.objects.exists()


def test_what_is_wrong_stands_beside_its_field(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    client, form = reader("admin"), {**GIVEN, "endpoint": endpoint.pk}
    make_rule(endpoint, "taken")
    wrong: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"name": "taken"}, "name", "There is a rule of this name already."),
        ({"name_filter": "a["}, "name_filter", "This is no pattern"),
        ({"dest_namespace": "Not A Name"}, "dest_namespace", "Use lower case letters"),
        ({"trigger": "scheduled", "cron": "daily"}, "cron", "Write six fields"),
        ({"trigger": "scheduled", "cron": "0 * * * * *"}, "cron", "the minute cannot be *"),
        ({"trigger": "event_based", "direction": "pull"}, "trigger", "Only a rule that pushes can follow events."),
        ({"trigger": "event_based", "single_active": "on"}, "single_active", "events would be lost"),
        ({"endpoint": "99999"}, "endpoint", "Select a valid choice"),
        ({"speed": "-1"}, "speed", "greater than or equal to 0"),
    )
    for change, field, message in wrong:
        answer = client.post("/replication/new", {**form, **change})
        page = answer.content.decode()
        assert answer.status_code == 422, change
        assert message in page.partition(f'id="id_{field}_error"')[2][:400], change
        assert "private/**" in page or "name_filter" in change, change
    assert Policy.objects.count() == 1


def test_what_matches_is_shown_before_anything_is_kept(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    client, form = reader("admin"), {**GIVEN, "name": "", "endpoint": endpoint.pk}
    page = client.post("/replication/new/try", {**form, "tag_filter": "v1*"}).content.decode()
    assert "private/app/web:v1,v1.10,v1.9" in page and "mirror/app/web:v1,v1.10,v1.9" in page
    assert "These are all." in page and ":latest" not in page and "public/app" not in page
    assert "This field is required." in page  # the page says what is missing, and keeps the rest
    fragment = client.post("/replication/new/try", {**form, "name_filter": "none"}, headers={"HX-Request": "true"})
    assert "Nothing matches" in fragment.content.decode() and "<html" not in fragment.content.decode()
    deep = client.post("/replication/new/try", {**form, "replace_count": "5"}, headers={"HX-Request": "true"})
    assert "the rule flattens 5" in deep.content.decode()
    away = {**form, "direction": "pull"}
    assert "The registry cannot be used" in client.post("/replication/new/try", away).content.decode()
    assert not Policy.objects.exists() and not Execution.objects.exists()


def test_the_example_follows_what_is_typed(scene: Scene, reader: Reader) -> None:
    client = reader("admin")
    cases = (("", -1, EXAMPLE), ("n", -1, "n/app"), ("n", 0, f"n/{EXAMPLE}"), ("n/m", 1, "n/m/team/app"))
    for namespace, count, becomes in cases:
        query = {"dest_namespace": namespace, "replace_count": str(count)}
        assert f"<code>{becomes}</code></p>" in client.get("/replication/example", query).content.decode(), query
    for odd, said in (("N", "No namespace can be called that."), ("<b>", "No namespace"), ("n" * 900, "")):
        answer = client.get("/replication/example", {"dest_namespace": odd, "replace_count": "x"}).content.decode()
        assert said in answer and "<b>" not in answer
    for odd in ("--1", "-", "1e3", "\u0663", "9" * 5000):
        assert client.get("/replication/example", {"dest_namespace": "n", "replace_count": odd}).status_code == 200, odd
    assert "too few levels" in client.get("/replication/example?dest_namespace=n&replace_count=3").content.decode()


def test_a_run_shows_its_progress_and_its_logs(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    client, rule = reader("admin"), make_rule(endpoint)
    client.post(f"/replication/{rule.pk}/run", {"once": "aaaaaaaaaaaar"})
    client.post(f"/replication/{rule.pk}/run", {"once": "aaaaaaaaaaaar"})
    assert runs.runs_of(Policy.objects.all()).count() == 1  # pressed twice
    run = make_run(scene, rule, "Running", "Error", "Success", bytes=2**20, size=2**22, done=1, blobs=4, rate=2**18)
    path = f"/replication/{rule.pk}/runs/{run.pk}"

    page = client.get(path).content.decode()
    assert "1.0 MiB of 4.0 MiB" in page and "1 of 4 blobs" in page and "256.0 KiB a second" in page
    assert 'hx-trigger="every 2s"' in page and '<meta http-equiv="refresh"' in page
    assert "2 of 3" in page and "copying number" not in page
    failed = runs.jobs_of(run).get(status=Status.ERROR)
    log = client.get(f"{path}?status=Error&job={failed.pk}").content.decode()
    assert "copying number 1" in log and "private/app/web:v0" not in log.replace("Log of", "")
    for odd in ("job=x", "job=0", f"job={10**30}", "status=nonsense", "page=x"):
        assert client.get(f"{path}?{odd}").status_code == 200, odd

    client.post(f"{path}/stop")
    assert runs.jobs_of(run).get(status="Running").stop_requested
    runs.jobs_of(run).filter(status="Running").update(status="Stopped")
    run.jobs.exclude(kind=COPY).update(status="Success")
    ended = client.get(path).content.decode()
    assert "every 2s" not in ended and "http-equiv" not in ended and "Try again what failed" in ended
    client.post(f"{path}/retry")
    assert set(runs.jobs_of(run).values_list("status", flat=True)) == {"Pending", "Success"}


def test_a_verification_shows_drift_and_repairs_it(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    client, rule = reader("admin"), make_rule(endpoint)
    client.post(f"/replication/{rule.pk}/dry-run")
    client.post(f"/replication/{rule.pk}/verify")
    kinds = set(Job.objects.filter(execution__vendor_type=CHECKS).values_list("kind", flat=True))
    assert kinds == {"REPLICATION_DRY_RUN", VERIFY}

    fine = make_verification(scene, rule, "there", "there")
    page = client.get(f"/replication/{rule.pk}/checks/{fine.pk}").content.decode()
    assert "The copy is complete: nothing differs." in page and "Repair what differs" not in page
    client.post(f"/replication/{rule.pk}/checks/{fine.pk}/repair")
    assert not runs.runs_of(Policy.objects.all()).exists()

    drift = make_verification(scene, rule, "there", "missing", "different", "failed")
    path = f"/replication/{rule.pk}/checks/{drift.pk}"
    page = client.get(path).content.decode()
    assert "Repair what differs" in page and "private/app:v1" in page
    only = client.get(f"{path}?state=missing").content.decode()
    assert "private/app:v1" in only and "private/app:v2" not in only
    answer = client.post(f"{path}/repair")
    run = runs.runs_of(Policy.objects.all()).get()
    assert answer["Location"] == f"/replication/{rule.pk}/runs/{run.pk}"
    Policy.objects.update(enabled=False)
    assert "Repair what differs" not in client.get(path).content.decode()


def test_who_may_not_sees_nothing_and_starts_nothing(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    rule, own = make_rule(endpoint), make_rule(endpoint, "own", project=scene.cast.private)
    foreign = make_rule(endpoint, "foreign", project=scene.cast.public)
    run = make_run(scene, own, "Running")
    other = make_rule(endpoint, "other", project=scene.cast.private)
    private = "/projects/private/replication"
    looks = (private, f"{private}/new", f"{private}/{own.pk}", f"{private}/{own.pk}/runs/{run.pk}")
    for path in looks:
        assert reader("alice").get(path).status_code == 200, path
        for who, status in (("maintainer", 403), ("guest", 403), ("stranger", 404), ("anonymous", 404)):
            assert reader(who).get(path).status_code == status, (who, path)
    for path in ("/endpoints", "/endpoints/new", "/replication", f"/replication/{rule.pk}", "/replication/new"):
        assert reader("alice").get(path).status_code == 403, path
        assert reader("anonymous").get(path)["Location"].startswith("/account/sign-in"), path
    # An address names a rule of this project, a run of this rule, and no other.
    for path in (f"{private}/{foreign.pk}", f"{private}/{rule.pk}", f"{private}/{other.pk}/runs/{run.pk}"):
        assert reader("alice").get(path).status_code == 404, path
    before = Execution.objects.count()
    for who in ("maintainer", "stranger", "anonymous"):
        for act in ("run", "dry-run", "verify", "delete", "change"):
            reader(who).post(f"{private}/{own.pk}/{act}", {**GIVEN, "endpoint": endpoint.pk})
        reader(who).post(f"{private}/{own.pk}/runs/{run.pk}/stop")
    reader("alice").post(f"/replication/{own.pk}/run")
    reader("alice").post(f"{private}/{rule.pk}/run")
    assert (Execution.objects.count(), Policy.objects.count()) == (before, 4)
    assert not runs.jobs_of(run).get().stop_requested


def test_a_projects_administrator_has_its_own_rules(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    secret = Endpoint.objects.create(name="not-shared", type="harbor", url="https://other.test")
    client, form = reader("alice"), {**GIVEN, "endpoint": endpoint.pk, "name_filter": ""}
    page = client.get("/projects/private/replication/new").content.decode()
    assert ">there</option>" in page and "not-shared" not in page
    tried = client.post("/projects/private/replication/new/try", form).content.decode()
    assert "private/app/web" in tried and "public/app/web" not in tried
    assert client.post("/projects/private/replication/new", {**form, "endpoint": secret.pk}).status_code == 422
    pull = {**form, "direction": "pull", "dest_namespace": "public"}
    refused = client.post("/projects/private/replication/new", pull)
    assert refused.status_code == 422 and "private" in refused.content.decode()
    assert not Policy.objects.exists()
    made = client.post("/projects/private/replication/new", form, follow=True).content.decode()
    rule = Policy.objects.get()
    assert (rule.project, rule.owner) == (scene.cast.private, scene.cast.alice)
    assert "Copies what matches of the project private to there, whenever somebody starts it." in made
    client.post(f"/projects/private/replication/{rule.pk}/run")
    assert runs.runs_of(Policy.objects.all()).count() == 1
    listed = reader("admin").get("/replication").content.decode()
    assert f'href="/replication/{rule.pk}"' in listed and "hv-mark" in listed
    assert Project.objects.get(name="private").replication_policies.count() == 1


def test_longer_lists_cost_no_more_queries(scene: Scene, reader: Reader, endpoint: Endpoint) -> None:
    client, rule = reader("admin"), make_rule(endpoint, project=scene.cast.private)
    run, check = make_run(scene, rule, "Success"), make_verification(scene, rule, "missing")
    paths = ["/endpoints", "/replication", "/projects/private/replication", f"/replication/{rule.pk}"]
    paths += [f"/replication/{rule.pk}/runs/{run.pk}", f"/replication/{rule.pk}/checks/{check.pk}", "/replication/new"]

    def queries() -> dict[str, int]:
        found = {}
        for path in paths:
            client.get(path)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(path).status_code == 200
            found[path] = len(seen)
        return found

    few = queries()
    for number in range(12):
        other = Endpoint.objects.create(name=f"e{number}", type="harbor", url="https://e.test")
        make_run(scene, make_rule(other, f"r{number}", project=scene.cast.private), "Error", "Running")
        make_run(scene, rule, "Error", "Success")
        jobs.add_job(run, COPY, {**SPEC, "tags": [f"x{number}"], "digest": "", "policy": rule.pk})
        Finding.objects.create(job=check.jobs.get(), source=f"s{number}", target="t", state="missing")
    more = {path: number for path, number in queries().items() if number > few[path] + 1}
    assert more == {}, few  # one may be a setting that is read anew
    assert max(few.values()) <= 20, few
