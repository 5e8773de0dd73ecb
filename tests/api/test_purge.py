"""Purging the audit log through the API: now, by the clock, and what may go wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Entry
from jobs import tasks
from jobs.models import Execution, Job, Schedule
from tests.api.calling import Caller, caller, code
from tests.cast import Cast

PATH = "/system/purgeaudit"
PARAMETERS: dict[str, Any] = {"audit_retention_hour": 24, "include_event_types": "create_project", "dry_run": False}


def asked(kind: str, cron: str = "", **parameters: Any) -> dict[str, Any]:
    return {"schedule": {"type": kind, "cron": cron}, "parameters": PARAMETERS | parameters}


@pytest.fixture
def admin(cast: Cast) -> Caller:
    return caller(cast.admin)


def test_now(admin: Caller) -> None:
    old = timezone.now() - timedelta(hours=30)
    for name in ("create", "pull"):
        Entry.objects.create(op_time=old, username="a", operation=name, resource_type="project", resource="x")

    made = admin.post(f"{PATH}/schedule", asked("Manual"))

    run = Execution.objects.get(vendor_type="PURGE_AUDIT_LOG")
    assert (made.status_code, made["Location"]) == (201, f"/api/v2.0{PATH}/{run.pk}")
    shown = admin.get(f"{PATH}/{run.pk}").json()
    assert (shown["job_status"], shown["job_kind"], json.loads(shown["job_parameters"])) == (
        "Pending",
        "MANUAL",
        PARAMETERS,
    )
    assert shown["schedule"]["type"] == "Manual"
    tasks.run(Job.objects.get(execution=run).pk)
    assert admin.get(f"{PATH}/{run.pk}").json()["job_status"] == "Success"
    assert [entry.operation for entry in Entry.objects.filter(op_time=old)] == ["pull"]
    log = admin.get(f"{PATH}/{run.pk}/log")
    assert log["Content-Type"] == "text/plain; charset=utf-8" and b"1 entries deleted" in log.content
    assert [entry["id"] for entry in admin.get(PATH).json()] == [run.pk]


def test_by_the_clock(admin: Caller) -> None:
    nothing = admin.get(f"{PATH}/schedule")
    assert (nothing.status_code, nothing.content) == (200, b"")

    assert admin.post(f"{PATH}/schedule", asked("Weekly", "0 0 0 * * 0")).status_code == 201
    shown = admin.get(f"{PATH}/schedule").json()
    assert (shown["schedule"]["type"], shown["schedule"]["cron"]) == ("Weekly", "0 0 0 * * 0")
    assert json.loads(shown["job_parameters"]) == PARAMETERS

    assert admin.put(f"{PATH}/schedule", asked("Daily", "0 0 1 * * *", dry_run=True)).status_code == 200
    row = Schedule.objects.get(vendor_type="PURGE_AUDIT_LOG")
    assert (row.cron, row.spec["dry_run"]) == ("0 0 1 * * *", True)
    assert row.pk in [entry["id"] for entry in admin.get("/schedules").json()]

    assert admin.put(f"{PATH}/schedule", asked("None")).status_code == 200
    assert admin.get(f"{PATH}/schedule").content == b""
    assert not Execution.objects.filter(vendor_type="PURGE_AUDIT_LOG").exists()


def test_a_schedule_without_a_type_ends_it(admin: Caller) -> None:
    """What Terraform's provider sends to destroy one; nothing begins by that."""
    assert admin.post(f"{PATH}/schedule", asked("Weekly", "0 0 0 * * 0")).status_code == 201
    assert admin.put(f"{PATH}/schedule", {"schedule": {}, "parameters": PARAMETERS}).status_code == 200
    assert admin.get(f"{PATH}/schedule").content == b""
    assert admin.post(f"{PATH}/schedule", {"schedule": {}, "parameters": PARAMETERS}).status_code == 400


def test_a_purge_that_waits_is_stopped(admin: Caller) -> None:
    admin.post(f"{PATH}/schedule", asked("Manual"))
    run = Execution.objects.get(vendor_type="PURGE_AUDIT_LOG")
    assert admin.put(f"{PATH}/{run.pk}").status_code == 200
    assert admin.get(f"{PATH}/{run.pk}").json()["job_status"] == "Stopped"


def test_what_makes_no_sense_starts_nothing(admin: Caller) -> None:
    bad: list[tuple[dict[str, Any], int]] = [
        ({}, 400),
        ({"schedule": None}, 400),
        ({"schedule": {"type": "Manual"}}, 400),
        ({"schedule": {"type": "Manual"}, "parameters": {"audit_retention_hour": 1}}, 400),
        ({"schedule": {"type": "Manual"}, "parameters": {"include_event_types": "x"}}, 400),
        (asked("Manual", audit_retention_hour=240_001), 400),
        (asked("Manual", audit_retention_hour="ten"), 400),
        (asked("Manual", audit_retention_hour=True), 400),
        (asked("Manual", include_event_types=["x"]), 400),
        (asked("Manual", dry_run="yes"), 400),
        (asked("Daily"), 400),
        (asked("Custom", "not a cron"), 400),
        (asked("Custom", "1 0 0 * * *"), 400),
        (asked("Schedule", "0 0 0 * * *"), 400),
        (asked("Yearly", "0 0 0 * * *"), 422),
        ({"schedule": {"type": 7}}, 422),
    ]
    for body, status in bad:
        for method in ("POST", "PUT"):
            response = admin(method, f"{PATH}/schedule", body)
            assert response.status_code == status, (body, response.content)
            assert code(response) == ("BAD_REQUEST" if status == 400 else "UNPROCESSABLE_ENTITY")
    assert not Execution.objects.exists() and not Schedule.objects.filter(vendor_type="PURGE_AUDIT_LOG").exists()


def test_another_execution_is_no_purge(admin: Caller) -> None:
    other = Execution.objects.create(vendor_type="EXECUTION_SWEEP", start_time=timezone.now())
    for method, sub in (("GET", ""), ("GET", "/log"), ("PUT", "")):
        response = admin(method, f"{PATH}/{other.pk}{sub}")
        assert (response.status_code, code(response)) == (404, "NOT_FOUND")
