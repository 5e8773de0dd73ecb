"""Repositories, artifacts and tags, to the letter of Harbor's answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from api.icons import icon_of
from artifacts.charts import PACKAGE
from artifacts.models import LISTED_ENTRIES, Artifact, Reference, Repository, Tag
from audit.models import Entry
from tests.api.calling import BASE, caller, code, message
from tests.api.conftest import Stage
from tests.api.stage import PUSHED, digest_of, make_image, make_index, make_repository
from tests.fakes.registry import FakeRegistry
from tests.stack.content import layer
from tokens.signing import key_folder
from tokens.upstream import registry as upstream

REPOSITORY = "/projects/private/repositories/app%252Fweb"


def test_an_artifact_as_harbor_shows_it(stage: Stage) -> None:
    image = stage.image
    Artifact.objects.filter(pk=image.pk).update(pull_time=PUSHED)
    assert caller(stage.cast.guest).get(f"{stage.path}/v1?with_tag=false").json() == {
        "id": image.pk,
        "type": "IMAGE",
        "media_type": "application/vnd.oci.image.config.v1+json",
        "manifest_media_type": "application/vnd.oci.image.manifest.v1+json",
        "artifact_type": "application/vnd.oci.image.config.v1+json",
        "project_id": stage.cast.private.pk,
        "repository_id": stage.repository.pk,
        "repository_name": "private/app/web",
        "digest": image.digest,
        "size": image.size,
        "icon": icon_of("IMAGE"),
        "push_time": "2024-01-20T09:18:50.783Z",
        "pull_time": "2024-01-20T09:18:50.783Z",
        "extra_attrs": {"architecture": "amd64", "os": "linux", "author": "", "config": {"Cmd": ["sh"]}},
        "references": None,
        "tags": None,
        "addition_links": {
            "build_history": {
                "href": f"/api/v2.0{REPOSITORY}/artifacts/{image.digest}/additions/build_history",
                "absolute": False,
            }
        },
        "labels": None,
        "accessories": None,
    }


def test_an_index_shows_its_entries_as_harbor_spells_them(stage: Stage) -> None:
    index = caller(stage.cast.guest).get(f"{stage.path}/multi").json()
    child = stage.index.references.order_by("position")[1].child
    assert index["references"][1] == {
        "parent_id": stage.index.pk,
        "child_id": child.pk,
        "child_digest": child.digest,
        "platform": {"architecture": "arm64", "os": "linux", "variant": "v1", "'os.features'": None},
        "urls": None,
    }
    assert index["pull_time"] == "0001-01-01T00:00:00.000Z"
    assert index["tags"][0] | {"id": 0} == {
        "id": 0,
        "repository_id": stage.repository.pk,
        "artifact_id": stage.index.pk,
        "name": "multi",
        "push_time": "2024-01-20T09:18:50.783Z",
        "pull_time": "0001-01-01T00:00:00.000Z",
        "immutable": False,
    }


def test_a_list_shows_the_first_entries_of_an_index(stage: Stage) -> None:
    """A hundred indexes of a thousand entries are not read for one page; by itself an index shows all."""
    many = LISTED_ENTRIES + 5
    index = make_index(stage.repository, "wide")
    entries = [Reference(parent=index, child=stage.image, position=position) for position in range(many)]
    Reference.objects.bulk_create(entries)

    listed = stage.callers["guest"].get(f"{stage.path}?q=tags=wide").json()
    alone = stage.callers["guest"].get(f"{stage.path}/wide").json()

    assert [len(artifact["references"]) for artifact in listed] == [LISTED_ENTRIES]
    assert len(alone["references"]) == many


def test_accessories_are_shown_to_who_asks(stage: Stage) -> None:
    ask = caller(stage.cast.guest)
    signature = stage.image.accessories.get()
    shown = {
        "id": signature.pk,
        "artifact_id": signature.artifact.pk,
        "subject_artifact_id": stage.image.pk,
        "subject_artifact_digest": stage.image.digest,
        "subject_artifact_repo": "private/app/web",
        "size": signature.artifact.size,
        "digest": signature.artifact.digest,
        "type": "signature.cosign",
        "icon": icon_of("signature.cosign"),
    }
    for found in (
        ask.get(f"{stage.path}/v1?with_accessory=true").json()["accessories"],
        ask.get(f"{stage.path}/v1/accessories").json(),
    ):
        assert [{key: entry[key] for key in shown} for entry in found] == [shown]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 2),
        ("q=base=*", 5),
        ("q=tags=*", 2),
        ("q=tags=nil", 0),
        ("q=base=*,tags=nil", 3),
        ("q=tags=v1", 1),
        ("q=tags=V1", 0),
        ("q=tags=~ult", 1),
        ("q=tags%253Dv1", 1),
        ("q=labels=(1 2)", 0),
        ("q=type=IMAGE", 2),
        ("q=type=CHART", 0),
        ("q=push_time=[2024-01-01T00:00:00~2025-01-01T00:00:00]", 2),
    ],
)
def test_what_a_list_of_artifacts_shows(stage: Stage, query: str, number: int) -> None:
    response = caller(stage.cast.guest).get(f"{stage.path}?{query.replace(' ', '%20')}")
    assert (len(response.json()), response["X-Total-Count"]) == (number, str(number))


def test_the_newest_comes_first(stage: Stage) -> None:
    newer = make_image(stage.repository, "newer")
    Artifact.objects.filter(pk=newer.pk).update(push_time=PUSHED + timedelta(days=1))
    ask = caller(stage.cast.guest)
    assert ask.get(stage.path).json()[0]["digest"] == newer.digest
    assert ask.get(f"{stage.path}?sort=push_time").json()[-1]["digest"] == newer.digest


def test_a_repository_that_is_not_there_is_an_empty_list(stage: Stage) -> None:
    response = caller(stage.cast.guest).get("/projects/private/repositories/none/artifacts")
    assert (response.status_code, response.content) == (200, b"[]\n")


def test_the_newest_of_each_repository(stage: Stage) -> None:
    other = make_repository(stage.cast.private, "other")
    make_image(other, "a")
    last = make_image(other, "b")
    ask = caller(stage.cast.guest)
    media_type = "application/vnd.oci.image.config.v1%2Bjson"
    found = ask.get(f"/projects/private/artifacts?latest_in_repository=true&q=media_type={media_type}").json()
    assert {artifact["digest"] for artifact in found} == {stage.image.digest, last.digest}
    for query in ("", f"&q=media_type={media_type},artifact_type=x"):
        assert ask.get(f"/projects/private/artifacts?latest_in_repository=true{query}").status_code == 400


@pytest.mark.parametrize("name", ["app%252Fweb", "app%2Fweb", "app%252fweb"])
def test_a_name_with_slashes_is_encoded_twice_or_once(stage: Stage, name: str) -> None:
    found = caller(stage.cast.guest).get(f"/projects/private/repositories/{name}")
    assert found.json()["name"] == "private/app/web"
    assert found.json()["artifact_count"] == 2


def test_a_name_with_bare_slashes_is_another_path(stage: Stage) -> None:
    assert caller(stage.cast.guest).get("/projects/private/repositories/app/web").status_code == 404


def test_one_project_does_not_reach_anothers_repository(stage: Stage) -> None:
    make_repository(stage.cast.public, "mine")
    for name in ("..%252Fprivate%252Fapp%252Fweb", "%252e%252e%252fprivate"):
        assert caller(stage.cast.admin).get(f"/projects/public/repositories/{name}").status_code == 400
    assert caller(stage.cast.admin).get("/projects/public/repositories/app%252Fweb").status_code == 404


def test_deleting_an_artifact_deletes_its_tags_and_signatures(stage: Stage) -> None:
    response = caller(stage.cast.maintainer).delete(f"{stage.path}/v1")
    assert response.status_code == 200
    assert not Tag.objects.filter(name__in=["v1", "latest"]).exists()
    assert Artifact.objects.filter(repository=stage.repository).count() == 3


def test_what_an_index_names_is_not_deleted(stage: Stage) -> None:
    child = stage.index.references.all()[0].child
    response = caller(stage.cast.maintainer).delete(f"{stage.path}/{child.digest}")
    assert (response.status_code, code(response)) == (412, "VIOLATE_FOREIGN_KEY_CONSTRAINT")
    assert Artifact.objects.filter(pk=child.pk).exists()


def test_tags_come_and_go(stage: Stage) -> None:
    ask = caller(stage.cast.maintainer)
    response = ask.post(f"{stage.path}/v1/tags", {"name": "v2"})
    assert (response.status_code, response.content) == (201, b"")
    assert "Location" not in response
    again = ask.post(f"{stage.path}/v1/tags", {"name": "v2"})
    assert (again.status_code, code(again)) == (409, "CONFLICT")
    for bad in (".dot", "a" * 129, "a/b", ""):
        assert ask.post(f"{stage.path}/v1/tags", {"name": bad}).status_code == 400
    assert {tag["name"] for tag in ask.get(f"{stage.path}/v2/tags").json()} == {"v1", "v2", "latest"}
    assert ask.delete(f"{stage.path}/v1/tags/multi").status_code == 404
    assert ask.delete(f"{stage.path}/v1/tags/v2").status_code == 200
    assert Artifact.objects.filter(pk=stage.image.pk).exists()
    assert Tag.objects.filter(name="multi").exists() and not Tag.objects.filter(name="v2").exists()


def test_a_description_is_shown_escaped(stage: Stage) -> None:
    ask = caller(stage.cast.developer)
    assert ask.put(REPOSITORY, {"description": "<img src=x onerror='a'> & \"b\""}).status_code == 200
    assert ask.get(REPOSITORY).json()["description"] == "&lt;img src=x onerror=&#39;a&#39;&gt; &amp; &#34;b&#34;"


def test_a_repository_goes_with_all_it_holds(stage: Stage) -> None:
    assert caller(stage.cast.maintainer).delete(REPOSITORY).status_code == 200
    assert not Repository.objects.exists() and not Artifact.objects.exists()
    assert Entry.objects.filter(operation="delete", resource_type="repository").count() == 1
    assert caller(stage.cast.alice).delete("/projects/private").status_code == 200


@pytest.fixture
def registry(settings: Settings) -> Iterator[FakeRegistry]:
    """The registry, in a dictionary."""
    key_folder().prepare()
    fake = FakeRegistry(url=f"https://{uuid.uuid4().hex}.test")
    settings.REGISTRY_URL = fake.url
    upstream().session.mount(fake.url, fake)
    yield fake


def with_config(stage: Stage, registry: FakeRegistry, config: bytes) -> None:
    """Let the image have this config, in the registry and in its manifest."""
    digest = registry.add_blob("private/app/web", config)
    assert digest == digest_of(config)
    manifest: dict[str, Any] = json.loads(bytes(stage.image.manifest.content))
    manifest["config"] |= {"digest": digest, "size": len(config)}
    stage.image.manifest.content = json.dumps(manifest).encode()
    stage.image.manifest.save()


def test_how_an_image_was_built(stage: Stage, registry: FakeRegistry) -> None:
    steps = [{"created": "2024-01-20T09:18:50Z", "created_by": "CMD sh", "empty_layer": True}]
    with_config(stage, registry, json.dumps({"history": steps}).encode())
    response = caller(stage.cast.guest).get(f"{stage.path}/v1/additions/build_history")
    assert (response.status_code, response.json()) == (200, steps)
    assert response["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("config", [b"{}", b"[]", b"not json", b'{"history": 1}', b'{"history": [null, 1]}'])
def test_an_image_that_does_not_tell_how_it_was_built(stage: Stage, registry: FakeRegistry, config: bytes) -> None:
    with_config(stage, registry, config)
    response = caller(stage.cast.guest).get(f"{stage.path}/v1/additions/build_history")
    assert (response.status_code, response.json()) == (200, [])


def test_a_registry_that_is_away_is_no_secret_told(stage: Stage, registry: FakeRegistry) -> None:
    with_config(stage, registry, b'{"history": []}')
    registry.fail("GET", ".*/blobs/.*", 503)
    response = caller(stage.cast.guest).get(f"{stage.path}/v1/additions/build_history")
    assert response.status_code in (500, 503)
    assert (code(response), message(response)) == ("UNKNOWN", "internal server error")


def test_what_a_chart_says_of_itself(stage: Stage, registry: FakeRegistry) -> None:
    package = layer({"web/values.yaml": b"replicas: 2\n", "web/README.md": b"# Web <b>\n"}).content
    digest = registry.add_blob("private/app/web", package)
    needs = [{"name": "redis", "version": "1.2", "repository": "oci://charts"}]
    chart = make_image(stage.repository, "chart", type="CHART", extra_attrs={"dependencies": needs})
    document: dict[str, Any] = json.loads(bytes(chart.manifest.content))
    document["layers"] = [{"mediaType": PACKAGE, "digest": digest, "size": len(package)}]
    chart.manifest.content = json.dumps(document).encode()
    chart.manifest.save()

    ask = caller(stage.cast.guest)
    links = ask.get(f"{stage.path}/chart").json()["addition_links"]
    found = {name: ask.get(link["href"].removeprefix(BASE), Accept="text/plain") for name, link in links.items()}
    assert {name: (answer["Content-Type"], answer.content) for name, answer in found.items()} == {
        "values.yaml": ("text/plain; charset=utf-8", b"replicas: 2\n"),
        "readme.md": ("text/markdown; charset=utf-8", b"# Web <b>\n"),
        "dependencies": (
            "application/json; charset=utf-8",
            b'[{"name":"redis","version":"1.2","repository":"oci://charts"}]\n',
        ),
    }
    assert ask.get(f"{stage.path}/chart/additions/build_history").status_code == 400


@pytest.mark.parametrize(
    ("reference", "addition", "status"),
    [("v1", "readme.md", 400), ("v1", "values.yaml", 400), ("multi", "build_history", 400), ("v1", "layers", 422)],
)
def test_additions_that_an_artifact_has_not(stage: Stage, reference: str, addition: str, status: int) -> None:
    response = caller(stage.cast.guest).get(f"{stage.path}/{reference}/additions/{addition}")
    assert response.status_code == status
