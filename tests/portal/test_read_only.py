"""While the system is read-only, pages change nothing but what ends that."""

from __future__ import annotations

from configuration import values
from projects.models import Member, Project
from tests.portal.conftest import Reader, Scene


def test_forms_are_refused_and_say_why(scene: Scene, reader: Reader) -> None:
    client = reader("admin")
    values.set_values({"read_only": True})
    members = Member.objects.count()
    for path, given in (
        ("/projects/-/new", {"name": "mine"}),
        ("/projects/private/members", {"username": "stranger", "role": "3"}),
        ("/users/new", {"username": "new"}),
        ("/account/password", {"old_password": "x"}),
    ):
        answer = client.post(path, given)
        assert answer.status_code == 403, path
        assert "while Haven is read-only" in answer.content.decode(), path
    assert not Project.objects.filter(name="mine").exists() and Member.objects.count() == members


def test_reading_and_ending_it_go_on(scene: Scene, reader: Reader) -> None:
    client = reader("admin")
    values.set_values({"read_only": True})

    assert client.get("/projects").status_code == 200
    assert client.post("/account/theme", {"theme": "dark"}).status_code < 400
    page = client.get("/configuration/system").content.decode()
    assert "read_only" in page
    given = {"read_only": "", "project_creation_restriction": "everyone"}
    assert client.post("/configuration/system", given).status_code != 403
