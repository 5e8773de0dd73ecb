"""What is sent twice, or by somebody whose session has ended: done once, and nothing lost."""

from __future__ import annotations

import re
import time
from functools import partial
from html import unescape

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation
from pytest_django import Settings

from accounts.errors import BadRequest
from artifacts.models import Tag
from audit.models import Entry
from portal.answers import Question, ask
from robots.models import Robot
from robots.secrets import is_right
from tests.cast import PASSWORD, Cast
from tests.portal.conftest import Reader, Scene
from tests.portal.test_changes import once_of
from tests.portal.visits import places
from tests.races import at_once

FIELD = re.compile(r'<(?:input type="(?:text|email)" name|textarea name)="(\w+)"')
HIDDEN = re.compile(r'<input type="hidden" name="(type)" value="([^"]*)"')
KEPT = re.compile(r'name="kept" value="([^"]+)"')


def test_a_question_that_is_answered_twice_is_done_once(scene: Scene, reader: Reader) -> None:
    client = reader("alice")
    path = f"{scene.image_path}/tags/v1.9/delete"
    form = {"once": once_of(client.get(path).content)}

    first, second = client.post(path, form), client.post(path, form)

    assert first["Location"] == second["Location"] == scene.image_path
    assert not Tag.objects.filter(name="v1.9").exists()
    assert Entry.objects.filter(operation="delete", resource_type="tag").count() == 1
    assert client.post(path, {"once": "another-word"}).status_code == 404


def test_a_new_secret_that_is_asked_for_twice_is_made_once(scene: Scene, reader: Reader) -> None:
    client, robot = reader("alice"), scene.robot
    path = f"/projects/private/robots/{robot.pk}"
    form = {"once": once_of(client.get(f"{path}/secret").content)}

    first = client.post(f"{path}/secret", form).content.decode()
    robot.refresh_from_db()
    made, again = robot.secret_digest, client.post(f"{path}/secret", form)

    assert "The secret of robot$private+ci" in first
    assert again["Location"] == path
    robot.refresh_from_db()
    assert robot.secret_digest == made, "the secret that was shown has been voided"
    assert Entry.objects.filter(resource_type="robot", operation="update").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_new_secret_that_is_asked_for_twice_at_the_same_moment_is_made_once(scene: Scene, reader: Reader) -> None:
    """Whoever comes second waits, and is led to the robot: the secret that the first one shows stays good."""
    path = f"/projects/private/robots/{scene.robot.pk}"
    form = {"once": once_of(reader("alice").get(f"{path}/secret").content)}

    answers = at_once([partial(client.post, f"{path}/secret", form) for client in (reader("alice"), reader("alice"))])

    shown, led = sorted(answers, key=lambda answer: int(answer.status_code))
    assert (shown.status_code, led.status_code, led["Location"]) == (200, 302, path)
    assert Entry.objects.filter(resource_type="robot", operation="update").count() == 1
    secret = re.findall(r'id="hv-secret".*?<code[^>]*>([^<]+)</code>', shown.content.decode())[0]
    assert is_right(unescape(secret), Robot.objects.get(pk=scene.robot.pk).secret_digest)


@pytest.mark.django_db(transaction=True)
def test_a_form_that_was_refused_stands_in_nobodys_way(scene: Scene, reader: Reader, settings: Settings) -> None:
    form = {"name": "Not A Name", "once": once_of(reader("alice").get("/projects/-/new").content)}
    client, begin = reader("alice"), time.monotonic()
    assert client.post("/projects/-/new", form).status_code == 422
    assert client.post("/projects/-/new", form | {"name": "a-name"})["Location"] == "/projects/a-name"
    assert time.monotonic() - begin < settings.FORM_PATIENCE


def test_who_waits_in_vain_for_the_first_is_told_so(scene: Scene, reader: Reader, settings: Settings) -> None:
    """Be it that the first has not begun its work yet, or that what it was about is gone already."""
    settings.FORM_PATIENCE = 0.1
    client, form = reader("alice"), {"once": "sent-already"}
    cache.add("once:alice:sent-already:busy", 1, 60)
    for tag in ("v1.9", "gone"):
        answer = client.post(f"{scene.image_path}/tags/{tag}/delete", form)
        assert answer.status_code == 409 and "<main" in answer.content.decode(), tag
    assert Tag.objects.filter(name="v1.9").exists()
    cache.delete("once:alice:sent-already:busy")
    assert client.post(f"{scene.image_path}/tags/gone/delete", form).status_code == 404


def test_a_question_that_makes_no_sense_says_why(rf: RequestFactory, cast: Cast) -> None:
    def act() -> str:
        raise BadRequest("a robot needs permissions")

    for language, sentence in (("en", "A robot needs permissions."), ("zh-hans", "机器人账户需要权限。")):
        request = rf.post("/somewhere", {})
        request.user = cast.admin
        with translation.override(language):
            answer = ask(request, Question("Do it?", ["It is done."], "Do it", "/back"), act, {})
        page = answer.content.decode() if isinstance(answer, HttpResponse) else ""
        assert answer.status_code == 422 and sentence in page and 'href="/back"' in page, page


def test_no_form_loses_what_was_typed_when_the_session_ends(scene: Scene, reader: Reader) -> None:
    found = {name: path for name, path in places(scene).items() if name.endswith(("new", "change", "copy", "profile"))}
    found["endpoint-new"] += "?type=harbor"
    for name, path in found.items():
        client = reader("admin")
        page = client.get(path).content.decode().partition("<main")[2]
        fields = set(FIELD.findall(page)) - {"q"}
        if not fields:
            continue
        client.logout()
        typed = {field: f"typed-{field}" for field in fields}
        form = client.post(path, {**dict(HIDDEN.findall(page)), **typed})
        assert form.status_code == 401, name
        kept = KEPT.search(form.content.decode())
        assert kept, name
        back = client.post(
            "/account/sign-in", {"username": "admin", "password": PASSWORD, "kept": unescape(kept[1]), "next": path}
        )
        assert back["Location"] == path, name
        again = client.get(back["Location"]).content.decode()
        assert [field for field in fields if f"typed-{field}" not in again] == [], name
