from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import Settings

from accounts.actors import SYSTEM
from accounts.models import User
from artifacts.actions import record_push
from artifacts.contents import Push, complete
from artifacts.models import Artifact
from jobs import tasks
from jobs.models import Execution, Job
from projects.models import Project
from registry.manifests import parse
from registry.references import Reference
from replication import actions, runs
from replication.models import Endpoint, Policy
from replication.rules import Rule
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.replication.served import served
from tests.stack.content import Pushable
from tokens.signing import key_folder
from tokens.upstream import registry as upstream


@pytest.fixture(scope="session", autouse=True)
def _token_keys() -> None:
    key_folder().prepare()


@dataclass
class Scene:
    """Haven with the registry `behind` it, and an endpoint `there`, a registry elsewhere."""

    cast: Cast
    behind: FakeRegistry
    there: FakeRegistry
    endpoint: Endpoint

    def push(self, repository: str, tag: str, image: Pushable) -> Artifact:
        """An image pushed to Haven, its events not heard."""
        project = Project.objects.get(name=repository.partition("/")[0])
        for blob in image.blobs:
            self.behind.add_blob(repository, blob.content)
        for child in image.children:
            self.push(repository, child.digest(), child)
        push = Push(Reference(repository, tag), image.digest(), parse(image.content, image.media_type))
        return record_push(SYSTEM, project, complete(upstream(), project.pk, push))

    def put_there(self, repository: str, tag: str, image: Pushable) -> None:
        """An image that the endpoint has."""
        for blob in image.blobs:
            self.there.add_blob(repository, blob.content)
        for child in image.children:
            self.put_there(repository, child.digest(), child)
        self.there.manifests[repository, image.digest()] = (image.media_type, image.content)
        if ":" not in tag:
            self.there.known_tags[repository, tag] = image.digest()

    def rule(self, by: User | None = None, project: Project | None = None, **fields: Any) -> Policy:
        """A rule that pushes to the endpoint unless `fields` say otherwise."""
        given = {"name": f"rule{Policy.objects.count()}", "target_id": self.endpoint.pk, **fields}
        return actions.create_policy((by or self.cast.admin).actor, Rule(**given), project)

    def pull_rule(self, by: User | None = None, project: Project | None = None, **fields: Any) -> Policy:
        return self.rule(by, project, target_id=0, source_id=self.endpoint.pk, **fields)

    def run(self, policy: Policy, by: User | None = None) -> Any:
        """A run of the rule, done to its end: its execution, with its status."""
        execution = runs.start((by or self.cast.admin).actor, policy)
        work(execution)
        return Execution.objects.with_status().get(pk=execution.pk)


def work(execution: Execution) -> None:
    """Do what waits of a run, as workers would."""
    while job := Job.objects.filter(execution=execution, status__in=("Pending", "Scheduled")).order_by("pk").first():
        before = job.attempts
        tasks.run(job.pk)
        job.refresh_from_db()
        assert job.attempts > before or job.status == "Stopped", f"{job} does not move"
        if job.status == "Scheduled":
            return


@pytest.fixture
def scene(cast: Cast, settings: Settings, tmp_path: Any) -> Iterator[Scene]:
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]
    settings.REPLICATION_SPOOL = tmp_path / "spool"
    with served() as behind, served() as there:
        settings.REGISTRY_URL = behind.url
        endpoint = Endpoint.objects.create(name="there", type="docker-registry", url=there.url)
        yield Scene(cast, behind, there, endpoint)
