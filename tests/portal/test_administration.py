"""The pages of whoever watches over Haven: who may open them, what they show, what they do."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.models import Entry
from configuration import values
from jobs.models import Execution, Job, Pause, Schedule, Status
from portal import auditing
from projects.models import Quota
from robots.models import Robot
from tests.cast import Cast
from tests.portal.conftest import Reader, Scene

PAGES = (
    *("/audit", "/audit.csv", "/audit/purge", "/jobs", "/jobs/schedules", "/jobs/workers", "/jobs/{execution}"),
    *("/health", "/robots", "/robots/new", "/groups", "/groups/new", "/labels", "/labels/new"),
    *("/quotas", "/quotas/private", "/configuration/system", "/configuration/authentication"),
)
FIVE = ("one", "two", "three", "four", "five")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def make_execution(status: Status = Status.RUNNING, **fields: Any) -> Execution:
    execution = Execution.objects.create(vendor_type="REPLICATION", start_time=NOON)
    job = Job.objects.create(
        execution=execution, kind="REPLICATION", status=status, due_at=NOON, start_time=NOON, **fields
    )
    job.log_lines.create(time=NOON, line="comparing digests")
    return execution


def make_entry(**fields: Any) -> Entry:
    given = {
        "op_time": NOON,
        "username": "alice",
        "operation": "pull",
        "resource_type": "artifact",
        "resource": "a/b:1",
    }
    return Entry.objects.create(**{**given, **fields})


@pytest.mark.parametrize(("who", "status"), [("admin", 200), ("alice", 403), ("stranger", 403), ("anonymous", 302)])
def test_they_are_the_administrators(cast: Cast, reader: Reader, who: str, status: int) -> None:
    client, execution = reader(who), make_execution()

    found = {path: client.get(path.format(execution=execution.pk)).status_code for path in PAGES}

    assert found == dict.fromkeys(PAGES, status)


def test_who_may_not_open_them_is_not_shown_the_way(cast: Cast, reader: Reader) -> None:
    hrefs = {f'href="/{page}"' for page in ("audit", "jobs", "health", "robots", "groups", "labels", "quotas", "users")}
    admin, alice = (reader(who).get("/").content.decode() for who in ("admin", "alice"))

    assert [href for href in hrefs if href not in admin] == []
    assert [href for href in hrefs if href in alice] == []


def test_the_log_is_filtered_by_its_address(cast: Cast, reader: Reader) -> None:
    make_entry(resource="seen/one:1")
    make_entry(username="bob", resource="seen/two:1")
    make_entry(operation="delete", resource="seen/three:1")
    make_entry(success=False, resource="seen/four:1")
    make_entry(op_time=NOON - timedelta(days=9), resource="seen/five:1")
    client = reader("admin")
    wanted = {
        "q=bob": {"two"},
        "resource=seen/two:1": {"two"},
        "event=delete_artifact": {"three"},
        "result=failed": {"four"},
        "to=2026-02-28": {"five"},
        "from=2026-03-04&to=2026-03-04&result=done&q=alice": {"one", "three"},
        "from=nonsense&event=no_such": {"one", "two", "three", "four", "five"},
        "q=ali": set(),
    }

    for asked, resources in wanted.items():
        for path in ("/audit", "/audit.csv"):
            page = client.get(f"{path}?{asked}")
            text = page.getvalue().decode() if page.streaming else page.content.decode()
            marks = ("seen/{}:1</div>", ",seen/{}:1,")
            shown = {name for name in FIVE if any(mark.format(name) in text for mark in marks)}
            assert shown == resources, (path, asked)


def test_the_exported_log_runs_nothing_and_has_an_end(cast: Cast, reader: Reader) -> None:
    for number, start in enumerate("=+-@\t"):
        make_entry(resource=f"{start}cmd|' /C calc'!A0", op_time=NOON + timedelta(minutes=number))

    answer = reader("admin").get("/audit.csv?q=alice")
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert answer["Content-Disposition"] == 'attachment; filename="haven-audit.csv"'
    assert [row[4][:2] for row in rows[1:]] == ["'\t", "'@", "'-", "'+", "'="]
    assert len(list(auditing.lines(Entry.objects.all(), most=3))) == 4


def test_a_projects_log_is_its_own(scene: Scene, reader: Reader) -> None:
    make_entry(project_id=scene.cast.private.pk, resource="private/app:1")
    make_entry(project_id=scene.cast.public.pk, resource="public/app:1")
    text = reader("alice").get("/projects/private/log.csv").getvalue().decode()

    assert "private/app:1" in text and "public/app:1" not in text
    assert reader("guest").get("/projects/private/log.csv").status_code == 403
    assert reader("stranger").get("/projects/private/log.csv").status_code == 404


def test_an_execution_is_watched_and_stopped(cast: Cast, reader: Reader) -> None:
    waiting = make_execution(Status.PENDING, progress={"done": 3, "total": 20})
    client, path = reader("admin"), f"/jobs/{waiting.pk}"

    page = client.get(path).content.decode()
    assert "comparing digests" in page and "3 of 20" in page and 'hx-trigger="every 3s"' in page
    assert "The lines are in English, the times in the zone UTC." in page
    assert "1 job is not finished" in client.get(f"{path}/stop").content.decode()
    client.post(f"{path}/stop")

    assert Job.objects.get(execution=waiting).status == Status.STOPPED
    assert Entry.objects.get(resource_type="execution").username == "admin"
    after = client.get(path).content.decode()
    assert 'hx-trigger="every 3s"' not in after and "/stop" not in after
    assert "It has ended already." in client.get(f"{path}/stop").content.decode()
    assert client.get("/jobs/999999").status_code == 404
    assert client.get(f"{path}?job=99999999999999999999").status_code == 200


def test_a_queue_is_paused_and_resumed(cast: Cast, reader: Reader) -> None:
    client = reader("admin")

    client.post("/jobs/queues/REPLICATION/pause")
    assert Pause.objects.get().kind == "REPLICATION"
    assert "Paused" in client.get("/jobs/workers").content.decode()
    client.post("/jobs/queues/REPLICATION/pause")
    assert not Pause.objects.exists()
    assert client.get("/jobs/queues/NOTHING/pause").status_code == 404


def test_health_says_which_part_is_away(cast: Cast, reader: Reader) -> None:
    page = reader("admin").get("/health").content.decode()

    assert "Does not answer" in page  # neither registry nor workers belong to these tests
    assert "Well" in page


ROBOT_HEADS = {"/robots": "System robots", "/robots/new": "New robot"}
ROBOT = {"name": "mirror", "description": "", "duration": "", "permissions": ["repository:pull"]}


def test_a_robot_of_the_system_is_made_and_ended(cast: Cast, reader: Reader) -> None:
    client = reader("admin")

    page = client.post("/robots/new", {**ROBOT, "everywhere": "on", "system": ["catalog:read"]}).content.decode()
    robot = Robot.objects.get(name="mirror")
    assert "The secret of robot$mirror" in page
    assert robot.project is None
    assert robot.permissions == {"system": ["catalog:read"], "projects": {"0": ["repository:pull"]}}
    heads = {page: "The secret of robot$mirror"}
    heads |= {client.get(path).content.decode(): head for path, head in ROBOT_HEADS.items()}
    shown = client.get(f"/robots/{robot.pk}").content.decode()
    assert "In every project" in shown and shown.count(f'href="/robots/{robot.pk}/delete"') == 1
    for each, head in {**heads, shown: "robot$mirror"}.items():
        assert re.findall(r"<h1[^>]*>([^<]+)", each)[0].strip() == head and f">{head}</h2>" not in each, head
        assert each.partition("<title>")[2].startswith(head.removeprefix("The secret of ")), head
    client.post(f"/robots/{robot.pk}/switch")
    robot.refresh_from_db()
    assert robot.disabled
    client.post(f"/robots/{robot.pk}/delete")
    assert not Robot.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({}, "Choose all projects, or name some."),
        ({"everywhere": "on", "projects": "private"}, "Either all projects or these"),
        ({"projects": "private\nmissing"}, "One of these projects does not exist."),
        ({"everywhere": "on", "permissions": []}, "Choose at least one permission."),
    ],
)
def test_a_robot_of_nowhere_is_not_made(cast: Cast, reader: Reader, wrong: dict[str, Any], sentence: str) -> None:
    answer = reader("admin").post("/robots/new", {**ROBOT, **wrong})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Robot.objects.exists()


def test_a_projects_robot_is_no_robot_of_the_system(scene: Scene, reader: Reader) -> None:
    assert reader("admin").get(f"/robots/{scene.robot.pk}").status_code == 404
    assert reader("alice").post(f"/robots/{scene.robot.pk}/delete").status_code == 403


@pytest.mark.parametrize(
    ("written", "octets"), [("10 GiB", 10 * 2**30), ("1.5 g", 3 * 2**29), ("500MB", 500 * 2**20), ("", -1), ("7", 7)]
)
def test_a_storage_limit_is_written_as_people_do(cast: Cast, reader: Reader, written: str, octets: int) -> None:
    client = reader("admin")

    client.post("/quotas/private", {"hard": written})

    assert Quota.objects.get(project=cast.private).hard == octets
    again = client.get("/quotas/private").content.decode().partition('name="hard"')[2]
    client.post("/quotas/private", {"hard": again.partition('value="')[2].partition('"')[0] if octets > 0 else ""})
    assert Quota.objects.get(project=cast.private).hard == octets  # what the form shows is what it takes


def test_a_storage_limit_stands_once_in_its_row(cast: Cast, reader: Reader) -> None:
    Quota.objects.filter(project=cast.private).update(used=2**20, hard=7 * 2**20)
    row = reader("admin").get("/quotas?q=private").content.decode().partition("<tbody>")[2].partition("</tbody>")[0]

    assert len(re.findall(r">7\.0 MiB<", row)) == 1 and ">1.0 MiB<meter" in row
    assert 'aria-label="1.0 MiB of 7.0 MiB"' in row
    assert "1.0 MiB of 7.0 MiB<meter" in reader("admin").get("/projects?q=private").content.decode()


def test_what_is_no_size_is_refused(cast: Cast, reader: Reader) -> None:
    for wrong in ("much", "-5", "0", "10 XiB", "99999999 PiB", "1e9"):
        answer = reader("admin").post("/quotas/private", {"hard": wrong})
        assert answer.status_code == 422, wrong
    assert Quota.objects.get(project=cast.private).hard == -1


def test_the_log_is_purged_now_and_by_the_clock(cast: Cast, reader: Reader) -> None:
    client, chosen = reader("admin"), {"days": "30", "events": ["pull_artifact", "other"]}

    client.post("/audit/purge", {**chosen, "dry_run": "on"})
    asked = client.post("/audit/purge", chosen).content.decode()
    assert "older than 30 days is deleted, if it is of these kinds: Artifact pulled, Everything else." in asked
    assert Job.objects.filter(kind="PURGE_AUDIT_LOG").count() == 1  # asked is not done
    carried = dict(re.findall(r'type="hidden" name="(days|agreed)" value="(\w+)"', asked))
    assert client.post("/audit/purge", {**chosen, **carried}).status_code == 302
    assert [job.spec["dry_run"] for job in Job.objects.filter(kind="PURGE_AUDIT_LOG").order_by("pk")] == [True, False]
    Job.objects.filter(kind="PURGE_AUDIT_LOG").latest("pk").delete()
    spec = {"audit_retention_hour": 720, "include_event_types": "pull_artifact,other", "dry_run": True}
    assert Job.objects.get(kind="PURGE_AUDIT_LOG").spec == spec
    client.post("/audit/purge/schedule", {**chosen, "kind": "Daily", "cron": ""})
    assert Schedule.objects.get().cron == "0 0 0 * * *"
    assert 'value="30"' in client.get("/audit/purge").content.decode()
    client.post("/audit/purge/schedule", {**chosen, "kind": "Custom", "cron": "0 0 3 * * 1"})
    assert Schedule.objects.get().cron == "0 0 3 * * 1"
    for wrong in ("", "at noon", "5 * * * * *"):
        assert client.post("/audit/purge/schedule", {**chosen, "kind": "Custom", "cron": wrong}).status_code == 422
    client.post("/audit/purge/schedule", {**chosen, "kind": "None", "cron": ""})
    assert not Schedule.objects.exists()


SYSTEM = {
    "project_creation_restriction": "adminonly",
    "storage_per_project": "2 GiB",
    "robot_token_duration": "90",
    "robot_name_prefix": "robot$",
    "session_timeout": "20",
    "token_expiration": "15",
    "banner_message": "Maintenance on Sunday <b>",
    "disabled_audit_log_event_types": ["pull_artifact", "login_user"],
}


def test_the_configuration_is_changed(cast: Cast, reader: Reader) -> None:
    client = reader("admin")

    assert client.post("/configuration/system", SYSTEM).status_code == 302

    assert values.get("storage_per_project") == 2 * 2**30
    assert values.get("disabled_audit_log_event_types") == "pull_artifact,login_user"
    assert values.get("quota_per_project_enable") is False  # a box that was not ticked
    assert "Maintenance on Sunday &lt;b&gt;" in client.get("/").content.decode()
    assert client.post("/configuration/system", {**SYSTEM, "session_timeout": "0"}).status_code == 422
    assert values.get("session_timeout") == 20
    assert client.get("/configuration/nothing").status_code == 404


def test_a_secret_is_taken_and_never_shown(cast: Cast, reader: Reader) -> None:
    client = reader("admin")
    given = {
        **{"auth_mode": "db_auth", "ldap_scope": "2", "ldap_group_search_scope": "2", "ldap_timeout": "5"},
        **{"ldap_url": "ldaps://ldap.haven.test", "ldap_base_dn": "dc=haven,dc=test", "ldap_uid": "uid"},
        "ldap_search_password": "a canary of a secret",
    }

    assert client.post("/configuration/authentication", given).status_code == 302
    assert values.get("ldap_search_password") == "a canary of a secret"
    assert "canary" not in client.get("/configuration/authentication").content.decode()
    client.post("/configuration/authentication", {**given, "ldap_search_password": ""})
    assert values.get("ldap_search_password") == "a canary of a secret"
    wrong = client.post("/configuration/authentication", {**given, "ldap_url": "gopher://x"})
    assert wrong.status_code == 422
    assert 'id="id_ldap_url_error"' in wrong.content.decode()


def test_what_the_environment_fixes_is_not_changed(cast: Cast, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSION_TIMEOUT", "45")
    values.fixed.cache_clear()
    values.forget()
    try:
        page = reader("admin").get("/configuration/system").content.decode()
        assert "The environment fixes this." in page
        assert reader("admin").post("/configuration/system", SYSTEM).status_code == 302
        assert values.get("session_timeout") == 45
    finally:
        values.fixed.cache_clear()
