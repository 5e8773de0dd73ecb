"""What forms do: once, with errors beside the field, and nothing where something is wrong."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from artifacts.models import Artifact, Repository, Tag
from audit.models import Entry
from configuration import values
from projects.models import Member, Project, Quota, Role
from robots.models import Robot
from tests.portal.conftest import Reader, Scene


def once_of(page: bytes) -> str:
    found = re.search(rb'name="once" value="([^"]+)"', page)
    assert found
    return found[1].decode()


def test_a_project_is_made(scene: Scene, reader: Reader) -> None:
    client = reader("stranger")

    answer = client.post("/projects/-/new", {"name": "mine", "public": "on"})

    assert answer["Location"] == "/projects/mine"
    project = Project.objects.get(name="mine")
    assert project.public and project.members.get().role == Role.PROJECT_ADMIN
    page = client.get("/projects/mine").content.decode()
    assert "The project mine has been created." in page
    assert "docker push haven.test:8080/mine/my-image:latest" in page


def test_who_administers_haven_chooses_a_new_projects_limit(scene: Scene, reader: Reader) -> None:
    admin, alice = reader("admin"), reader("alice")
    values.set_values({"storage_per_project": 3 * 2**30})

    assert 'value="3 GiB"' in admin.get("/projects/-/new").content.decode()
    assert 'name="limit"' not in alice.get("/projects/-/new").content.decode()
    for name, limit, hard in (("roomy", "5 GiB", 5 * 2**30), ("endless", "", -1)):
        admin.post("/projects/-/new", {"name": name, "limit": limit})
        assert Quota.objects.get(project__name=name).hard == hard
    alice.post("/projects/-/new", {"name": "ordinary", "limit": "5 GiB"})
    assert Quota.objects.get(project__name="ordinary").hard == 3 * 2**30
    assert admin.post("/projects/-/new", {"name": "odd", "limit": "a lot"}).status_code == 422


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("private", "This name is taken."),
        ("", "This field is required."),
        ("Upper", "Use lower case letters and digits"),
        ("a/b", "Use lower case letters and digits"),
        ("x" * 256, "at most 255 characters"),
    ],
)
def test_a_project_that_cannot_be(scene: Scene, reader: Reader, name: str, sentence: str) -> None:
    before = Project.objects.count()

    answer = reader("alice").post("/projects/-/new", {"name": name, "public": "on"})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert sentence in page
    assert 'aria-invalid="true"' in page and "checked" in page
    assert Project.objects.count() == before


def test_a_form_sent_twice_works_once(scene: Scene, reader: Reader) -> None:
    client = reader("alice")
    form = {"name": "twice", "once": once_of(client.get("/projects/-/new").content)}

    first = client.post("/projects/-/new", form)
    second = client.post("/projects/-/new", form)

    assert first["Location"] == second["Location"] == "/projects/twice"
    assert Entry.objects.filter(operation="create", resource_type="project").count() == 1


@pytest.mark.parametrize(
    "planted", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:x", "projects", 7]
)
def test_a_planted_outcome_leads_nowhere(scene: Scene, reader: Reader, planted: object) -> None:
    """Who can write to Redis cannot send people to another site by it."""
    cache.set("once:alice:abcdefgh-1234", planted, 60)

    answer = reader("alice").post("/projects/-/new", {"name": "twice", "once": "abcdefgh-1234"})

    assert answer["Location"] == "/projects/twice"


def test_another_persons_form_is_not_mine(scene: Scene, reader: Reader) -> None:
    form = {"name": "twice", "once": "abcdefgh-1234"}
    reader("alice").post("/projects/-/new", form)

    answer = reader("stranger").post("/projects/-/new", form)

    assert answer.status_code == 422


@pytest.mark.usefixtures("no_redis")
def test_forms_work_without_redis(scene: Scene, reader: Reader) -> None:
    client = reader("alice")
    form = {"name": "alone", "once": once_of(client.get("/projects/-/new").content)}

    assert client.post("/projects/-/new", form)["Location"] == "/projects/alone"
    assert client.post("/projects/-/new", form).status_code == 422


def test_a_project_with_repositories_stays(scene: Scene, reader: Reader) -> None:
    client = reader("alice")

    page = client.get("/projects/private/delete").content.decode()
    answer = client.post("/projects/private/delete")

    assert "It holds 1 repository. Delete that first." in page
    assert answer.status_code == 409
    assert Project.objects.filter(name="private").exists()


def test_an_empty_project_goes(scene: Scene, reader: Reader) -> None:
    client = reader("alice")
    client.post("/projects/-/new", {"name": "short-lived"})

    assert client.post("/projects/short-lived/delete")["Location"] == "/projects"
    assert client.get("/projects/short-lived").status_code == 404


def test_a_project_becomes_public(scene: Scene, reader: Reader) -> None:
    reader("alice").post("/projects/private/settings", {"public": "on"})

    assert reader("anonymous").get("/projects/private").status_code == 200
    reader("alice").post("/projects/private/settings", {})
    assert reader("anonymous").get("/projects/private").status_code == 404


def test_members_come_change_and_go(scene: Scene, reader: Reader) -> None:
    client = reader("alice")

    client.post("/projects/private/members", {"username": "STRANGER", "role": "3"})
    member = Member.objects.get(user=scene.cast.stranger)
    assert member.role == Role.GUEST
    assert reader("stranger").get("/projects/private").status_code == 200

    client.post(f"/projects/private/members/{member.pk}", {"role": "4"})
    member.refresh_from_db()
    assert member.role == Role.MAINTAINER

    client.post(f"/projects/private/members/{member.pk}/remove")
    assert reader("stranger").get("/projects/private").status_code == 404


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"username": "nobody", "role": "3"}, "There is nobody of this name."),
        ({"username": "guest", "role": "3"}, "A member already. Change the role in the list."),
        ({"username": "stranger", "role": "9"}, "Select a valid choice."),
    ],
)
def test_a_member_that_cannot_be(scene: Scene, reader: Reader, given: dict[str, str], sentence: str) -> None:
    before = Member.objects.count()

    answer = reader("alice").post("/projects/private/members", given)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert f'value="{given["username"]}"' in answer.content.decode()
    assert Member.objects.count() == before


def test_the_last_administrator_stays(scene: Scene, reader: Reader) -> None:
    alice = Member.objects.get(project=scene.cast.private, user=scene.cast.alice)

    demoted = reader("alice").post(f"/projects/private/members/{alice.pk}", {"role": "2"})
    removed = reader("alice").post(f"/projects/private/members/{alice.pk}/remove")

    assert (demoted.status_code, removed.status_code) == (422, 409)
    assert "The project needs an administrator" in removed.content.decode()
    assert Member.objects.filter(pk=alice.pk, role=Role.PROJECT_ADMIN).exists()


def test_a_member_of_another_project_is_not_there(scene: Scene, reader: Reader) -> None:
    other = Member.objects.get(project=scene.cast.public)

    answer = reader("alice").post(f"/projects/private/members/{other.pk}/remove")

    assert answer.status_code == 404
    assert Member.objects.filter(pk=other.pk).exists()


def test_a_robots_secret_is_shown_once(scene: Scene, reader: Reader) -> None:
    client = reader("alice")
    form = {
        "name": "builder",
        "duration": "30",
        "permissions": ["repository:pull", "repository:push"],
        "once": once_of(client.get("/projects/private/robots/new").content),
    }

    first = client.post("/projects/private/robots/new", form)
    page = first.content.decode()
    secret = re.findall(r'id="hv-secret".*?<code[^>]*>([^<]+)</code>', page)[0]
    robot = Robot.objects.get(name="builder")

    assert first["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert robot.permissions["projects"] == {str(scene.cast.private.pk): ["repository:pull", "repository:push"]}
    assert "docker login --username &#x27;robot$private+builder&#x27; haven.test:8080" in page
    again = client.post("/projects/private/robots/new", form)
    assert again["Location"] == f"/projects/private/robots/{robot.pk}"
    assert secret not in client.get(again["Location"]).content.decode()


def test_a_robot_needs_permissions_that_its_maker_may_give(scene: Scene, reader: Reader) -> None:
    client = reader("alice")

    for given in ({}, {"permissions": ["user:create"]}, {"more": ["scanner:delete"]}):
        answer = client.post("/projects/private/robots/new", {"name": "greedy", "duration": "", **given})
        assert answer.status_code == 422

    assert not Robot.objects.filter(name="greedy").exists()


def test_a_robot_is_disabled_renewed_and_deleted(scene: Scene, reader: Reader) -> None:
    client, robot = reader("alice"), scene.robot
    path = f"/projects/private/robots/{robot.pk}"

    client.post(f"{path}/switch")
    robot.refresh_from_db()
    assert robot.disabled
    before = robot.secret_digest
    assert "The secret of robot$private+ci" in client.post(f"{path}/secret").content.decode()
    robot.refresh_from_db()
    assert robot.secret_digest != before
    client.post(f"{path}/delete")
    assert not Robot.objects.filter(pk=robot.pk).exists()


def test_a_tag_is_added_and_deleted(scene: Scene, reader: Reader) -> None:
    client = reader("maintainer")

    client.post(f"{scene.image_path}/tags", {"name": "stable"})
    assert scene.image.tags.filter(name="stable").exists()
    question = client.get(f"{scene.image_path}/tags/stable/delete").content.decode()
    assert "Nobody can pull private/app/web:stable any more." in question
    assert "The artifact stays, with 4 other tags." in question
    client.post(f"{scene.image_path}/tags/stable/delete")
    assert sorted(scene.image.tags.values_list("name", flat=True)) == ["latest", "v1", "v1.10", "v1.9"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("multi", "This repository has a tag of this name already."), ("-no", "Use letters, digits"), ("", "required")],
)
def test_a_tag_that_cannot_be(scene: Scene, reader: Reader, name: str, sentence: str) -> None:
    before = Tag.objects.count()

    answer = reader("maintainer").post(f"{scene.image_path}/tags", {"name": name})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Tag.objects.count() == before


def test_deleting_an_artifact_names_what_goes(scene: Scene, reader: Reader) -> None:
    client = reader("maintainer")

    question = client.get(f"{scene.image_path}/delete").content.decode()
    assert "4 tags of private/app/web share this digest and go with it: v1.10, v1.9, v1, latest." in question
    assert "1 accessory goes with it." in question
    assert Artifact.objects.filter(pk=scene.image.pk).exists()

    assert client.post(f"{scene.image_path}/delete")["Location"] == scene.path
    assert not Artifact.objects.filter(pk=scene.image.pk).exists()


def test_a_part_of_an_index_stays(scene: Scene, reader: Reader) -> None:
    part = scene.index.references.get(position=0).child

    answer = reader("maintainer").post(f"{scene.path}/-/artifacts/{part.digest}/delete")

    assert answer.status_code == 409
    assert "An index holds this artifact. Delete that one first." in answer.content.decode()
    assert Artifact.objects.filter(pk=part.pk).exists()


def test_a_repository_is_described_and_deleted(scene: Scene, reader: Reader) -> None:
    client = reader("maintainer")

    client.post(f"{scene.path}/-/description", {"description": "What it is for"})
    assert "<p>What it is for</p>" in client.get(f"{scene.path}/-/info").content.decode()
    assert "5 tags go with it." in client.get(f"{scene.path}/-/delete").content.decode()
    client.post(f"{scene.path}/-/delete")
    assert not Repository.objects.filter(pk=scene.repository.pk).exists()


def test_users_are_made_raised_and_deleted(scene: Scene, reader: Reader) -> None:
    client, secret = reader("admin"), "Another-Horse-10"
    form = {"username": "newcomer", "email": "new@haven.test", "realname": "New", "password": secret, "again": secret}

    client.post("/users/new", form)
    user = User.objects.get(username="newcomer")
    client.post(f"/users/{user.pk}/administrator")
    user.refresh_from_db()
    assert user.is_admin
    client.post(f"/users/{user.pk}/password", {"password": "Third-Horse-11", "again": "Third-Horse-11"})
    user.refresh_from_db()
    assert user.check_password("Third-Horse-11")
    client.post(f"/users/{user.pk}/delete")
    assert not User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"username": "ALICE"}, "Somebody has this username or this e-mail address already."),
        ({"email": "alice@haven.test"}, "Somebody has this username or this e-mail address already."),
        ({"username": 'a"b'}, "Leave out the characters"),
        ({"password": "short"}, "Use 8 to 128 characters"),
        ({"again": "Other-Horse-11"}, "The two passwords differ."),
        ({"email": "no address"}, "Enter a valid email address."),
    ],
)
def test_a_user_that_cannot_be(scene: Scene, reader: Reader, change: dict[str, str], sentence: str) -> None:
    secret, before = "Another-Horse-10", User.objects.count()
    form = {"username": "newcomer", "email": "new@haven.test", "realname": "New", "password": secret, "again": secret}

    answer = reader("admin").post("/users/new", form | change)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert secret not in answer.content.decode()
    assert User.objects.count() == before


def test_the_last_administrator_cannot_go(scene: Scene, reader: Reader) -> None:
    client, pk = reader("admin"), scene.cast.admin.pk

    assert client.post(f"/users/{pk}/administrator").status_code == 409
    assert client.post(f"/users/{pk}/delete").status_code == 409
    assert User.objects.get(pk=pk).is_admin


@pytest.mark.parametrize(
    "path",
    [
        "/projects/private/delete",
        "/projects/private/repositories/app/web/-/delete",
        "/projects/private/members/1/remove",
        "/users/{alice}/delete",
    ],
)
def test_a_question_changes_nothing(scene: Scene, reader: Reader, path: str) -> None:
    before = Entry.objects.count()

    path = path.format(alice=scene.cast.alice.pk)
    answer = reader("admin").get(path)
    refused = Client(enforce_csrf_checks=True)
    refused.force_login(scene.cast.admin, backend="accounts.backends.UserBackend")

    assert answer.status_code in (200, 404)
    assert refused.post(path).status_code == 403
    assert Entry.objects.count() == before


def test_a_question_comes_as_a_fragment_for_the_dialog(scene: Scene, reader: Reader) -> None:
    fragment = reader("alice").get("/projects/private/delete", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in fragment
    assert 'action="/projects/private/delete"' in fragment and "csrfmiddlewaretoken" in fragment
