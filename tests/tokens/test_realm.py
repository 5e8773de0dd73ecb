"""Docker's token protocol: who gets which token, and who gets none."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actions import set_active, set_password
from accounts.actors import SYSTEM, Kind, Permission
from accounts.models import RefreshToken, User
from audit.models import Entry
from configuration import values
from projects.models import Member, Project, Role
from robots.actions import create_robot, refresh_secret, update_robot
from robots.models import Robot
from robots.permissions import Grant
from tests.cast import PASSWORD, Cast
from tests.tokens.realm import Realm, basic

PRIVATE, PUBLIC, NONE = "private/app", "public/app", "nowhere/app"
ALL = "pull,push,delete"

pytestmark = pytest.mark.django_db


def robot(project: Project | None = None, *actions: str, namespace: str = "", system: str = "") -> tuple[Robot, str]:
    """A robot that may do `actions` to repositories, by itself in `project` or everywhere that `namespace` says."""
    access = tuple(Permission("repository", action) for action in actions)
    grants = [Grant("project", namespace or (project.name if project else "*"), access)] if access else []
    if system:
        grants.append(Grant("system", "/", (Permission(*system.split(":")),)))
    level = Robot.Level.PROJECT if project and not system else Robot.Level.SYSTEM
    return create_robot(
        SYSTEM, name=f"r{Robot.objects.count()}", level=level, project=project, duration=-1, permissions=grants
    )


@pytest.mark.parametrize(
    ("user", "repository", "asked", "expected"),
    [
        ("admin", PRIVATE, ALL, {"pull", "push", "delete"}),
        ("alice", PRIVATE, ALL, {"pull", "push", "delete"}),
        ("maintainer", PRIVATE, ALL, {"pull", "push", "delete"}),
        ("developer", PRIVATE, ALL, {"pull", "push"}),
        ("developer", PRIVATE, "pull", {"pull"}),  # asked ∩ allowed: never more than was asked
        ("developer", PRIVATE, "push", {"push"}),
        ("developer", PRIVATE, "delete", set()),
        ("developer", PRIVATE, "*", set()),
        ("guest", PRIVATE, ALL, {"pull"}),
        ("limited_guest", PRIVATE, ALL, {"pull"}),
        ("stranger", PRIVATE, ALL, set()),
        ("stranger", PUBLIC, ALL, {"pull"}),
        ("stranger", NONE, ALL, set()),
        ("", PRIVATE, ALL, set()),
        ("", PUBLIC, ALL, {"pull"}),
        ("", NONE, ALL, set()),
        ("admin", NONE, ALL, set()),
        ("admin", "private", ALL, set()),
        ("admin", "PRIVATE/app", ALL, set()),
        ("admin", "private/../public/app", ALL, set()),
    ],
)
def test_grants(cast: Cast, realm: Realm, user: str, repository: str, asked: str, expected: set[str]) -> None:
    answer = realm.get(f"repository:{repository}:{asked}", user=user)
    assert answer.status == 200
    assert answer.granted == ({repository: expected} if expected else {})


def test_the_answer_is_docker_s(cast: Cast, realm: Realm) -> None:
    answer = realm.get("repository:private/app:pull", user="alice", account="alice", client_id="docker")
    assert answer.body["token"] == answer.body["access_token"] and answer.body["expires_in"] == 1800
    issued = datetime.datetime.strptime(answer.body["issued_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
    assert abs(issued.timestamp() - time.time()) < 5
    assert "refresh_token" not in answer.body and answer.headers["Cache-Control"] == "no-store"
    claims = jwt.decode(answer.body["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 1800 and claims["sub"] == "alice"
    assert claims["haven"] == {"k": "user", "i": cast.alice.pk, "e": cast.alice.auth_epoch}


def test_several_scopes_by_parameter_and_by_space(cast: Cast, realm: Realm) -> None:
    answer = realm.get(
        "repository:private/a:pull,push repository:public/b:pull,push", "repository:private/c:pull", user="guest"
    )
    assert answer.granted == {"private/a": {"pull"}, "public/b": {"pull"}, "private/c": {"pull"}}


def test_a_name_s_project_is_its_first_segment(cast: Cast, realm: Realm) -> None:
    answer = realm.get("repository:public/private/app:push", "repository:private/public/app:push", user="developer")
    assert answer.granted == {"private/public/app": {"push"}}


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@haven.test", "Alice@Haven.Test"])
def test_by_name_or_mail_address(cast: Cast, realm: Realm, name: str) -> None:
    assert realm.get("repository:private/app:pull", user=name).claims.actor_id == cast.alice.pk


def test_signing_in_without_asking_for_anything(cast: Cast, realm: Realm) -> None:
    """`docker login`."""
    assert realm.get(user="stranger").granted == {}


def test_nobody_asking_for_nothing(cast: Cast, realm: Realm) -> None:
    assert realm.get().status == 401


@pytest.mark.parametrize("user", ["admin", "stranger", ""])
def test_the_catalog(cast: Cast, realm: Realm, user: str) -> None:
    answer = realm.get("registry:catalog:*", user=user)
    assert answer.granted == ({"catalog": {"*"}} if user == "admin" else {})


def test_the_catalog_for_a_robot_that_may(cast: Cast, realm: Realm) -> None:
    reader, secret = robot(cast.private, "pull", system="catalog:read")
    assert realm.get("registry:catalog:*", user=reader.display_name(), password=secret).granted == {"catalog": {"*"}}


@pytest.mark.parametrize("actions", [("pull",), ("pull", "push"), ("pull", "delete")])
def test_a_project_s_robot(cast: Cast, realm: Realm, actions: tuple[str, ...]) -> None:
    worker, secret = robot(cast.private, *actions)
    answer = realm.get(
        f"repository:private/app:{ALL}", f"repository:public/app:{ALL}", user=worker.display_name(), password=secret
    )
    assert answer.granted == {"private/app": set(actions), "public/app": {"pull"}}
    assert (answer.claims.kind, answer.claims.actor_id) == (Kind.ROBOT, worker.pk)


def test_a_robot_of_the_system(cast: Cast, realm: Realm) -> None:
    worker, secret = robot(None, "pull", "push")
    answer = realm.get(f"repository:private/app:{ALL}", user=worker.display_name(), password=secret)
    assert answer.granted == {"private/app": {"pull", "push"}}


def test_a_robot_that_is_disabled_expired_or_has_another_secret(cast: Cast, realm: Realm) -> None:
    worker, secret = robot(cast.private, "pull")
    name = worker.display_name()
    assert realm.get("repository:private/app:pull", user=name, password="Wrong-Secret-1").status == 401
    assert realm.get("repository:private/app:pull", user=name, password=secret).status == 200
    update_robot(SYSTEM, worker, disabled=True)
    assert realm.get("repository:private/app:pull", user=name, password=secret).status == 401
    update_robot(SYSTEM, worker, disabled=False)
    renewed = refresh_secret(SYSTEM, worker)
    assert realm.get("repository:private/app:pull", user=name, password=secret).status == 401
    assert realm.get("repository:private/app:pull", user=name, password=renewed).status == 200
    Robot.objects.filter(pk=worker.pk).update(expires_at=datetime.datetime.now(datetime.UTC))
    assert realm.get("repository:private/app:pull", user=name, password=renewed).status == 401


@pytest.mark.parametrize(
    "header",
    [
        *[
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic YWxpY2U=",
            "Bearer x",
            "Bearer ",
            "Digest x",
            "x",
            "Basic " + "A" * 5000,
        ],
        *[basic("alice", "Wrong-Password-1"), basic("nobody", PASSWORD), basic("", PASSWORD), basic("alice", "")],
        *[
            basic("alice\0", PASSWORD),
            basic("alice", PASSWORD + "\0"),
            basic("robot$none", "x"),
            basic("' OR 1=1 --", "x"),
        ],
    ],
)
def test_a_header_that_fails_is_401_even_where_anybody_may_pull(cast: Cast, realm: Realm, header: str) -> None:
    answer = realm.get("repository:public/app:pull", header=header)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="harbor-registry"'
    assert answer.body["errors"][0]["code"] == "UNAUTHORIZED" and "token" not in answer.body


def test_unknown_disabled_and_wrong_look_the_same(cast: Cast, realm: Realm) -> None:
    User.objects.filter(pk=cast.guest.pk).update(is_active=False)
    answers = [
        realm.get(user="nobody", password="Wrong-Password-1"),
        realm.get(user="guest"),
        realm.get(user="alice", password="Wrong-Password-1"),
    ]
    assert len({(answer.status, json.dumps(answer.body)) for answer in answers}) == 1


def test_a_private_project_looks_like_none(cast: Cast, realm: Realm) -> None:
    for user in ("", "stranger"):
        real, imagined = (realm.get(f"repository:{name}:{ALL}", user=user) for name in (PRIVATE, NONE))
        assert real.status == imagined.status and real.granted == imagined.granted == {}
        assert real.body.keys() == imagined.body.keys() and real.body["scope"] == imagined.body["scope"] == ""


def test_too_many_wrong_passwords(cast: Cast, realm: Realm) -> None:
    answers = [realm.get(user="alice", password=f"Wrong-Password-{number}") for number in range(8)]
    assert answers[0].status == 401 and answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].body["errors"][0]["code"] == "TOOMANYREQUESTS"
    assert realm.get(user="alice").status == 429, "the right one is not heard either"
    assert Realm("198.51.100.7").get(user="alice").status == 200, "its owner elsewhere is not locked out"


@pytest.mark.parametrize("service", [None, "", "other", "harbor-registry\n", "HARBOR-REGISTRY"])
def test_another_service(cast: Cast, realm: Realm, service: str | None) -> None:
    assert realm.get("repository:public/app:pull", service=service).status == 400
    assert realm.post(grant_type="password", username="alice", password=PASSWORD, service=service).status == 400


def test_too_many_scopes(cast: Cast, realm: Realm) -> None:
    scopes = [f"repository:public/r{number}:pull" for number in range(51)]
    assert realm.get(*scopes[:50], user="alice").status == 200
    for asked in (scopes, [" ".join(scopes)], scopes * 30):
        assert realm.get(*asked, user="alice").status == 400
    assert realm.post(grant_type="password", username="alice", password=PASSWORD, scope=" ".join(scopes)).status == 400


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options", "head"])
def test_other_methods(cast: Cast, realm: Realm, method: str) -> None:
    response = getattr(realm.client, method)("/service/token?service=harbor-registry")
    assert response.status_code == 405 and response["Allow"] == "GET, POST"


def test_the_realm_asks_no_session_and_leaves_none(cast: Cast, realm: Realm) -> None:
    realm.client.force_login(cast.admin)
    answer = realm.get("repository:private/app:pull")
    assert answer.granted == {}, "a browser's session gives no token"
    client = Client(enforce_csrf_checks=True)
    response = client.get("/service/token", {"service": settings.TOKEN_SERVICE, "scope": "registry:catalog:*"})
    assert response.status_code == 200 and not response.cookies


def test_the_lifetime_is_configured(cast: Cast, realm: Realm) -> None:
    values.set_values({"token_expiration": 5})
    values.forget()
    answer = realm.get(user="alice")
    assert answer.body["expires_in"] == 300 and answer.claims.expires_at - answer.claims.issued_at == 300
    values.set_values({"token_expiration": 10**6})
    assert realm.get(user="alice").body["expires_in"] == 24 * 3600


# OAuth2


@pytest.mark.parametrize(
    ("form", "status", "word"),
    [
        ({}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password"}, 401, "invalid_grant"),
        ({"grant_type": "password", "username": "alice", "password": "Wrong-Password-1"}, 401, "invalid_grant"),
        ({"grant_type": "refresh_token"}, 401, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 401, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "\0"}, 401, "invalid_grant"),
    ],
)
def test_wrong_grants(cast: Cast, realm: Realm, form: dict[str, Any], status: int, word: str) -> None:
    answer = realm.post(**form)
    assert (answer.status, answer.body["error"]) == (status, word)
    assert answer.body["error_description"] and ("WWW-Authenticate" in answer.headers) is (status == 401)


def test_the_password_grant(cast: Cast, realm: Realm) -> None:
    answer = realm.post(
        grant_type="password", username="developer", password=PASSWORD, scope=f"repository:{PRIVATE}:{ALL}"
    )
    assert answer.granted == {PRIVATE: {"pull", "push"}}
    assert answer.body["scope"] == f"repository:{PRIVATE}:pull,push" and "refresh_token" not in answer.body


@pytest.mark.parametrize("way", ["password grant", "offline_token"])
def test_a_refresh_token_gives_tokens_until_the_password_changes(cast: Cast, realm: Realm, way: str) -> None:
    if way == "offline_token":
        first = realm.get(user="developer", offline_token="true", client_id="docker")
    else:
        first = realm.post(grant_type="password", username="developer", password=PASSWORD, access_type="offline")
    refresh = first.body["refresh_token"]
    answer = realm.post(grant_type="refresh_token", refresh_token=refresh, scope=f"repository:{PRIVATE}:{ALL}")
    assert answer.granted == {PRIVATE: {"pull", "push"}} and answer.body["refresh_token"] == refresh
    assert refresh not in json.dumps(list(RefreshToken.objects.values()), default=str), "kept in the clear"
    assert refresh not in json.dumps(list(Entry.objects.values()), default=str)
    Member.objects.filter(project=cast.private, user=cast.developer).update(role=Role.GUEST)
    assert realm.post(
        grant_type="refresh_token", refresh_token=refresh, scope=f"repository:{PRIVATE}:{ALL}"
    ).granted == {PRIVATE: {"pull"}}
    set_password(SYSTEM, cast.developer, "Another-Horse-9")
    assert realm.post(grant_type="refresh_token", refresh_token=refresh).status == 401


def test_a_refresh_token_of_somebody_who_was_shut_out(cast: Cast, realm: Realm) -> None:
    refresh = realm.get(user="developer", offline_token="true").body["refresh_token"]
    set_active(cast.admin.actor, cast.developer, False)
    assert realm.post(grant_type="refresh_token", refresh_token=refresh).status == 401


def test_robots_and_nobody_get_no_refresh_token(cast: Cast, realm: Realm) -> None:
    worker, secret = robot(cast.private, "pull")
    name = worker.display_name()
    assert "refresh_token" not in realm.get(user=name, password=secret, offline_token="true").body
    answer = realm.post(grant_type="password", username=name, password=secret, access_type="offline")
    assert answer.status == 200 and "refresh_token" not in answer.body
    assert "refresh_token" not in realm.get("repository:public/app:pull", offline_token="true").body
    assert not RefreshToken.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", '{"grant_type":"password"}', 400),
        ("multipart/form-data; boundary=x", "--x--", 400),
        ("", "", 400),
        ("application/x-www-form-urlencoded", "a=" + "x" * 70_000, 413),
        ("application/x-www-form-urlencoded", "&".join(["a=b"] * 2000), 400),
        ("application/x-www-form-urlencoded", "%ff%fe=%00&service=harbor-registry", 400),
        ("application/x-www-form-urlencoded; charset=nonsense", "service=harbor-registry", 400),
    ],
)
def test_forms_that_are_none(cast: Cast, realm: Realm, content_type: str, body: str, status: int) -> None:
    response = realm.client.generic("POST", "/service/token", body, content_type)
    assert response.status_code == status
    assert response.json()["error"] and response.json()["errors"]


def test_without_keys(cast: Cast, realm: Realm, settings: Any, tmp_path: Path) -> None:
    settings.TOKEN_KEYS = tmp_path / "none"
    answer = realm.get(f"repository:{PUBLIC}:pull")
    assert answer.status == 503 and answer.body["errors"][0]["code"] == "UNAVAILABLE"


def test_without_redis(cast: Cast, realm: Realm, no_redis: None) -> None:
    assert realm.get(f"repository:{PRIVATE}:pull", user="guest").granted == {PRIVATE: {"pull"}}
    assert realm.get(user="guest", password="Wrong-Password-1").status == 401


# What it costs


def _queries(realm: Realm, **how: Any) -> int:
    scopes = [f"repository:{PRIVATE}:{ALL}", f"repository:{PUBLIC}:pull"]
    realm.get(*scopes, **how)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert realm.get(*scopes, **how).status == 200
    reads = ("SELECT", "EXECUTE haven_realm_")  # what PostgreSQL has planned, for each connection once
    writes = [query["sql"] for query in captured if not query["sql"].lstrip().startswith(reads)]
    assert writes == []
    return len(captured)


def test_a_robot_costs_one_query(cast: Cast, realm: Realm) -> None:
    worker, secret = robot(cast.private, "pull", "push")
    assert _queries(realm, user=worker.display_name(), password=secret) == 1


def test_a_person_with_a_remembered_password_costs_one_query(cast: Cast, realm: Realm) -> None:
    assert _queries(realm, user="developer") == 1


def test_fifty_scopes_cost_no_more_than_one(cast: Cast, realm: Realm) -> None:
    realm.get(user="developer")
    with CaptureQueriesContext(connection) as captured:
        realm.get(*[f"repository:p{number}/x:pull" for number in range(50)], user="developer")
    assert len(captured) <= 2
