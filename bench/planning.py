"""A rule that matches ten thousand artifacts: how long its plan takes, what it holds, and how its lists and its end go.

`[DATABASE_URL=postgres://...] python -m bench.planning [--artifacts N]`

Rows alone stand here; the target is an empty registry of its own. The database is a SQLite of the benchmark's own
unless DATABASE_URL names another one, which must be empty. Nothing is copied.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.stage import ROOT

TAGS = 20
"""Of each repository, each an artifact."""
PASSWORD = "Planning-Horse-9"
PLANNED, LISTED, STOPPED = 60.0, 0.5, 5.0
"""Seconds that a plan of ten thousand, a page and a stop may take on a machine that is busy."""
MOST_MEMORY = 200 * 2**20
WORK = """
import sys, time, django
django.setup()
from bench.copier import peak_memory
from jobs import tasks
began = time.perf_counter()
tasks.run(int(sys.argv[1]))
print(time.perf_counter() - began, peak_memory())
"""
"""What a worker does about the plan, in a process of its own: seconds, and the most memory that it had."""
API = "/api/v2.0/replication/executions/"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=int, default=10_000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="haven-bench-"))
    environment = _settle(folder)
    from tests.redis import Redis  # what the tests are made of settles Django in its own way, if nobody has
    from tests.replication.plain import Plain

    redis, target = Redis(folder / "redis.sock"), Plain()
    try:
        redis.start()
        return 0 if _measure(asked.artifacts, target.start().url, environment) else 1
    finally:
        target.remove()
        redis.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _settle(folder: Path) -> dict[str, str]:
    """Django in `folder`, its database ready; the environment that other processes need for the same."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "harbor.settings",
        "HAVEN_DATA": str(folder),
        "REDIS_URL": f"unix://{folder}/redis.sock",
        "SECRET_KEY": "a secret of the benchmarks, long enough for every check: 0123456789abcdef",
        "HAVEN_ALLOWED_NETWORKS": "127.0.0.0/8",
        "HAVEN_EXTERNAL_URL": "http://localhost",
        "HAVEN_LOG_LEVEL": "error",
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return dict(os.environ)


def _measure(count: int, url: str, environment: dict[str, str]) -> bool:
    from jobs.actions import WINDOW
    from jobs.models import Execution, Job
    from jobs.tasks import _waiting
    from replication import runs
    from replication.local import ACTOR
    from replication.models import Policy

    _fill(count)
    execution = runs.start(ACTOR, _rule(url))
    plan = Job.objects.get(execution=execution)
    command = [sys.executable, "-c", WORK, str(plan.pk)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    planned, memory = (float(word) for word in done.stdout.split()[-2:])
    plan.refresh_from_db()
    held = _waiting("replication")
    print(f"{plan.status_message}: planned in {planned:.1f} s, {memory / 2**20:.0f} MB, {held} messages")
    listed = _lists(execution.pk)
    policy = Policy.objects.get(pk=execution.vendor_id)
    began = time.perf_counter()
    runs.stop(ACTOR, policy, execution)
    stopped = time.perf_counter() - began
    left = Execution.objects.unfinished().filter(pk=execution.pk).exists()
    print(f"stopped in {stopped:.2f} s, {'something is left' if left else 'nothing is left'}")
    jobs = runs.jobs_of(execution).count()
    return (
        jobs == count
        and held <= WINDOW
        and not left
        and memory <= MOST_MEMORY
        and planned <= PLANNED
        and listed <= LISTED
        and stopped <= STOPPED
    )


def _lists(execution: int) -> float:
    """Print how long the lists of the run's tasks take; the longest."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    signed = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    client, longest = Client(SERVER_NAME="localhost", headers={"Authorization": f"Basic {signed}"}), 0.0
    for path in ("/tasks?page_size=100", "/tasks?page=90&page_size=100", "/tasks?status=Failed", "/progress", ""):
        client.get(f"{API}{execution}{path}")
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            answer = client.get(f"{API}{execution}{path}")
            seconds = time.perf_counter() - began
        assert answer.status_code == 200, answer.content
        print(f"  {path or 'the run':30} {seconds * 1000:7.1f} ms, {len(queries)} queries")
        longest = max(longest, seconds)
    return longest


def _fill(count: int) -> None:
    from django.utils import timezone

    from artifacts.models import Artifact, Repository, Tag
    from projects.actions import create_project
    from replication.local import ACTOR

    now, project = timezone.now(), create_project(ACTOR, name="many")
    names = [f"many/app-{number:05}" for number in range(-(-count // TAGS))]
    repositories = Repository.objects.bulk_create([Repository(project=project, name=name) for name in names])
    media_type = "application/vnd.oci.image.manifest.v1+json"
    artifacts = Artifact.objects.bulk_create(
        [
            Artifact(
                project=project,
                repository=repositories[number // TAGS],
                digest=f"sha256:{number:064x}",
                stored_digest=f"sha256:{number:064x}",
                media_type=media_type,
                type="IMAGE",
                size=1,
                manifest_size=1,
                push_time=now,
                tagged=True,
            )
            for number in range(count)
        ],
        batch_size=500,
    )
    tags = [
        Tag(repository_id=one.repository_id, artifact=one, name=f"v{number % TAGS}", push_time=now)
        for number, one in enumerate(artifacts)
    ]
    Tag.objects.bulk_create(tags, batch_size=500)


def _rule(url: str) -> Any:
    from accounts.models import User
    from replication import actions
    from replication.local import ACTOR
    from replication.models import Endpoint
    from replication.rules import Rule

    person, _ = User.objects.get_or_create(username="admin", defaults={"is_admin": True})
    person.set_password(PASSWORD)
    person.save()
    endpoint = Endpoint.objects.create(name="target", type="docker-registry", url=url)
    return actions.create_policy(ACTOR, Rule(name="many", target_id=endpoint.pk))


if __name__ == "__main__":
    sys.exit(main())
