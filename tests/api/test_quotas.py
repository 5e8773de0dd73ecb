"""Quotas: read and set by who may, and nobody else."""

from __future__ import annotations

from typing import Any

from audit.models import Entry
from projects.models import Project, Quota
from tests.api.calling import Caller, caller, code
from tests.api.conftest import Stage
from tests.api.stage import make_system_robot
from tests.cast import make_project


def projects(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [quota["ref"]["name"] for quota in response.json()]


def test_what_a_quota_shows(stage: Stage) -> None:
    Quota.objects.filter(project=stage.cast.private).update(hard=1000, used=7)
    quota = stage.cast.private.quota
    shown = caller(stage.cast.admin).get(f"/quotas/{quota.pk}").json()
    assert {key: value for key, value in shown.items() if not key.endswith("_time")} == {
        "id": quota.pk,
        "ref": {"id": stage.cast.private.pk, "name": "private", "owner_name": "alice"},
        "hard": {"storage": 1000},
        "used": {"storage": 7},
    }
    summary = caller(stage.cast.guest).get("/projects/private/summary").json()
    assert summary["quota"] == {"hard": {"storage": 1000}, "used": {"storage": 7}}


def test_lists(stage: Stage) -> None:
    make_project("third", stage.cast.alice)
    Project.objects.filter(name="third").update(owner=None)
    for name, hard, used in (("private", 50, 9), ("public", -1, 10), ("third", 400, 0)):
        Quota.objects.filter(project__name=name).update(hard=hard, used=used)
    ask = caller(stage.cast.admin)
    sorts = {
        "": ["third", "public", "private"],
        "creation_time": ["private", "public", "third"],
        "hard.storage": ["private", "third", "public"],
        "-hard.storage": ["public", "third", "private"],
        "used.storage": ["third", "private", "public"],
        "-used.storage": ["public", "private", "third"],
    }
    assert {sort: projects(ask.get(f"/quotas?sort={sort}")) for sort in sorts} == sorts
    pk = stage.cast.public.pk
    assert projects(ask.get(f"/quotas?reference=project&reference_id={pk}")) == ["public"]
    for none in ("reference=user", f"reference_id={pk}x", "reference_id=99999999999999999999999", "reference_id=-1"):
        assert projects(ask.get(f"/quotas?{none}")) == []
    page = ask.get("/quotas?page_size=2&page=2")
    assert (page["X-Total-Count"], len(page.json())) == ("3", 1)


def test_sql_in_the_sort_order(stage: Stage) -> None:
    """It is a name of ours, or it is nothing."""
    ask = caller(stage.cast.admin)
    for sort in ("hard.storage'--", "used.a%3Bselect pg_sleep(5)", "hard.x')", "project__owner__password", "-limit"):
        assert projects(ask.get(f"/quotas?sort={sort}")) == ["public", "private"]


def test_setting_one(stage: Stage) -> None:
    ask, path = caller(stage.cast.admin), f"/quotas/{stage.cast.private.quota.pk}"
    assert ask.put(path, {"hard": {"storage": 1024}}).status_code == 200
    assert Quota.objects.get(project=stage.cast.private).hard == 1024
    assert ask.put(path, {"hard": {"storage": -1}}).status_code == 200
    bad = [{}, {"hard": None}, {"hard": {}}, {"hard": {"storage": 0}}, {"hard": {"storage": -2}}]
    bad += [{"hard": {"storage": 2**60}}, {"hard": {"count": 5}}, {"hard": {"storage": 5, "count": 5}}]
    for body in bad:
        assert (ask.put(path, body).status_code, body) == (400, body)
    for body in (
        {"hard": {"storage": "5"}},
        {"hard": {"storage": True}},
        {"hard": 5},
        {"hard": {"storage": 2**64}},
        [],
    ):
        assert (ask.put(path, body).status_code, body) == (422, body)
    assert Quota.objects.get(project=stage.cast.private).hard == -1
    assert Entry.objects.filter(operation_description__contains="quota").count() == 2


def test_who_may(stage: Stage) -> None:
    path = f"/quotas/{stage.cast.private.quota.pk}"
    robot, secret = make_system_robot("quotas", ["quota:list", "quota:read"], {})
    answers: dict[str, list[int]] = {}
    for name, ask in {**stage.callers, "quotas": Caller("robot$quotas", secret)}.items():
        responses = (ask.get("/quotas"), ask.get(path), ask.put(path, {"hard": {"storage": 5}}), ask.get("/quotas/999"))
        answers[name] = [response.status_code for response in responses]
    assert answers.pop("admin") == [200, 200, 200, 404]
    assert answers.pop("quotas") == [200, 200, 403, 404]
    assert answers.pop("nobody") == [401] * 4
    assert answers == dict.fromkeys(answers, [403] * 4)


def test_a_new_project(stage: Stage) -> None:
    admin, alice = caller(stage.cast.admin), caller(stage.cast.alice)
    asked = {
        "by-default": (admin, {}, -1),
        "unlimited": (admin, {"storage_limit": -1}, -1),
        "limited": (admin, {"storage_limit": 5000}, 5000),
        "ignored": (alice, {"storage_limit": 5000}, -1),
    }
    for name, (ask, more, hard) in asked.items():
        assert ask.post("/projects", {"project_name": name, **more}).status_code == 201
        assert (name, Quota.objects.get(project__name=name).hard) == (name, hard)
    refused = admin.post("/projects", {"project_name": "wrong", "storage_limit": -5})
    assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST")
    assert not Project.objects.filter(name="wrong").exists()
