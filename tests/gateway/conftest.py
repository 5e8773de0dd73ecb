from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client as DjangoClient
from pytest_django import Settings

from accounts.actors import ANONYMOUS, Actor
from accounts.models import User
from artifacts.models import Artifact, Repository
from audit.models import Entry
from projects.models import Quota
from tests.fakes.registry import FakeRegistry
from tests.stack import content
from tests.stack.content import Pushable
from tokens.scopes import Scope
from tokens.signing import key_folder, mint
from tokens.upstream import registry as upstream

ACTIONS = ("pull", "push", "delete")


@pytest.fixture(scope="session", autouse=True)
def _token_keys() -> None:
    key_folder().prepare()


@pytest.fixture
def registry(settings: Settings) -> Iterator[FakeRegistry]:
    """The registry behind the gateway, in a dictionary."""
    fake = FakeRegistry(url=f"https://{uuid.uuid4().hex}.test")
    settings.REGISTRY_URL = fake.url
    upstream().session.mount(fake.url, fake)
    yield fake


@dataclass(frozen=True)
class Door:
    """/v2/, as `actor` finds it with a token for exactly the repository and actions of each request."""

    actor: Actor
    actions: tuple[str, ...] = ACTIONS

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "",
        token: str | None = None,
        **headers: Any,
    ) -> Any:
        """The answer; `headers` as Django names them: `HTTP_RANGE`. An empty `token` sends none."""
        if token is None:
            token = self.token(path.partition("/manifests/")[0].partition("/blobs/")[0].partition("/tags/")[0])
        if token:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return DjangoClient(raise_request_exception=False).generic(method, f"/v2/{path}", body, content_type, **headers)

    def token(self, repository: str) -> str:
        repository = repository.partition("/referrers/")[0]
        return mint(self.actor, [Scope("repository", repository, frozenset(self.actions))], 300)

    def put(self, repository: str, reference: str, pushed: Pushable, **options: Any) -> Any:
        """The manifest alone."""
        return self("PUT", f"{repository}/manifests/{reference}", pushed.content, pushed.media_type, **options)

    def push(self, registry: FakeRegistry, repository: str, reference: str, pushed: Pushable) -> Any:
        """The manifest, after its blobs and children."""
        for blob in pushed.blobs:
            registry.add_blob(repository, blob.content)
        for child in pushed.children:
            answer = self.push(registry, repository, child.digest(pushed.algorithm), child)
            assert answer.status_code == 201, answer.content
        return self.put(repository, reference, pushed)

    def get(self, repository: str, reference: str, method: str = "GET", **options: Any) -> Any:
        return self(method, f"{repository}/manifests/{reference}", **options)


def door_of(user: User | None, *actions: str) -> Door:
    return Door(user.actor if user else ANONYMOUS, actions or ACTIONS)


IMAGE = content.image(text="a picture")
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


def nothing_happened(registry: FakeRegistry) -> None:
    assert registry.manifests == {}
    assert not registry.called("PUT")
    assert not Artifact.objects.exists()
    assert not Repository.objects.exists()
    assert not Entry.objects.exists()
    assert set(Quota.objects.values_list("used", flat=True)) <= {0}


def digest_of(artifact: Artifact | None) -> str:
    return artifact.digest if artifact else ""
