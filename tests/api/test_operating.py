"""Watching over the work through the API; allow-lists and icons."""

from __future__ import annotations

import base64

import pytest

from jobs import actions, pools, tasks
from jobs.models import Job, Pool, Status
from projects.models import Allowlist
from tests.api.calling import Caller, caller, code
from tests.api.calls import a_purge
from tests.api.conftest import Stage
from tests.cast import Cast

PURGE = "PURGE_AUDIT_LOG"


@pytest.fixture
def admin(cast: Cast) -> Caller:
    return caller(cast.admin)


def queues(admin: Caller) -> dict[str, tuple[int, bool]]:
    return {row["job_type"]: (row.get("count", 0), row["paused"]) for row in admin.get("/jobservice/queues").json()}


def test_a_queue_is_paused_stopped_and_resumed(admin: Caller) -> None:
    job = a_purge().jobs.get()
    assert admin.put(f"/jobservice/queues/{PURGE.lower()}", {"action": "pause"}).status_code == 200
    assert queues(admin)[PURGE] == (1, True)
    tasks.run(job.pk)
    assert Job.objects.get(pk=job.pk).status == Status.PENDING
    assert admin.put(f"/jobservice/queues/{PURGE}", {"action": "resume"}).status_code == 200
    assert queues(admin)[PURGE] == (1, False)
    assert admin.put(f"/jobservice/queues/{PURGE}", {"action": "stop"}).status_code == 200
    assert queues(admin)[PURGE] == (0, False)
    assert Job.objects.get(pk=job.pk).status == Status.STOPPED


def test_all_queues_at_once_and_the_schedules_with_them(admin: Caller, cast: Cast) -> None:
    guest = caller(cast.guest)
    assert guest.get("/schedules/all/paused").json() == {"paused": False}
    assert admin.put("/jobservice/queues/all", {"action": "pause"}).status_code == 200
    assert all(paused for _, paused in queues(admin).values())
    assert guest.get("/schedules/all/paused").json() == {"paused": True}
    assert guest.get("/schedules/retention/paused").status_code == 400


def test_a_queue_or_an_action_that_is_none(admin: Caller) -> None:
    assert admin.put("/jobservice/queues/NOTHING", {"action": "pause"}).status_code == 404
    assert admin.put(f"/jobservice/queues/{PURGE}", {"action": "burn"}).status_code == 422
    assert admin.put(f"/jobservice/queues/{PURGE}", {}).status_code == 400
    assert not any(paused for _, paused in queues(admin).values())


def test_workers_are_those_that_are_heard_of(admin: Caller) -> None:
    assert admin.get("/jobservice/pools").json() == []
    pools.begin(2)
    job = actions.claim(a_purge().jobs.get().pk)
    assert job
    [pool] = admin.get("/jobservice/pools").json()
    assert (pool["concurrency"], pool["worker_pool_id"]) == (2, str(Pool.objects.get().pk))
    busy, idle = admin.get(f"/jobservice/pools/{pool['worker_pool_id']}/workers").json()
    assert (busy["job_name"], busy["job_id"]) == (PURGE, str(job.pk))
    assert set(idle) == {"id", "pool_id"}
    pools.end()
    assert admin.get("/jobservice/pools/all/workers").json() == []


def test_a_running_job_is_asked_to_stop(admin: Caller) -> None:
    for path in ("{pk}", "all"):
        job = actions.claim(a_purge().jobs.get().pk)
        assert job
        actions.log(job, "half way")
        assert admin.put(f"/jobservice/jobs/{path.format(pk=job.pk)}").status_code == 200
        assert Job.objects.get(pk=job.pk).stop_requested
        log = admin.get(f"/jobservice/jobs/{job.pk}/log")
        assert log.status_code == 200 and b"half way" in log.content
    for unknown in ("4711", "no-number", "9" * 30):
        response = admin.put(f"/jobservice/jobs/{unknown}")
        assert (response.status_code, code(response)) == (404, "NOT_FOUND")


def test_the_systems_allow_list(admin: Caller, cast: Cast) -> None:
    path = "/system/CVEAllowlist"
    assert caller(cast.guest).get(path).json()["items"] == []
    body = {"items": [{"cve_id": "CVE-2024-1"}, {"cve_id": " GHSA-1 "}], "expires_at": 1893456000}
    assert admin.put(path, body).status_code == 200
    shown = caller(cast.guest).get(path).json()
    assert [item["cve_id"] for item in shown["items"]] == ["CVE-2024-1", "GHSA-1"]
    assert shown["expires_at"] == 1893456000
    wrong: list[list[dict[str, str]]] = [[{"cve_id": "a"}, {"cve_id": "a "}], [{}], [{"cve_id": "x" * 200}]]
    for bad in wrong:
        assert admin.put(path, {"items": bad}).status_code == 400
    assert admin.put(path, {"items": [7]}).status_code == 422
    assert Allowlist.objects.get().items == ["CVE-2024-1", "GHSA-1"]


def test_a_projects_allow_list(cast: Cast) -> None:
    alice = caller(cast.alice)
    body = {"metadata": {}, "cve_allowlist": {"items": [{"cve_id": "CVE-2024-1"}]}}
    assert alice.put("/projects/private", body).status_code == 200
    shown = alice.get("/projects/private").json()["cve_allowlist"]
    assert (shown["project_id"], shown["items"]) == (cast.private.pk, [{"cve_id": "CVE-2024-1"}])
    assert alice.put("/projects/private", {"metadata": {"auto_scan": "true"}}).status_code == 200
    assert alice.get("/projects/private").json()["cve_allowlist"]["items"] == [{"cve_id": "CVE-2024-1"}]
    wrong = {"metadata": {"auto_scan": "false"}, "cve_allowlist": {"project_id": cast.public.pk, "items": []}}
    assert alice.put("/projects/private", wrong).status_code == 400
    assert alice.get("/projects/private").json()["metadata"]["auto_scan"] == "true"  # nothing half done
    assert caller(cast.maintainer).put("/projects/private", body).status_code == 403


def test_the_icon_that_an_artifact_names_is_there(stage: Stage) -> None:
    artifact = stage.callers["guest"].get(f"{stage.path}/v1?with_accessory=true").json()
    for digest in (artifact["icon"], artifact["accessories"][0]["icon"]):
        icon = Caller().get(f"/icons/{digest}").json()
        assert icon["content-type"] == "image/svg+xml"
        assert base64.b64decode(icon["content"]).startswith(b"<svg ")
    assert Caller().get("/icons/sha256:unknown").status_code == 404
