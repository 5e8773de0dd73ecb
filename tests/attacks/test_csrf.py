"""A foreign page can make a browser send its cookies. Nothing may follow from that alone, whatever the route."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from artifacts.models import Repository, Tag
from audit.models import Entry
from portal import urls as portal_urls
from projects.models import Member, Project
from robots.models import Robot
from tests.api.calling import BASE, Caller
from tests.api.calls import CALLS
from tests.api.conftest import Stage
from tests.api.contract import OPERATIONS
from tests.attacks.browser import form_token, signed_in

WRITES = sorted(name for name, wanted in OPERATIONS.items() if wanted["method"] not in ("GET", "HEAD"))
PART = b'--b\r\nContent-Disposition: form-data; name="project_name"\r\n\r\nforged\r\n--b--\r\n'
FOREIGN = {
    "form": ("application/x-www-form-urlencoded", b"project_name=forged&csrfmiddlewaretoken=x"),
    "text": ("text/plain", b'{"project_name": "forged"}'),
    "multipart": ("multipart/form-data; boundary=b", PART),
    "json": ("application/json", b'{"project_name": "forged"}'),
}
"""What a foreign page can have a browser send; JSON only with leave that we never give (no CORS)."""
HEADERS = ({"X-Harbor-CSRF-Token": "x"}, {"Origin": "https://evil.test"}, {"HX-Request": "true"})
ATTEMPTS = [*((kind, body, {}) for kind, body in FOREIGN.values()), *((*FOREIGN["form"], each) for each in HEADERS)]
"""Content type, body and further headers of what is tried at each door."""


def everything() -> str:
    """All that a forged request could have changed."""
    kept = [
        list(model.objects.order_by("pk").values_list()) for model in (User, Project, Member, Robot, Repository, Tag)
    ]
    return f"{kept} {Entry.objects.count()} entries"


def path_of(operation: str, stage: Stage) -> str:
    path = CALLS[operation].path if operation in CALLS else "/users/{guest}/cli_secret"
    known = Known(
        guest=stage.cast.guest.pk,
        private=stage.cast.private.pk,
        guest_member=Member.objects.get(user=stage.cast.guest).pk,
        artifacts=stage.path,
        robot=stage.robot.pk,
    )
    return path.format_map(known)


class Known(dict[str, object]):
    """What stands for a path's parameters; for any other, the number of the first there is."""

    def __missing__(self, name: str) -> int:
        return 1


def test_no_operation_of_the_api_obeys_a_session_alone(stage: Stage) -> None:
    ask, before = Caller(client=signed_in("admin")), everything()
    obeyed: list[tuple[object, ...]] = []

    for operation in WRITES:
        method, path = OPERATIONS[operation]["method"], path_of(operation, stage)
        for kind, body, headers in ATTEMPTS:
            answer = ask(method, path, body, content_type=kind, **headers)
            if answer.status_code not in (403, 415):
                obeyed.append((operation, kind, headers, answer.status_code, answer.content))
        if everything() != before:
            obeyed.append((operation, "something changed"))

    assert obeyed == []


PAGES = [pattern.name for pattern in portal_urls.urlpatterns if pattern.name]


def address(name: str, stage: Stage) -> str:
    known = {
        "project": "private",
        "repository": "app/web",
        "digest": stage.image.digest,
        "tag": "v1",
        "user": stage.cast.guest.pk,
        "member": Member.objects.get(user=stage.cast.guest).pk,
        "robot": stage.robot.pk,
        "kind": next(iter(settings.JOB_KINDS)),
    }
    pattern = next(pattern for pattern in portal_urls.urlpatterns if pattern.name == name)
    wanted = pattern.pattern.regex.groupindex if hasattr(pattern.pattern, "regex") else {}
    return reverse(f"portal:{name}", kwargs={key: known.get(key, 1) for key in wanted})


def test_no_page_obeys_a_session_alone(stage: Stage) -> None:
    client, before = signed_in("admin"), everything()
    obeyed: list[tuple[object, ...]] = []

    for name in PAGES:
        path = address(name, stage)
        for kind, body, headers in ATTEMPTS:
            answer = client.generic("POST", path, body, kind, headers=headers)
            if answer.status_code not in (403, 404, 405):
                obeyed.append((name, kind, headers, answer.status_code))
        if everything() != before:
            obeyed.append((name, "something changed"))

    assert obeyed == []


def test_looking_at_a_page_changes_nothing(stage: Stage) -> None:
    client, before, changed = signed_in("admin"), everything(), []

    for name in PAGES:
        for method in ("GET", "HEAD"):
            client.generic(method, address(name, stage))
            if everything() != before:
                changed.append((name, method))
                before = everything()

    assert changed == []


def test_anothers_token_is_no_token(stage: Stage) -> None:
    client = signed_in("alice")
    foreign = form_token(signed_in("stranger"), reverse("portal:project-new"))

    answer = client.post(reverse("portal:project-new"), {"name": "forged", "csrfmiddlewaretoken": foreign})

    assert answer.status_code == 403
    assert not Project.objects.filter(name="forged").exists()


def test_nobody_is_signed_in_by_a_foreign_page(stage: Stage) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/account/sign-in", {"username": "alice", "password": "Correct-Horse-9"})

    assert answer.status_code == 403
    assert "sid" not in client.cookies


@pytest.mark.parametrize("path", ["/", "/account/sign-in", f"{BASE}/projects", "/v2/", "/service/token", "/c/login"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_other_site_is_let_in(stage: Stage, path: str, method: str) -> None:
    asked = {"origin": "https://evil.test", "access-control-request-method": "POST"}

    answer = signed_in("alice").generic(method, path, headers=asked)

    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
