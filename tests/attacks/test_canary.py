"""Secrets that a bird marked: after a day's work none is in the database, in Redis, in a log or in an answer."""

from __future__ import annotations

import base64
import logging
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts import actions
from artifacts.tasks import flush_pulls
from configuration import values
from tests.api.calling import Caller, caller
from tests.api.conftest import Stage
from tests.attacks.browser import SIGN_IN, form_token, signed_in
from tests.cast import PASSWORD

CANARY = "Canary-7f3a9c-Secret"


def database() -> str:
    """Every value of every row."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [bytes(value) if isinstance(value, memoryview) else value for row in cursor for value in row]
    return repr(found)


def in_redis() -> str:
    """Every key, and what stands there."""
    client: Any = redis.Redis.from_url(settings.REDIS_URL)
    readers = {b"string": client.get, b"list": lambda key: client.lrange(key, 0, -1), b"set": client.smembers}
    return repr([(key, readers.get(client.type(key), client.hgetall)(key)) for key in client.scan_iter()])


def a_days_work(stage: Stage) -> list[str]:
    """Give Haven secrets at every door that takes one; those that it made itself are returned."""
    admin = caller(stage.cast.admin)
    profile = {"username": "bird", "email": "bird@haven.test", "realname": "Bird", "password": f"{CANARY}-1"}
    assert admin.post("/users", profile).status_code == 201
    bird = Caller("bird", f"{CANARY}-1")
    number = bird.get("/users/current").json()["user_id"]
    change = {"old_password": f"{CANARY}-1", "new_password": f"{CANARY}-2"}
    assert bird.put(f"/users/{number}/password", change).status_code == 200
    assert Caller("bird", f"{CANARY}-wrong").get("/users/current").status_code == 401
    assert Caller(f"{CANARY}-name", "x").get("/users/current").status_code == 401
    keys = ("ldap_search_password", "oidc_client_secret")
    actions.configure(stage.cast.admin.actor, {key: f"{CANARY}-{key}" for key in keys})
    access = [{"resource": "repository", "action": "pull"}]
    grant = {"kind": "project", "namespace": "private", "access": access}
    robot = {"name": "bird", "level": "project", "duration": 7, "permissions": [grant]}
    made = admin.post("/robots", robot).json()
    assert admin.patch(f"/robots/{made['id']}", {"secret": f"{CANARY}-3"}).status_code == 200
    Caller("robot$private+bird", f"{CANARY}-3").get("/projects")
    browser = signed_in("bird", f"{CANARY}-2")
    form = {"username": "bird", "password": f"{CANARY}-w", "csrfmiddlewaretoken": form_token(Client())}
    Client().post(SIGN_IN, form)
    return [made["secret"], *tokens(), browser.cookies["csrf"].value]


def tokens() -> list[str]:
    """What the realm gives the bird."""
    asked = {"grant_type": "password", "username": "bird", "password": f"{CANARY}-2", "access_type": "offline"}
    form = urlencode({**asked, "service": "harbor-registry", "client_id": "docker"})
    by_form = Client().post("/service/token", form, "application/x-www-form-urlencoded").json()
    basic = base64.b64encode(f"bird:{CANARY}-2".encode()).decode()
    path = "/service/token?service=harbor-registry&scope=repository:private/app/web:pull"
    by_basic = Client().get(path, headers={"Authorization": f"Basic {basic}"}).json()
    Client().get("/v2/", headers={"Authorization": f"Bearer {by_basic['token']}"})
    return [by_form["refresh_token"], by_form["access_token"], by_basic["token"]]


def test_no_secret_is_found_anywhere(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = a_days_work(stage)
    flush_pulls()

    admin = caller(stage.cast.admin)
    paths = ("/users", "/robots", "/auditlog-exts", "/systeminfo", "/projects/private/auditlog-exts", "/search?q=bird")
    answers = "".join(admin.get(path).content.decode() for path in paths)
    answers += "".join(signed_in("admin").get(path).content.decode() for path in ("/users", "/projects/private/robots"))
    shown = {key: value.value for key, value in values.get_all().items()}
    logged = caplog.text + repr([record.__dict__ for record in caplog.records])
    places = {"database": database(), "redis": in_redis(), "log": logged, "answers": answers, "keys": repr(shown)}

    assert "bird" in places["database"] and "bird" in answers
    for name, place in places.items():
        for secret in [*made, *(f"{CANARY}-{end}" for end in ("1", "2", "3", "w", "ldap_", "oidc_"))]:
            assert secret not in place, (name, secret)


@pytest.mark.parametrize("path", ["/users", "/projects", "/robots", "/auditlog-exts"])
def test_no_answer_depends_on_a_secret(stage: Stage, path: str) -> None:
    """A filter on what is hidden is as if it were not there, whatever it asks for."""
    admin = caller(stage.cast.admin)
    hidden = (
        "password",
        "secret",
        "secret_digest",
        "salt",
        "token",
        "auth_epoch",
        "owner__password",
        "user__password",
    )
    plain = admin.get(path).content
    for column in hidden:
        for value in ("~a", "~p", "x", "[1~9]", "{a b}"):
            answer = admin.get(f"{path}?q={column}={value}&sort={column}")
            assert (answer.status_code, answer.content) == (200, plain) or answer.status_code == 400


def test_a_robot_that_reads_robots_reads_no_secret(stage: Stage) -> None:
    answer = caller(stage.cast.admin).get(f"/robots/{stage.robot.pk}").json()

    assert "secret" not in answer
    assert stage.robot.secret_digest not in repr(answer)


def test_the_password_itself_is_not_kept(stage: Stage) -> None:
    stage.cast.guest.refresh_from_db()

    assert PASSWORD not in stage.cast.guest.password
    assert stage.cast.guest.password.startswith("argon2")
