"""What a rule that is not kept yet would match: the first artifacts, looked for a short while."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from accounts.actors import Actor
from accounts.errors import BadRequest
from accounts.permissions import require_system
from projects.models import Project
from registry.errors import RegistryError
from replication import selecting
from replication.endpoints import connected, sentence
from replication.filters import Filters
from replication.models import Policy
from replication.naming import NameUnfit
from replication.permissions import require_project_rules
from replication.rules import Rule, checked
from replication.selecting import Candidate
from replication.sides import name_at_target, reference

MOST = 20
"""Artifacts shown."""
PATIENCE = 5.0
"""Seconds after which a look ends with what it has found."""


@dataclass(frozen=True)
class Shown:
    """An artifact that matches, what it would be called at the target, or why it cannot be copied."""

    source: str
    target: str
    problem: str = ""


@dataclass
class Preview:
    """The first artifacts that a rule matches."""

    shown: list[Shown] = field(default_factory=list)
    more: bool = False
    """There are others."""
    cut: bool = False
    """The look ended before everything was seen."""


class _Enough(Exception):
    """The look has lasted long enough."""


def preview(actor: Actor, rule: Rule, project: Project | None = None) -> Preview:
    """What `rule` matches now, for who may make it. BadRequest for what is no rule, or cannot be looked at."""
    if project is None:
        require_system(actor, "replication-policy", "create")
    else:
        require_project_rules(actor, project)
    policy = Policy(project=project, **checked(actor, rule, project))
    found = Preview()
    try:
        with closing(_candidates(policy)) as candidates:
            for candidate in islice(candidates, MOST):
                found.shown.append(_shown(policy, candidate))
            found.more = len(found.shown) == MOST and next(candidates, None) is not None
    except _Enough:
        found.cut = True
    except RegistryError as error:
        raise BadRequest(f"the registry is unhealthy: {sentence(error)}") from error
    return found


def _candidates(policy: Policy) -> Generator[Candidate, None, None]:
    end = time.monotonic() + PATIENCE

    def check() -> None:
        if time.monotonic() > end:
            raise _Enough

    filters = Filters.of(policy.filters)
    if policy.is_push:
        yield from selecting.of_haven(filters, policy.project, check)
        return
    with connected(policy.endpoint) as adapter:
        yield from selecting.of_endpoint(adapter, filters, check)


def _shown(policy: Policy, candidate: Candidate) -> Shown:
    found = candidate.found
    source = reference(found.repository, found)
    try:
        return Shown(source, reference(name_at_target(policy, found.repository), found))
    except NameUnfit as error:
        return Shown(source, "", str(error))
