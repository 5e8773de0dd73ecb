"""The two sides of a rule, opened for one user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from registry.client import Registry, StoredBlob
from registry.errors import RegistryError
from registry.manifests import Descriptor
from registry.references import Reference
from replication import local
from replication.adapters import KINDS, Adapter, Found
from replication.adapters.base import ANY_DEPTH, AT_LEAST_TWO
from replication.endpoints import connected, sentence
from replication.models import Policy
from replication.naming import destination


class Impossible(Exception):
    """A job cannot be done, now or later; the message is for people."""

    temporary = False


class Failed(Exception):
    """A job failed for what a registry said; its words are for people. `temporary` is the registry's word, too."""

    def __init__(self, error: RegistryError) -> None:
        super().__init__(sentence(error))
        self.temporary = error.temporary
        self.retry_after = error.retry_after


@dataclass(frozen=True)
class Sides:
    """Where a rule reads and where it writes. One of the adapters is None: Haven itself."""

    policy: Policy
    source: Registry
    target: Registry
    source_adapter: Adapter | None
    target_adapter: Adapter | None

    def name_at_target(self, repository: str) -> str:
        """What `repository` is called there. Raises NameUnfit."""
        return name_at_target(self.policy, repository)

    def target_for(self, repository: str) -> Registry:
        """The target for who only looks: where there is no place for `repository` yet, one that has nothing."""
        if self.target_adapter and not self.target_adapter.has_place_for(repository):
            return Empty(self.target.base_url, self.target.session)
        return self.target

    def prepare(self, repository: str, public: bool) -> None:
        """See to it that the target's repository can be pushed to."""
        if self.target_adapter:
            self.target_adapter.prepare(repository, public)
        else:
            local.prepare(repository)


class Empty(Registry):
    """A registry that holds nothing."""

    def head_manifest(self, reference: Reference) -> Descriptor | None:
        return None

    def head_blob(self, repository: str, digest: str) -> StoredBlob | None:
        return None

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
        return ()

    def tags(self, repository: str) -> Iterator[str]:
        return iter(())


@contextmanager
def opened(policy: Policy) -> Iterator[Sides]:
    """Both sides of `policy`, with sessions that nobody else uses meanwhile."""
    with ExitStack() as stack:
        adapter = stack.enter_context(connected(policy.endpoint))
        ours = stack.enter_context(local.opened())
        if policy.is_push:
            yield Sides(policy, ours, adapter.registry, None, adapter)
        else:
            yield Sides(policy, adapter.registry, ours, adapter, None)


def name_at_target(policy: Policy, repository: str) -> str:
    """What `repository` is called at the target of `policy`. Raises NameUnfit."""
    kind = KINDS.get(policy.target.type) if policy.target else None
    depth = kind.info.path_components if kind else AT_LEAST_TWO if policy.target is None else ANY_DEPTH
    return destination(repository, policy.dest_namespace, policy.replace_count, depth)


def policy_of(pk: int) -> Policy:
    """The rule with its endpoints, its project and its owner. Raises Impossible where it is gone."""
    rows = Policy.objects.select_related("source", "target", "project", "owner")
    policy = rows.filter(pk=pk).first()
    if policy is None:
        raise Impossible("the rule has been deleted")
    return policy


def reference(repository: str, found: Found) -> str:
    """`repository:1.27,latest`, or `repository@sha256:...` for what has no tag: for people."""
    return f"{repository}:{','.join(found.tags)}" if found.tags else f"{repository}@{found.digest}"
