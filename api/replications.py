"""Replication rules, their runs and the jobs of these: Harbor's operations, and ours beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, Permission
from accounts.errors import NotFound
from accounts.permissions import require_system, system_allowed
from api import parameters, query
from api.operations import LISTED, operation
from api.paging import Listing
from api.registries import Registry, SharedRegistry, facts_of
from api.shapes import Anything, Flag, ListOf, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, created, done, project_of
from replication import actions, models
from replication.permissions import require_policy, require_project_rules
from replication.rules import Rule


class ReplicationTriggerSettings(Shape):
    cron = Text()


class ReplicationTrigger(Shape):
    type = Text()
    trigger_settings = ReplicationTriggerSettings()


class ReplicationFilter(Shape):
    type = Text()
    value = Anything()
    decoration = Text()


class ReplicationPolicy(Shape):
    id = Number()
    name = Text()
    description = Text()
    src_registry = Registry()
    dest_registry = Registry()
    dest_namespace = Text()
    dest_namespace_replace_count = Number(nullable=True)
    trigger = ReplicationTrigger()
    filters = ListOf(ReplicationFilter())
    replicate_deletion = Flag()
    deletion = Flag()
    override = Flag()
    enabled = Flag()
    creation_time = Moment()
    update_time = Moment()
    speed = Number(nullable=True)
    copy_by_chunk = Flag(nullable=True)
    single_active_replication = Flag(nullable=True)


POLICIES = Listing(
    default=("-creation_time", "-pk"),
    filters={
        "id": query.number("id"),
        "name": query.text("name"),
        "description": query.text("description"),
        "enabled": query.flag("enabled"),
        "creator": query.text("creator"),
        "dest_namespace": query.text("dest_namespace"),
        "src_registry_id": query.number("source"),
        "dest_registry_id": query.number("target"),
        "override": query.flag("override"),
        **dict.fromkeys(("replicate_deletion", "deletion"), query.flag("deletion")),
        "trigger": query.text("trigger"),
        "speed": query.number("speed"),
        "copy_by_chunk": query.flag("copy_by_chunk"),
        "creation_time": query.when("creation_time"),
        "update_time": query.when("update_time"),
    },
    sorts={name: name for name in ("id", "name", "enabled", "creation_time", "update_time")},
)


def show_policy(policy: models.Policy, actor: Actor) -> dict[str, Any]:
    """`policy` in Harbor's words, for `actor`; the side without an endpoint is Haven itself."""
    return ReplicationPolicy.of(
        {
            "id": policy.pk,
            "name": policy.name,
            "description": policy.description,
            "src_registry": side(policy.source, actor),
            "dest_registry": side(policy.target, actor),
            "dest_namespace": policy.dest_namespace,
            "dest_namespace_replace_count": policy.replace_count,
            "trigger": trigger_of(policy),
            "filters": policy.filters or None,
            "replicate_deletion": policy.deletion,
            "deletion": policy.deletion,
            "override": policy.override,
            "enabled": policy.enabled,
            "creation_time": policy.creation_time,
            "update_time": policy.update_time,
            "speed": policy.speed,
            "copy_by_chunk": policy.copy_by_chunk,
            "single_active_replication": policy.single_active,
        }
    )


def side(endpoint: models.Endpoint | None, actor: Actor) -> dict[str, Any]:
    """An endpoint as `actor` may see it: how Haven signs in there is not for those who only use it."""
    if endpoint is None or Permission("registry", "read") in system_allowed(actor):
        return facts_of(endpoint)
    return SharedRegistry.of(endpoint)


def trigger_of(policy: models.Policy) -> dict[str, Any]:
    settings = {"cron": policy.cron} if policy.cron else None
    return {"type": policy.trigger, "trigger_settings": settings}


def rule_in(asked: Mapping[str, Any]) -> Rule:
    """The rule that a body means. Of the two words for deletion only `deletion` counts, as in Harbor."""
    trigger = asked.get("trigger") or {}
    return Rule(
        name=asked.get("name", ""),
        description=asked.get("description", ""),
        source_id=(asked.get("src_registry") or {}).get("id", 0),
        target_id=(asked.get("dest_registry") or {}).get("id", 0),
        dest_namespace=asked.get("dest_namespace", ""),
        replace_count=asked.get("dest_namespace_replace_count", -1),
        filters=asked.get("filters") or (),
        trigger=trigger.get("type", "") or models.Policy.Trigger.MANUAL,
        cron=(trigger.get("trigger_settings") or {}).get("cron", ""),
        deletion=asked.get("deletion", False),
        override=asked.get("override", False),
        enabled=asked.get("enabled", False),
        speed=asked.get("speed", 0),
        copy_by_chunk=asked.get("copy_by_chunk", False),
        single_active=asked.get("single_active_replication", False),
    )


def policy_of(request: Request, pk: int, action: str) -> models.Policy:
    """The rule of that id, for who may do this with it. Others cannot tell whether there is one."""
    actor = authenticated(request)
    policy = models.Policy.objects.listed().filter(pk=pk).first()
    if policy is None:
        require_system(actor, "replication-policy", action)
        raise NotFound(f"replication policy {pk} not found")
    require_policy(actor, action, policy)
    return policy


def show_all(actor: Actor, policies: Iterable[models.Policy]) -> list[dict[str, Any]]:
    return [show_policy(policy, actor) for policy in policies]


class Policies(Endpoint):
    @operation("listReplicationPolicies", [ReplicationPolicy], query={**LISTED, "name": Text()})
    def get(self, request: Request) -> Response:
        actor = authenticated(request)
        require_system(actor, "replication-policy", "list")
        rows = models.Policy.objects.all()
        if name := parameters.text(request, "name"):
            rows = rows.search(name)
        return POLICIES.answer(request, rows, partial(show_all, actor), lambda rows: rows.listed())

    @operation("createReplicationPolicy", status=201, body=ReplicationPolicy, errors=(409,))
    def post(self, request: Request) -> Response:
        asked = ReplicationPolicy.read(request, "policy")
        actor = authenticated(request)
        require_system(actor, "replication-policy", "create")
        policy = actions.create_policy(actor, rule_in(asked))
        return created(request, policy.pk)


class OnePolicy(Endpoint):
    @operation("getReplicationPolicy", ReplicationPolicy)
    def get(self, request: Request, id: str) -> Response:
        policy = policy_of(request, parameters.integer(id, "id"), "read")
        return Response(show_policy(policy, authenticated(request)))

    @operation("updateReplicationPolicy", body=ReplicationPolicy, errors=(409,))
    def put(self, request: Request, id: str) -> Response:
        asked = ReplicationPolicy.read(request, "policy")
        policy = policy_of(request, parameters.integer(id, "id"), "update")
        actions.update_policy(authenticated(request), policy, rule_in(asked))
        return done()

    @operation("deleteReplicationPolicy", errors=(412,))
    def delete(self, request: Request, id: str) -> Response:
        policy = policy_of(request, parameters.integer(id, "id"), "delete")
        actions.delete_policy(authenticated(request), policy)
        return done()


class ProjectPolicies(Endpoint):
    """Ours: the rules of a project, for its administrators."""

    @operation("listProjectReplicationPolicies", [ReplicationPolicy], query=LISTED)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        project = project_of(request, project_name_or_id, "project", "update")
        actor = authenticated(request)
        require_project_rules(actor, project)
        rows = models.Policy.objects.filter(project=project)
        return POLICIES.answer(request, rows, partial(show_all, actor), lambda rows: rows.listed())

    @operation("createProjectReplicationPolicy", status=201, body=ReplicationPolicy, errors=(409,))
    def post(self, request: Request, project_name_or_id: str) -> Response:
        asked = ReplicationPolicy.read(request, "policy")
        project = project_of(request, project_name_or_id, "project", "update")
        policy = actions.create_policy(authenticated(request), rule_in(asked), project)
        return Response(status=201, headers={"Location": f"/api/v2.0/replication/policies/{policy.pk}"})


routes = [
    path("replication/policies", Policies.as_view()),
    path("replication/policies/<id>", OnePolicy.as_view()),
    path("projects/<project_name_or_id>/replication/policies", ProjectPolicies.as_view()),
]
