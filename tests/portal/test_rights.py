"""Who sees which page, and which button on it."""

from __future__ import annotations

import re

import pytest

from projects.models import Quota
from tests.portal.conftest import Reader, Scene

PEOPLE = ("admin", "alice", "maintainer", "developer", "guest", "limited_guest", "stranger", "anonymous")
MEMBERS = PEOPLE[:6]


def table(*rows: tuple[str, str]) -> list[tuple[str, str, bool]]:
    """Rows of a page's name and who may see it, spread to one row for each person."""
    return [(page, who, who in allowed.split()) for page, allowed in rows for who in PEOPLE]


TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')
PRIVATE_PAGES = table(
    ("/projects/private", " ".join(MEMBERS)),
    ("/projects/private/members", "admin alice maintainer developer guest"),
    ("/projects/private/robots", "admin alice maintainer developer guest"),
    ("/projects/private/robots/new", "admin alice"),
    ("/projects/private/log", "admin alice"),
    ("/projects/private/settings", "admin alice"),
    ("/projects/private/delete", "admin alice"),
    ("/projects/private/repositories/app/web", " ".join(MEMBERS)),
    ("/projects/private/repositories/app/web/-/description", "admin alice maintainer developer"),
    ("/projects/private/repositories/app/web/-/delete", "admin alice maintainer"),
)


@pytest.mark.parametrize("who", PEOPLE)
def test_pages_of_a_private_project(scene: Scene, reader: Reader, who: str) -> None:
    client, refusal = reader(who), 403 if who in MEMBERS else 404
    wanted = {path: 200 if may else refusal for path, reads, may in PRIVATE_PAGES if reads == who}

    assert {path: client.get(path).status_code for path in wanted} == wanted


@pytest.mark.parametrize(("who", "status"), [("admin", 200), ("alice", 403), ("stranger", 403), ("anonymous", 302)])
@pytest.mark.parametrize("path", ["/users", "/users/new", "/users/{alice}/password", "/users/{alice}/delete"])
def test_users_are_the_administrators(scene: Scene, reader: Reader, path: str, who: str, status: int) -> None:
    answer = reader(who).get(path.format(alice=scene.cast.alice.pk))

    assert answer.status_code == status
    if status == 302:
        assert answer["Location"].startswith("/account/sign-in?next=%2Fusers")


@pytest.mark.parametrize("who", ["stranger", "anonymous"])
def test_a_hidden_project_looks_like_none(scene: Scene, reader: Reader, who: str) -> None:
    client = reader(who)

    for path in ("", "/members", "/settings", "/repositories/app/web", "/repositories/app/web/-/delete"):
        hidden = client.get(f"/projects/private{path}")
        missing = client.get(f"/projects/missing{path}")

        assert hidden.status_code == missing.status_code == 404, path
        pages = [TOKEN.sub("", answer.content.decode()) for answer in (hidden, missing)]
        assert pages[0].replace("private", "missing") == pages[1], path


@pytest.mark.parametrize(
    ("who", "shown", "hidden"),
    [
        ("alice", ["Members", "Robots", "Log", "Settings", "How to push", "Delete private/app/web"], []),
        ("maintainer", ["Members", "Robots", "How to push", "Delete private/app/web"], ["Log", "Settings"]),
        ("developer", ["Members", "Robots", "How to push"], ["Log", "Settings", "Delete private/app/web"]),
        ("guest", ["Members", "Robots"], ["Log", "Settings", "How to push", "Delete private/app/web"]),
        ("limited_guest", ["app/web"], ["Members", "Robots", "Log", "Settings", "How to push"]),
    ],
)
def test_a_project_shows_what_its_reader_may_do(
    scene: Scene, reader: Reader, who: str, shown: list[str], hidden: list[str]
) -> None:
    page = TOKEN.sub("", reader(who).get("/projects/private").content.decode())

    assert [word for word in shown if word not in page] == []
    assert [word for word in hidden if word in page] == []


@pytest.mark.parametrize(
    ("who", "shown", "hidden"),
    [
        ("maintainer", ["Add the tag", "Delete the tag v1.9", "/delete"], []),
        ("developer", ["Add the tag"], ["Delete the tag", "/delete"]),
        ("guest", ["v1.9"], ["Add the tag", "Delete the tag", "/delete"]),
    ],
)
def test_an_artifact_shows_what_its_reader_may_do(
    scene: Scene, reader: Reader, who: str, shown: list[str], hidden: list[str]
) -> None:
    page = reader(who).get(scene.image_path).content.decode()

    assert [word for word in shown if word not in page] == []
    assert [word for word in hidden if word in page] == []


def test_everybody_reads_a_public_project_and_nothing_more(scene: Scene, reader: Reader) -> None:
    for who in ("stranger", "anonymous"):
        client = reader(who)
        assert client.get("/projects/public").status_code == 200
        assert client.get("/projects/public/repositories/app/web").status_code == 200
        assert (
            client.get(f"/projects/public/repositories/app/web/-/artifacts/{scene.public_image.digest}").status_code
            == 200
        )
        refused = client.get("/projects/public/members")
        assert refused.status_code == (403 if who == "stranger" else 302)


@pytest.mark.parametrize("who", PEOPLE)
def test_lists_hold_what_their_reader_may_see(scene: Scene, reader: Reader, who: str) -> None:
    client = reader(who)

    for path in ("/", "/projects", "/search?q=web", "/search?q=private"):
        assert ("private" in _listed(client.get(path).content.decode())) == (who in MEMBERS), path


@pytest.mark.parametrize(
    ("who", "told"), [("alice", True), ("limited_guest", True), ("stranger", False), ("anonymous", False)]
)
def test_strangers_do_not_learn_how_much_is_stored(scene: Scene, reader: Reader, who: str, told: bool) -> None:
    Quota.objects.update(used=55 * 2**20, hard=77 * 2**20)
    scene.cast.private.public = True
    scene.cast.private.save()
    client = reader(who)

    for path in ("/projects?q=private", "/projects/private"):
        page = client.get(path).content.decode()
        assert ("55.0 MiB" in page) == ("77.0 MiB" in page) == told, path


def _listed(page: str) -> str:
    """The names that links to projects and repositories carry."""
    return " ".join(part.split('"')[0] for part in page.split('href="/projects/')[1:] if not part.startswith("-"))
