"""Robots, to the letter of Harbor's answers."""

from __future__ import annotations

import time

import pytest

from projects.models import Project
from robots.models import Robot
from tests.api.calling import Caller, caller, code
from tests.api.conftest import Stage
from tests.cast import PASSWORD, Cast

PULL = {"resource": "repository", "action": "pull", "effect": "allow"}


def test_a_robot_is_made_shown_and_signs_in(cast: Cast) -> None:
    ask = caller(cast.alice)
    grant = {"kind": "project", "namespace": "private", "access": [PULL, PULL | {"action": "read"}]}
    body = {"name": "ci", "description": "builds", "level": "project", "duration": 7, "permissions": [grant]}
    made = ask.post("/robots", body)
    robot = Robot.objects.get()
    assert made.status_code == 201 and robot.expires_at
    assert made["Location"] == f"/api/v2.0/robots/{robot.pk}"
    assert made.json()["name"] == "robot$private+ci"
    assert made.json()["expires_at"] == int(robot.expires_at.timestamp())
    shown = ask.raw("GET", made["Location"]).json()
    assert {key: value for key, value in shown.items() if not key.endswith("_time")} == {
        "id": robot.pk,
        "name": "robot$private+ci",
        "description": "builds",
        "level": "project",
        "duration": 7,
        "editable": True,
        "disable": False,
        "expires_at": made.json()["expires_at"],
        "permissions": [grant],
    }
    robot_asks = Caller("robot$private+ci", made.json()["secret"])
    assert robot_asks.get("/users/current").status_code == 412
    renewed = ask.patch(f"/robots/{robot.pk}", {}).json()["secret"]
    assert robot_asks.get("/users/current").status_code == 401
    assert Caller("robot$private+ci", renewed).get("/users/current").status_code == 412


def test_a_system_robot_and_its_namespaces(cast: Cast) -> None:
    admin = caller(cast.admin)
    grants = [
        {"kind": "system", "namespace": "/", "access": [PULL | {"resource": "project", "action": "create"}]},
        {"kind": "project", "namespace": "*", "access": [PULL]},
    ]
    made = admin.post("/robots", {"name": "ops", "level": "system", "duration": -1, "permissions": grants})
    shown = admin.raw("GET", made["Location"]).json()
    assert (shown["name"], shown["level"], shown["expires_at"], shown["duration"]) == ("robot$ops", "system", -1, -1)
    assert shown["permissions"] == grants
    assert [robot["name"] for robot in admin.get("/robots").json()] == ["robot$ops"]
    response = Caller("robot$ops", made.json()["secret"]).post("/projects", {"project_name": "made"})
    assert response.status_code == 201
    assert Project.objects.get(name="made").owner == cast.admin


def test_a_robot_changes_but_for_its_name_level_and_project(stage: Stage) -> None:
    ask, path = caller(stage.cast.alice), f"/robots/{stage.robot.pk}"
    body = ask.get(path).json()
    assert ask.put(path, body | {"name": "robot$private+other"}).status_code == 400
    assert ask.put(path, body | {"level": "system"}).status_code == 400
    elsewhere = [{"kind": "project", "namespace": "public", "access": [PULL]}]
    assert ask.put(path, body | {"permissions": elsewhere}).status_code == 400
    assert ask.put(path, body | {"duration": 3, "disable": True, "description": "off"}).status_code == 200
    shown = ask.get(path).json()
    assert (shown["duration"], shown["disable"], shown["description"]) == (3, True, "off")
    assert stage.callers["robot"].get("/statistics").status_code == 401


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?q=Level=system", 200),
        ("?q=Level=other", 400),
        ("?q=Level=~sys", 400),
        ("?q=Level=project", 400),
        ("?q=Level=project,ProjectID=x", 400),
        ("?q=Level=project,ProjectID=1000000", 404),
    ],
)
def test_which_robots_are_listed(stage: Stage, query: str, status: int) -> None:
    response = caller(stage.cast.admin).get(f"/robots{query}")
    assert response.status_code == status
    if status == 200:
        assert [robot["name"] for robot in response.json()] == ["robot$all"]


def test_a_given_secret_is_taken_and_not_told(stage: Stage) -> None:
    ask = caller(stage.cast.alice)
    assert ask.patch(f"/robots/{stage.robot.pk}", {"secret": "weak"}).status_code == 400
    assert ask.patch(f"/robots/{stage.robot.pk}", {"secret": PASSWORD}).json() == {}
    assert Caller("robot$private+ci", PASSWORD).get("/users/current").status_code == 412


def test_an_access_to_be_denied_is_not_given(stage: Stage) -> None:
    ask = caller(stage.cast.alice)
    grant = {"kind": "project", "namespace": "private", "access": [PULL | {"effect": "deny"}]}
    body = {"name": "no", "level": "project", "duration": 7, "permissions": [grant]}
    assert ask.post("/robots", body).status_code == 400
    access = [{"resource": f"/project/{stage.cast.private.pk}/repository", "action": "pull", "effect": "deny"}]
    old = {"name": "no", "expires_at": -1, "access": access}
    assert ask.post("/projects/private/robots", old).status_code == 400
    assert not Robot.objects.filter(name="no").exists()


def test_robots_where_older_clients_look_for_them(stage: Stage) -> None:
    ask, path = caller(stage.cast.alice), "/projects/private/robots"
    access = [{"resource": f"/project/{stage.cast.private.pk}/repository", "action": "pull"}]
    response = ask.post(path, {"name": "old", "description": "first", "expires_at": -1, "access": access})
    robot = Robot.objects.get(name="old")
    assert (response.status_code, response["Location"]) == (201, f"/api/v2.0{path}/{robot.pk}")
    assert Caller("robot$private+old", response.json()["secret"]).get("/users/current").status_code == 412
    assert [found["name"] for found in ask.get(path).json()] == ["robot$private+ci", "robot$private+old"]
    assert ask.put(f"{path}/{robot.pk}", {"disable": True, "description": "second"}).status_code == 200
    shown = ask.get(f"{path}/{robot.pk}").json()
    assert (shown["disable"], shown["description"], shown["duration"]) == (True, "second", -1)
    assert shown["permissions"] == [{"kind": "project", "namespace": "private", "access": [PULL]}]
    assert caller(stage.cast.alice).get(f"/projects/public/robots/{robot.pk}").status_code == 404
    assert caller(stage.cast.stranger).get(path).status_code == 403
    assert ask.delete(f"{path}/{robot.pk}").status_code == 200
    assert not Robot.objects.filter(name="old").exists()


def test_a_robot_that_would_have_ended_yesterday_does_not_live_for_ever(cast: Cast) -> None:
    path = f"/projects/{cast.private.pk}/robots"
    access = [{"resource": f"/project/{cast.private.pk}/repository", "action": "pull"}]
    for hours in (1, 24, 36, 60):
        body = {"name": "late", "expires_at": int(time.time()) - hours * 3600, "access": access}
        response = caller(cast.alice).post(path, body)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), hours
    assert not Robot.objects.exists()


@pytest.mark.parametrize("resource", ["repository", "/project/x/repository", "/system/user", "", "/project/1/../user"])
def test_an_old_clients_resource_that_is_none(stage: Stage, resource: str) -> None:
    body = {"name": "odd", "expires_at": -1, "access": [{"resource": resource, "action": "pull"}]}
    assert caller(stage.cast.alice).post("/projects/private/robots", body).status_code == 400
    assert not Robot.objects.filter(name="odd").exists()
