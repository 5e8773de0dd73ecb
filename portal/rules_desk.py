"""Whose rules a page of replication is about: the system's administrators see all, a project's see its own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.actors import Permission, actor_of
from accounts.errors import NotFound
from accounts.permissions import require_system, system_allowed
from jobs.models import Execution, Job
from portal.finding import place
from projects.models import Project
from replication import runs
from replication.models import CHECKS, DRY_RUN, VERIFY, Endpoint, Policy, PolicyQuerySet
from replication.permissions import require_project_rules

SYSTEM_FRAME, PROJECT_FRAME = "portal/replication/system.html", "portal/projects/base.html"
MOST_ENDPOINTS = 500
"""Endpoints that a form offers."""


class Desk:
    """Where the reader stands: in front of all rules, or of a project's. Raises where they may not `action` there.

    `resource` is `replication-policy` for rules and `replication` for their runs.
    """

    def __init__(
        self, request: HttpRequest, project: str | None, action: str, resource: str = "replication-policy"
    ) -> None:
        self.project: Project | None = None
        if project is None:
            self.actor = actor_of(request)
            require_system(self.actor, resource, action)
            self.context: dict[str, Any] = {"frame": SYSTEM_FRAME}
        else:
            found = place(request, project)
            self.actor, self.project = found.actor, found.project
            require_project_rules(self.actor, found.project)
            self.context = {"frame": PROJECT_FRAME, "tab": "replication", **found.context}
        self.context |= {"desk": self}

    def may(self, resource: str, action: str) -> bool:
        """Whether the reader may this; a project's administrators may everything with its rules."""
        return self.project is not None or Permission(resource, action) in system_allowed(self.actor)

    @property
    def may_write(self) -> bool:
        """Whether the reader makes, changes and deletes rules."""
        return self.may("replication-policy", "update")

    @property
    def may_run(self) -> bool:
        """Whether the reader starts and stops runs."""
        return self.may("replication", "create")

    @property
    def policies(self) -> PolicyQuerySet:
        rows = Policy.objects.listed()
        return rows if self.project is None else rows.filter(project=self.project)

    def url(self, view: str, *arguments: int) -> str:
        """The page `view` among these rules: `rule`, `rule-run`."""
        if self.project is None:
            return reverse(f"portal:{view}", args=arguments)
        return reverse(f"portal:project-{view}", args=[self.project.name, *arguments])

    def policy(self, pk: int) -> Policy:
        """The rule of that id, if it is one of these."""
        row = self.policies.filter(pk=pk).first()
        if row is None:
            raise NotFound
        return row

    def run(self, policy: Policy, pk: int) -> Execution:
        """A run of this rule and of no other, with its status."""
        rows: Any = runs.runs_of(Policy.objects.filter(pk=policy.pk))
        return _found(rows.with_status().filter(pk=pk).first())

    def check(self, policy: Policy, pk: int) -> tuple[Execution, Job]:
        """A dry run or a verification of this rule, with its status, and its job."""
        rows: Any = runs.checks_of(policy)
        execution = _found(rows.with_status().filter(pk=pk, vendor_type=CHECKS).first())
        job = execution.jobs.filter(kind__in=(DRY_RUN, VERIFY)).first()
        if job is None:
            raise NotFound
        return execution, job

    def endpoints(self, policy: Policy | None = None) -> list[tuple[int, str]]:
        """The endpoints that a rule may have, and the one that `policy` has."""
        rows = Endpoint.objects.visible_to(self.actor).order_by("name").values_list("pk", "name")[:MOST_ENDPOINTS]
        found = list(rows)
        if policy is not None and policy.endpoint.pk not in dict(found):
            found.append((policy.endpoint.pk, policy.endpoint.name))
        return found


def _found(execution: Execution | None) -> Execution:
    if execution is None:
        raise NotFound
    return execution
