"""Who may do what with rules. The system's are its administrators'; a project's are its own administrators' too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.actors import Actor, Permission
from accounts.errors import Denied
from accounts.permissions import refuse, system_allowed
from projects.models import Project
from projects.permissions import allowed, require
from replication.models import OWN_RULES, Endpoint, Policy


def require_policy(actor: Actor, action: str, policy: Policy) -> None:
    """Return if `actor` may do this with the rule: `read`, `update`, `delete`."""
    _require(actor, "replication-policy", action, policy.project)


def require_run(actor: Actor, action: str, policy: Policy) -> None:
    """Return if `actor` may do this with runs of the rule: `create` (also stop), `read`, `list`."""
    _require(actor, "replication", action, policy.project)


def require_project_rules(actor: Actor, project: Project) -> None:
    """Return if `actor` may make rules of `project`."""
    require(actor, OWN_RULES.resource, OWN_RULES.action, project)


def require_usable(actor: Actor, endpoint: Endpoint) -> None:
    """Return if a rule that `actor` saves may use the endpoint."""
    if not endpoint.shared and Permission("registry", "read") not in system_allowed(actor):
        raise Denied("this endpoint is not shared with project administrators")


def may_still_run(policy: Policy) -> str:
    """Why a project's rule may not run any more, in a sentence; empty where it may."""
    if policy.project is None:
        return ""
    if not policy.endpoint.shared and not (policy.owner and policy.owner.is_admin):
        return f"the endpoint {policy.endpoint.name} is no longer shared with project administrators"
    owner = policy.owner
    if owner is None or owner.deleted or not owner.is_active or OWN_RULES not in allowed(owner.actor, policy.project):
        return f"{policy.creator} no longer administers the project: one of its administrators has to save the rule"
    return ""


def may_still_do(policy: Policy, spec: Mapping[str, Any]) -> str:
    """Why a job of the rule may not be done any more, in a sentence; empty where it may. See `planning.copy_spec`.

    A job was planned for the rule as it was: once the rule's sides have been swapped, what was a name elsewhere would
    be one of ours, in anybody's project.
    """
    here = str(spec["source"] if policy.is_push else spec["target"])
    if policy.project is not None and here.partition("/")[0] != policy.project.name:
        return f"the rule has been changed, and {here} is not of its project"
    return may_still_run(policy)


def _require(actor: Actor, resource: str, action: str, project: Project | None) -> None:
    if Permission(resource, action) in system_allowed(actor):
        return
    if project is None:
        refuse(actor)
    require_project_rules(actor, project)
