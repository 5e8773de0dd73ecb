"""Small tricks at the doors: names, passwords, headers, ids that are somebody else's, a database that is gone."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import re
import resource
import time
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from artifacts.models import Artifact, Tag
from audit.models import Entry
from configuration import values
from gateway.lists import LONGEST_PAGE
from harbor.logs import LOGGING
from projects.models import Member, Project, Role
from robots.models import Robot
from tests.api.calling import BASE, Caller, caller
from tests.api.conftest import Stage
from tests.api.stage import make_image, make_repository, make_system_robot
from tests.cast import PASSWORD, Cast, make_project, make_robot, make_user
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import door_of
from tests.stack import content
from tokens.scopes import Scope
from tokens.signing import mint

REALM = "/service/token?service=harbor-registry&scope=repository:private/x:pull"


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


# Passwords


def test_every_letter_of_a_long_password_counts(cast: Cast) -> None:
    long = "Aa1" + "x" * 77
    user = make_user("long")
    user.set_password(long)
    user.save()

    assert Client().get(REALM, headers=basic("long", long)).status_code == 200
    for length in (72, 73, 79):
        assert Client().get(REALM, headers=basic("long", long[:length])).status_code in (401, 429)
    assert Client().get(REALM, headers=basic("long", long + "x")).status_code in (401, 429)


@pytest.mark.parametrize("secret", ["", " ", "\x00", "\t"])
def test_no_password_is_no_password(cast: Cast, secret: str) -> None:
    assert Client().get(REALM, headers=basic("alice", secret)).status_code == 401
    assert Caller("alice", secret).get("/users/current").status_code == 401


def test_a_locked_name_gets_pages_that_say_so(cast: Cast) -> None:
    client, guess = Client(raise_request_exception=False), basic("guest", "wrong")
    while client.get(REALM, headers=guess).status_code != 429:
        pass

    seen = {path: client.get(path, headers=guess).status_code for path in ("/", "/nowhere", "/account/sign-in")}
    forged = Client(enforce_csrf_checks=True, raise_request_exception=False).post("/account/sign-out", headers=guess)

    assert seen == {"/": 429, "/nowhere": 404, "/account/sign-in": 200}
    assert forged.status_code == 403


def test_a_form_in_another_alphabet_is_refused_in_the_realms_form(cast: Cast) -> None:
    kind = "application/x-www-form-urlencoded; charset=utf-7"
    answer = Client(raise_request_exception=False).post("/service/token", b"service=harbor-registry", kind)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["*", "*)(uid=*", "a)(|(uid=*", "' or 1=1 --", "admin'--", "admin\x00", "%", "_dmin"])
def test_a_name_is_a_name_and_no_pattern(cast: Cast, name: str) -> None:
    for secret in (PASSWORD, "*", ""):
        assert Client().get(REALM, headers=basic(name, secret)).status_code in (401, 429)


@pytest.mark.parametrize(
    "name",
    ["ADMIN", "Admin", "ａｄｍｉｎ", "admin ", " admin", "admin\u200b", "robot$admin", "private+admin", "anonymous"],
)
def test_nobody_takes_a_name_that_looks_like_anothers(cast: Cast, name: str) -> None:
    before = User.objects.count()
    body = {"username": name, "password": "Another-Horse-9", "email": "a@evil.test", "realname": "A"}

    answer = caller(cast.admin).post("/users", body)

    if answer.status_code == 201:  # a name of its own, and nothing of the administrator's
        assert not User.objects.get(email="a@evil.test").is_admin
        assert Caller(name, "Another-Horse-9").get("/users").status_code == 403
    else:
        assert answer.status_code in (400, 409, 422)
        assert User.objects.count() == before
    assert Caller("admin", PASSWORD).get("/users").status_code == 200


def test_a_robots_prefix_has_no_place_in_a_users_name_and_is_never_empty(cast: Cast) -> None:
    for prefix in ("", " "):
        with pytest.raises(ValueError, match=r".+"):
            values.set_values({"robot_name_prefix": prefix})
    make_robot("ci", cast.private, "repository:pull")
    body = {"username": "robot$private+ci", "password": "Another-Horse-9", "email": "a@evil.test", "realname": "A"}

    assert caller(cast.admin).post("/users", body).status_code in (400, 422)


# Lines


@pytest.mark.parametrize("text", ["a\nFAKE", "a\r\nFAKE", "a\x1b[2J", "a\u2028b", "a\x00b"])
def test_a_name_at_sign_in_is_one_line_of_the_audit_log(cast: Cast, text: str) -> None:
    Caller(client=Client()).raw("GET", BASE + "/ping")
    Caller(text, "x").get("/users/current")
    Client().get(REALM, headers=basic(text, "x"))
    page = Client().post("/account/sign-in", {"username": text, "password": "x"})
    assert page.status_code < 500

    for entry in Entry.objects.all():
        assert len(f"{entry.username} {entry.resource} {entry.operation_description}".splitlines()) == 1


def test_a_line_of_the_servers_log_is_one_line() -> None:
    factory = LOGGING["formatters"]["json"]
    options = {key: value for key, value in factory.items() if key != "()"}
    formatter = factory["()"](**options)
    record = logging.LogRecord("a", logging.INFO, "f", 1, "agent %s", ("x\nFAKE\x1b[2J\u2028y",), None)

    line = formatter.format(record)

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert json.loads(line)["event"] == "agent x\nFAKE\x1b[2J\u2028y"


# Other people's things


def test_an_artifact_is_found_in_its_own_repository_only(stage: Stage) -> None:
    mine = make_project("mine", stage.cast.stranger)
    make_image(make_repository(mine, "web"), "v1")
    ask = caller(stage.cast.stranger)
    unknown = "sha256:" + "0" * 64

    there, nowhere = (
        ask.get(f"/projects/mine/repositories/web/artifacts/{digest}") for digest in (stage.image.digest, unknown)
    )

    assert there.status_code == nowhere.status_code == 404
    assert there.content.replace(stage.image.digest.encode(), b"") == nowhere.content.replace(unknown.encode(), b"")


@pytest.mark.parametrize("extra", ["id", "robot_id", "project_id", "creator", "creator_ref", "level", "editable"])
def test_what_a_body_says_of_itself_does_not_choose_the_row(stage: Stage, extra: str) -> None:
    """The path chooses; a body that names another row changes that one never, and this one only where it may."""
    mine = make_project("mine", stage.cast.stranger)
    robot, secret = make_robot("own", mine, "repository:pull")
    grant = {"kind": "project", "namespace": "mine", "access": [{"resource": "repository", "action": "pull"}]}
    before = list(Robot.objects.filter(pk=stage.robot.pk).values())
    body: dict[str, Any] = {"name": "robot$mine+own", "level": "project", "duration": 9, "permissions": [grant]}
    body[extra] = {"id": stage.robot.pk, "robot_id": stage.robot.pk, "project_id": stage.cast.private.pk}.get(
        extra, "system"
    )

    caller(stage.cast.stranger).put(f"/robots/{robot.pk}", body)

    assert list(Robot.objects.filter(pk=stage.robot.pk).values()) == before
    robot.refresh_from_db()
    assert (robot.project_id, robot.level) == (mine.pk, Robot.Level.PROJECT)
    assert Caller("robot$mine+own", secret).get("/projects/private").status_code == 403


def test_a_members_body_does_not_choose_the_member(stage: Stage) -> None:
    mine = make_project("mine", stage.cast.stranger)
    member = Member.objects.create(project=mine, user=stage.cast.guest, role=Role.GUEST)
    theirs = Member.objects.get(project=stage.cast.private, user=stage.cast.guest)
    body = {"role_id": 2, "id": theirs.pk, "project_id": stage.cast.private.pk, "entity_id": stage.cast.admin.pk}

    caller(stage.cast.stranger).put(f"/projects/mine/members/{member.pk}", body)

    member.refresh_from_db()
    theirs.refresh_from_db()
    assert (member.role, member.user_id, member.project_id) == (Role.DEVELOPER, stage.cast.guest.pk, mine.pk)
    assert theirs.role == Role.GUEST


def test_no_hidden_column_is_set_by_a_body(stage: Stage) -> None:
    """Every column of the row, sent along by somebody who may change the rest of it."""
    columns = {field.attname for model in (Project, User) for field in model._meta.concrete_fields}
    extra = {name: 1 for name in columns - {"name", "email", "realname", "comment", "metadata", "public"}}
    guest, private = stage.cast.guest, stage.cast.private
    kept = ("pk", "username", "password", "is_admin", "is_active", "deleted", "auth_epoch", "creation_time")
    users = list(User.objects.filter(pk=guest.pk).values(*kept))
    projects = list(Project.objects.filter(pk=private.pk).values("pk", "name", "owner_id", "creation_time"))

    profile = {**extra, "email": "new@haven.test", "realname": "New", "comment": ""}
    assert caller(guest).put(f"/users/{guest.pk}", profile).status_code in (200, 422)
    change = {**extra, "metadata": {"auto_scan": "true", "owner_id": "1", "storage_limit": "1"}}
    assert caller(stage.cast.alice).put("/projects/private", change).status_code in (200, 400, 422)

    assert list(User.objects.filter(pk=guest.pk).values(*kept)) == users
    assert list(Project.objects.filter(pk=private.pk).values("pk", "name", "owner_id", "creation_time")) == projects


# The protocol


def test_a_tag_beside_the_digest_moves_no_tag(cast: Cast, registry: FakeRegistry) -> None:
    """`?tag=` is not spoken here, so it neither tags nor slips past what guards a tag."""
    door = door_of(cast.developer)
    first, second = content.image(text="first"), content.image(text="second")
    assert door.push(registry, "private/web", "v1", first).status_code == 201
    for blob in second.blobs:
        registry.add_blob("private/web", blob.content)

    answer = door("PUT", f"private/web/manifests/{second.digest()}?tag=v1&tag=v2", second.content, second.media_type)

    assert answer.status_code == 201
    assert "OCI-Tag" not in answer
    assert door.get("private/web", "v1").content == first.content
    assert list(Tag.objects.values_list("name", flat=True)) == ["v1"]


@pytest.mark.parametrize("number", ["-1", "abc", "1e9", "100000000000000000000", "0x10", "", "٣", "1 ", "+1"])
def test_a_page_of_a_list_is_not_as_long_as_one_likes(cast: Cast, registry: FakeRegistry, number: str) -> None:
    door_of(cast.developer).push(registry, "private/web", "v1", content.image())
    token = mint(cast.admin.actor, [Scope("registry", "catalog", frozenset({"*"}))], 300)

    for path in ("_catalog", "private/web/tags/list"):
        with CaptureQueriesContext(connection) as queries:
            answer = door_of(cast.admin)(
                "GET", f"{path}?n={quote(number)}", token=token if path == "_catalog" else None
            )
        read = [int(limit) for query in queries for limit in re.findall(r"LIMIT (\d+)", query["sql"])]
        assert answer.status_code == 400 or max(read) <= LONGEST_PAGE + 1, (path, answer.content)


def test_a_deleted_artifact_stays_deleted_and_looks_like_none(cast: Cast, registry: FakeRegistry) -> None:
    door, image = door_of(cast.maintainer), content.image(text="gone")
    door.push(registry, "private/web", "v1", image)
    digest = Artifact.objects.get(digest=image.digest()).digest
    assert door("DELETE", f"private/web/manifests/{digest}").status_code == 202

    for reference in (digest, "v1"):
        gone, never = door.get("private/web", reference), door.get("private/web", "sha256:" + "0" * 64)
        assert (gone.status_code, never.status_code) == (404, 404)
        assert gone.json()["errors"][0]["code"] == never.json()["errors"][0]["code"]


def test_nobody_learns_the_version(cast: Cast) -> None:
    for path in ("/systeminfo", "/ping"):
        anonymous = Caller().get(path)
        assert "harbor_version" not in anonymous.content.decode()
        assert "Server" not in anonymous


BOMB = gzip.compress(b"{" + b" " * 50_000_000 + b"}")


def test_a_packed_body_is_not_unpacked(cast: Cast, registry: FakeRegistry) -> None:
    """50 KB on the wire that would be 50 MB in memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    packed = {"Content_Encoding": "gzip"}

    api = caller(cast.admin).post("/projects", BOMB, **packed)
    manifest = door_of(cast.developer)(
        "PUT", "private/web/manifests/v1", BOMB, content.image().media_type, HTTP_CONTENT_ENCODING="gzip"
    )

    assert api.status_code in (400, 413, 415, 422)
    assert manifest.status_code in (400, 413, 415)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
    assert not Project.objects.filter(name="").exists()


def test_a_small_question_costs_little_however_large_its_numbers_are(cast: Cast) -> None:
    ask = caller(cast.admin)
    pages = ("page=1000000000", "page_size=1000000000", "page=-1", "page_size=-5")
    huge = (*pages, f"q={'x' * 100_000}", f"sort={'a,' * 9999}")
    began = time.monotonic()

    statuses = [ask.get(f"/{what}?{query}").status_code for what in ("projects", "auditlog-exts") for query in huge]

    assert time.monotonic() - began < 5
    assert set(statuses) <= {200, 400, 413, 414, 422}


# What is gone


def test_without_a_configuration_nobody_is_let_in(cast: Cast, registry: FakeRegistry) -> None:
    """A read that fails ends the request. It never means "no rule", and never the first account."""
    client = Client(raise_request_exception=False)
    token = door_of(cast.admin).token("private/web")
    values.forget()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE configuration_setting RENAME TO configuration_setting_gone")
        answers = [
            client.get(REALM, headers=basic("stranger", PASSWORD)),
            client.get(f"{BASE}/users", headers=basic("stranger", PASSWORD)),
            client.put("/v2/private/web/manifests/v1", b"{}", headers={"Authorization": f"Bearer {token}"}),
        ]
        transaction.set_rollback(True)

    for answer in answers:
        assert answer.status_code >= 400
        assert b'"token"' not in answer.content
    assert registry.manifests == {}


def test_a_robot_finds_no_repositories_that_it_may_not_list(stage: Stage) -> None:
    lister, secret = make_system_robot("lister", ["project:list"], {})
    scanner, scanners = make_robot("scanner", stage.cast.private, "scan:create")
    for robot, known in ((lister, secret), (scanner, scanners)):
        ask = Caller(robot.display_name(), known)
        assert [project["name"] for project in ask.get("/projects?name=private").json()] == ["private"]
        assert ask.get("/search?q=web").json()["repository"] == []
        assert ask.get("/statistics").json()["private_repo_count"] == 0


@pytest.mark.parametrize("trick", ["a tag like a signature's", "an index that calls it an attestation"])
def test_who_may_only_push_hides_nothing(cast: Cast, registry: FakeRegistry, trick: str) -> None:
    door, target, bait = door_of(cast.developer), content.image(text="in use"), content.image(text="bait")
    for tag, image in (("v1", target), ("bait", bait)):
        assert door.push(registry, "private/app", tag, image).status_code == 201
    about = bait.digest()
    if trick == "a tag like a signature's":
        assert door.put("private/app", f"{about.replace(':', '-')}.att", target).status_code == 201
    else:
        notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about}
        entries = [bait.descriptor(), target.descriptor(annotations=notes)]
        index = content.manifest({**content.index().document, "manifests": entries})
        assert door.put("private/app", "index", index).status_code == 201

    assert target.digest() in {artifact.digest for artifact in Artifact.objects.listed()}
    maintainer = door_of(cast.maintainer)
    for digest in Artifact.objects.exclude(digest__in=[target.digest(), bait.digest()]).values_list(
        "digest", flat=True
    ):
        maintainer.get("private/app", digest, "DELETE")
    maintainer.get("private/app", about, "DELETE")
    assert door.get("private/app", "v1").content == target.content
