"""Runs that cannot end well: each job says why, at its first attempt, and nothing wrong is stored."""

from __future__ import annotations

import pytest

from registry.manifests import parse
from registry.references import Reference
from tests.replication.plain import Plain, client, push
from tests.replication.served import served
from tests.stack import content
from tests.stack.content import OCI_LAYER, Blob, Pushable
from tests.stack.replicas import HTPASSWD, PLAIN_PASSWORD, PLAIN_USER, Replicas

pytestmark = pytest.mark.stack

ELSEWHERE = "http://10.0.0.1/secret"


def name_is(pattern: str) -> dict[str, str]:
    return {"type": "name", "value": pattern}


def test_credentials_that_are_no_longer_right(replicas: Replicas) -> None:
    registry = Plain(htpasswd=HTPASSWD).start()
    try:
        credential = {"access_key": PLAIN_USER, "access_secret": PLAIN_PASSWORD}
        replicas.add("changing", {"type": "docker-registry", "url": registry.url, "credential": credential})
        replicas.admin.push("library/changing", "v1", content.image(text="changing"))
        rule = replicas.push_rule("to changing", "changing", filters=[name_is("library/changing")])
        (registry.folder / "htpasswd").write_text(HTPASSWD.replace(PLAIN_USER, "another"))
        registry.kill()
        registry.start()

        message = replicas.fails(rule)

        assert "refuses these credentials" in message and PLAIN_PASSWORD not in message
        assert not registry.storage.exists() or not any(registry.storage.rglob("_uploads/*"))
        replicas.forget(rule)
    finally:
        registry.remove()


def test_an_account_that_may_not_push(replicas: Replicas) -> None:
    there = replicas.there.admin
    robot = {"name": "reader", "level": "project", "duration": -1}
    access = [{"resource": "repository", "action": "pull"}]
    answer = there.api(
        "POST", "/robots", {**robot, "permissions": [{"kind": "project", "namespace": "library", "access": access}]}
    )
    assert answer.status == 201, answer
    credential = {"access_key": answer.json["name"], "access_secret": answer.json["secret"]}
    replicas.add("reader", {"type": "harbor", "url": replicas.there.url, "credential": credential})
    replicas.admin.push("library/unwanted", "v1", content.image(text="unwanted"))
    rule = replicas.push_rule("to reader", "reader", filters=[name_is("library/unwanted")])

    message = replicas.fails(rule)

    assert "you may pull from library/unwanted, but not push" in message, message
    assert replicas.tags_there("library/unwanted") == []
    replicas.forget(rule)


def test_a_source_that_lies_or_leads_astray(replicas: Replicas) -> None:
    """Other bytes than the digest's, a layer of another size than the manifest's, a redirect into a private network.
    One image is good: it arrives."""
    images = {
        name: content.image(Blob(name.encode() * 1000, OCI_LAYER)) for name in ("bytes", "size", "astray", "good")
    }
    with served() as source:
        theirs = client(source.url)
        for name, image in images.items():
            push(theirs, f"lies/{name}", "v1", image)
        lies = {
            "bytes": (200, {}, b"y" * 5000),
            "size": (200, {}, b"size" * 1000 + b"more"),
            "astray": (307, {"Location": ELSEWHERE}, b""),
        }
        for name, lie in lies.items():
            source.failures += [("GET", layer(images[name]), lie)] * 20
        replicas.add("liar", {"type": "docker-registry", "url": source.url})
        rule = replicas.pull_rule("from liar", "liar", filters=[name_is("lies/*")], dest_namespace="lies")
        source.calls.clear()

        run = replicas.run(rule, 30)

        tasks = {
            next(name for name in images if name in task["src_resource"]): task for task in replicas.tasks(run["id"])
        }
        asked = {name: len(source.called("GET", layer(image))) for name, image in images.items()}
    said = {name: replicas.log(run["id"], task["id"]) for name, task in tasks.items()}
    assert "it sent other bytes" in said["bytes"] and "nothing of it was stored" in said["bytes"], said
    assert "its manifest says" in said["size"], said
    assert "private network" in said["astray"] and "HAVEN_ALLOWED_NETWORKS" in said["astray"], said
    assert {name: task["status"] for name, task in tasks.items() if task["status"] != "Failed"} == {"good": "Succeed"}
    assert asked == {"bytes": 1, "size": 1, "astray": 1, "good": 1}, asked
    mine = client(replicas.here.url, "admin", replicas.password)
    for name, image in images.items():
        arrived = mine.head_manifest(Reference(f"lies/{name}", "v1")) is not None
        assert arrived == (name == "good"), name
        assert (mine.head_blob(f"lies/{name}", layer(image)) is not None) == (name == "good"), name
    replicas.forget(rule)


def layer(image: Pushable) -> str:
    return parse(image.content, image.media_type).layers[0].digest
