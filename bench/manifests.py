"""Manifests: GET by tag per second, and what a PUT asks of database and registry.

`python -m bench.manifests [--database sqlite|postgresql] [--count N] [--rounds N]`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.load import Target, compare, reached, request, table
from bench.stage import Stage, stage
from tests.stack import content

if TYPE_CHECKING:
    from accounts.actors import Actor

BARE = "bare WSGI, verifying the same token"
EMPTY = "empty Django view"
ROBOT = "GET by tag, robot"
PERSON = "GET by tag, developer"
ANONYMOUS = "GET by tag, anonymous"
FLOORS = dict.fromkeys((ROBOT, PERSON, ANONYMOUS), 0.4)
REPOSITORY = "p0/app"
LAYERS = 20
MOST_QUERIES = 12
TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
"""What opens and closes a transaction asks nothing."""
IMAGE = content.image(*(content.Blob(f"layer {number}".encode()) for number in range(LAYERS)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="both, one after the other, by default")
    parser.add_argument("--count", type=int, default=400, help="requests of one round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    if asked.database is None:
        again = [sys.executable, "-m", "bench.manifests", *sys.argv[1:], "--database"]
        return max(subprocess.run([*again, kind], check=False).returncode for kind in ("sqlite", "postgresql"))
    with stage(asked.database) as running:
        actors = _people()
        queries, heads = _push(actors[PERSON])
        results = compare(_targets(running, actors), asked.count, asked.rounds, asked.connections)
    print(*table(f"GET manifest on {asked.database}", results, BARE, FLOORS), sep="\n")
    print(f"PUT of an image of {LAYERS} layers: {queries[0]} queries, {heads[0]} HEADs; ", end="")
    print(f"again: {queries[1]} queries, {heads[1]} HEADs (at most {MOST_QUERIES} and 0)", flush=True)
    cheap = max(queries) <= MOST_QUERIES and heads[1] == 0
    return 0 if cheap and reached(results, BARE, FLOORS) else 1


def _targets(running: Stage, actors: dict[str, Actor]) -> dict[str, Target]:
    from tokens.scopes import Scope
    from tokens.signing import mint

    (running.folder / "manifest.json").write_bytes(IMAGE.content)
    web = running.serve("harbor.wsgi")
    scope = Scope("repository", REPOSITORY, frozenset({"pull"}))
    requests = {
        name: request(f"/v2/{REPOSITORY}/manifests/v1", {"Authorization": f"Bearer {mint(actor, [scope], 3600)}"})
        for name, actor in actors.items()
    }
    return {
        BARE: Target(running.serve("bench.bare:manifest"), requests[ROBOT]),
        EMPTY: Target(running.serve("harbor.wsgi", DJANGO_SETTINGS_MODULE="bench.empty"), request("/v2/empty")),
        **{name: Target(web, one) for name, one in requests.items()},
    }


def _people() -> dict[str, Actor]:
    """A public project, a developer of it, a robot for it, and nobody."""
    from accounts.actions import create_user
    from accounts.actors import ANONYMOUS as NOBODY
    from accounts.actors import SYSTEM, Permission
    from accounts.models import User
    from projects.models import Member, Project, Quota, Role
    from robots.actions import create_robot
    from robots.permissions import Grant

    create_user(SYSTEM, username="bench", password="Correct-Horse-9", email="bench@haven.test", realname="Bench")
    user = User.objects.get(username="bench")
    project = Project.objects.create(name="p0", public=True)
    Quota.objects.create(project=project)
    Member.objects.create(project=project, user=user, role=Role.DEVELOPER)
    grants = [Grant("project", "p0", (Permission("repository", "pull"),))]
    robot, _ = create_robot(SYSTEM, name="bench", level="system", duration=-1, permissions=grants)
    return {ROBOT: robot.actor, PERSON: user.actor, ANONYMOUS: NOBODY}


def _push(actor: Actor) -> tuple[list[int], list[int]]:
    """Push the image twice, in this process and to a registry in a dictionary: queries and HEADs of each."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from configuration import values
    from tests.fakes.registry import FakeRegistry
    from tokens.scopes import Scope
    from tokens.signing import mint
    from tokens.upstream import registry

    fake = FakeRegistry(url="https://registry.test")
    settings.REGISTRY_URL = fake.url
    registry().session.mount(fake.url, fake)
    for blob in IMAGE.blobs:
        fake.add_blob(REPOSITORY, blob.content)
    token = mint(actor, [Scope("repository", REPOSITORY, frozenset({"pull", "push"}))], 3600)
    queries, heads = [], []
    for _ in range(2):
        values.get("read_only")  # read every few seconds, not by each request
        fake.calls.clear()
        with CaptureQueriesContext(connection) as asked:
            answer = Client().put(
                f"/v2/{REPOSITORY}/manifests/v1",
                IMAGE.content,
                IMAGE.media_type,
                headers={"Authorization": f"Bearer {token}"},
            )
        if answer.status_code != 201:
            raise AssertionError(answer.content)
        queries.append(sum(not query["sql"].startswith(TRANSACTION) for query in asked.captured_queries))
        heads.append(len(fake.called("HEAD")))
    return queries, heads


if __name__ == "__main__":
    sys.exit(main())
