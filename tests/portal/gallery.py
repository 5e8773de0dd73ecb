"""A Haven that looks lived in, for pictures of its pages. Pushed by the front door; the past comes from `past`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.cast import PASSWORD
from tests.stack import content
from tests.stack.content import Blob, Pushable
from tests.stack.people import People
from tests.stack.stack import ADMIN_PASSWORD, Stack
from tests.stack.wire import Client

PEOPLE = ("grace.hopper", "ken", "margaret", "linus", "radia", "barbara", "dennis")
PROJECTS = {"payments": False, "platform": False, "charts": True, "ml-models": False, "sandbox": False}
ROLES = {"ken": 4, "margaret": 2, "linus": 2, "radia": 3, "barbara": 5}
VERSIONS = ("2.9.0", "2.10.0", "2.10.1", "2.11.0-rc1", "2.11.0")
STEPS = (
    ("ADD rootfs.tar.xz / # buildkit", 260_000),
    ("RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates tini", 90_000),
    ("COPY --from=build /out/server /usr/local/bin/server # buildkit", 140_000),
    ("COPY migrations /srv/migrations # buildkit", 12_000),
)
README = """# Payments API

Takes payments, **refunds** them and tells the ledger.

| Tag | Meant for |
| --- | --- |
| `2.11.0` | production |
| `2.11.0-rc1` | staging |

## Run it

```sh
docker run --publish 8080:8080 payments/api:2.11.0
```

1. Set `DATABASE_URL`.
2. Run `server migrate`.
3. Look at [the runbook](https://example.com/runbook).
"""
VALUES = """# How many copies run at once.
replicaCount: 3

image:
  repository: payments/api
  tag: 2.11.0
  pullPolicy: IfNotPresent

service:
  type: ClusterIP
  port: 8080

resources:
  limits:
    cpu: 500m
    memory: 256Mi
"""
CHART_README = """# payments

A Helm chart for the payments service.

## Install

```sh
helm install payments oci://registry.example.com/charts/payments --version 1.4.2
```

| Value | Default | What it does |
| --- | --- | --- |
| `replicaCount` | `3` | How many copies run at once |
| `service.port` | `8080` | Where it listens |
"""
PAST = "from tests.portal.past import dress; dress(); answer = None"


def furnish(stack: Stack) -> People:
    """People, projects, images, charts, signatures, robots and a month of use."""
    people = People(stack, {"admin": ("admin", ADMIN_PASSWORD)})
    people.make_users(*PEOPLE)
    for name, public in PROJECTS.items():
        people.make_project(name, public, owner="grace.hopper")
    owner = {"role_id": 1, "member_user": {"username": "grace.hopper"}}
    people.api("admin", "POST", "/projects/library/members", owner, 201)  # which a fresh Haven has
    for project in ("payments", "platform", "library"):
        for who, role in ROLES.items():
            document = {"role_id": role, "member_user": {"username": who}}
            people.api("grace.hopper", "POST", f"/projects/{project}/members", document, 201)
    pusher = stack.client("grace.hopper", PASSWORD)
    _push_services(pusher)
    _push_others(pusher)
    for repository, text in (("payments/repositories/api", README), ("library/repositories/nginx", "The web server.")):
        people.api("grace.hopper", "PUT", f"/projects/{repository}", {"description": text}, 200)
    for name in ("ci-builder", "cluster-prod", "cluster-staging"):
        _make_robot(people, name)
    _make_system_robot(people)
    stack.ask(PAST)
    return people


def _push_services(pusher: Client) -> None:
    for service in ("api", "web", "worker", "ledger"):
        for version in VERSIONS if service == "api" else VERSIONS[2:4]:
            both = [_built(f"{service} {version}", architecture) for architecture in ("amd64", "arm64")]
            index = content.index(*both, annotations=_annotations(f"payments/{service}", version))
            _push(pusher, f"payments/{service}", version, index)
    _push(pusher, "payments/api", "latest", index := _latest(pusher))
    signature = content.artifact("application/vnd.dev.cosign.artifact.sig.v1+json", subject=index)
    sbom = content.artifact("application/spdx+json", subject=index)
    for accessory in (signature, sbom):
        _push(pusher, "payments/api", accessory.digest(), accessory)


def _latest(pusher: Client) -> Pushable:
    both = [_built(f"api {VERSIONS[-1]}", architecture) for architecture in ("amd64", "arm64")]
    return content.index(*both, annotations=_annotations("payments/api", VERSIONS[-1]))


def _push_others(pusher: Client) -> None:
    for name, tags in (("nginx", ("1.27.3", "1.28.0", "latest")), ("postgres", ("16.4", "17.2")), ("redis", ("7.4",))):
        for tag in tags:
            _push(pusher, f"library/{name}", tag, _built(f"{name} {tag}", "amd64"))
    for name in ("ubuntu", "alpine", "node", "python", "go"):
        _push(pusher, f"platform/base/{name}", "stable", _built(f"base {name}", "amd64"))
    for version in ("1.4.1", "1.4.2"):
        _push(pusher, "charts/payments", version, _chart(version))
    weights = Blob(b"weights of a very small model" * 4000, "application/vnd.example.weights")
    card = Blob(b"# A very small model\n", "text/markdown")
    model = content.artifact("application/vnd.example.model.v1", weights, card, annotations={"license": "Apache-2.0"})
    _push(pusher, "ml-models/fraud-detector", "2026.11", model)


def _push(pusher: Client, repository: str, tag: str, what: Pushable) -> None:
    answer = pusher.push(repository, tag, what)
    assert answer.status == 201, f"{repository}:{tag}: {answer}"


def _built(text: str, architecture: str) -> Pushable:
    """An image with the history of a real build; its layers hold bytes that do not shrink."""
    layers = [
        _layer(f"{command} {architecture} {text if number > 1 else ''}", size)
        for number, (command, size) in enumerate(STEPS)
    ]
    image = content.image(*layers, text=text, architecture=architecture)
    config = json.loads(image.blobs[0].content)
    history: list[dict[str, Any]] = [
        {"created": f"2026-11-0{number + 1}T08:1{number}:00Z", "created_by": command}
        for number, (command, _) in enumerate(STEPS)
    ]
    settings = {"created": "2026-11-05T09:00:00Z", "empty_layer": True}
    history += [{**settings, "created_by": line} for line in ("ENV PORT=8080", 'ENTRYPOINT ["tini", "--", "server"]')]
    labels = {"org.opencontainers.image.authors": "Payments team <payments@example.com>"}
    inner = {"Entrypoint": ["tini", "--", "server"], "Env": ["PORT=8080"], "User": "65532", "Labels": labels}
    document = {
        **config,
        "created": "2026-11-05T09:00:00Z",
        "history": history,
        "config": {**inner, "WorkingDir": "/srv"},
    }
    document["config"]["ExposedPorts"] = {"8080/tcp": {}}
    changed = Blob(json.dumps(document).encode(), content.OCI_CONFIG)
    manifest = {**image.document, "config": changed.descriptor()}
    return replace(content.manifest(manifest, (changed, *layers)), media_type=content.OCI_IMAGE)


def _layer(text: str, size: int) -> Blob:
    """A layer of about `size` bytes, the same for the same text."""
    import random

    return content.layer({"file": random.Random(text).randbytes(size)})


def _chart(version: str) -> Pushable:
    about = {
        "apiVersion": "v2",
        "name": "payments",
        "version": version,
        "appVersion": "2.11.0",
        "description": "Takes payments, refunds them and tells the ledger",
        "dependencies": [
            {"name": "postgresql", "version": "16.2.x", "repository": "oci://registry.example.com/charts"}
        ],
        "maintainers": [{"name": "Payments team", "email": "payments@example.com"}],
    }
    config = Blob(json.dumps(about).encode(), content.HELM_CONFIG)
    files = {"Chart.yaml": json.dumps(about), "values.yaml": VALUES, "README.md": CHART_README}
    packed = content.layer({f"payments/{name}": text.encode() for name, text in files.items()})
    package = Blob(packed.content, content.HELM_CHART)
    document = {
        "schemaVersion": 2,
        "mediaType": content.OCI_IMAGE,
        "config": config.descriptor(),
        "layers": [package.descriptor()],
        "annotations": _annotations("charts/payments", version),
    }
    return content.manifest(document, (config, package))


def _annotations(title: str, version: str) -> dict[str, str]:
    return {
        "org.opencontainers.image.title": title,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.source": f"https://git.example.com/{title}",
        "org.opencontainers.image.revision": "8f14e45fceea167a5a36dedd4bea2543",
    }


def _make_system_robot(people: People) -> None:
    access = [{"resource": "repository", "action": "pull"}]
    document = {
        "name": "mirror",
        "level": "system",
        "duration": -1,
        "description": "Copies every project to the other site",
        "permissions": [{"kind": "project", "namespace": "*", "access": access}],
    }
    people.api("admin", "POST", "/robots", document, 201)


def _make_robot(people: People, name: str) -> None:
    access = [{"resource": "repository", "action": action} for action in ("pull", "push")]
    document = {
        "name": name,
        "level": "project",
        "duration": 90 if name == "ci-builder" else -1,
        "description": "Builds and pushes on every merge" if name == "ci-builder" else "Pulls what it runs",
        "permissions": [{"kind": "project", "namespace": "payments", "access": access}],
    }
    people.api("grace.hopper", "POST", "/robots", document, 201)
