"""A rule as somebody wrote it, read strictly: what is kept has been checked, so no run fails for how it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.actors import Actor
from accounts.errors import BadRequest
from jobs.cron import CronInvalid, next_after
from projects.models import Project
from registry.references import is_name
from replication import filters
from replication.adapters import KINDS
from replication.models import Endpoint, Policy
from replication.naming import MOST_LEVELS
from replication.permissions import require_usable

LONGEST_NAME = 256
FASTEST = 2**31 - 1


@dataclass(frozen=True)
class Rule:
    """What a person wants of a rule. Ids of endpoints; 0 is Haven itself."""

    name: str
    description: str = ""
    source_id: int = 0
    target_id: int = 0
    dest_namespace: str = ""
    replace_count: int = -1
    filters: Sequence[Mapping[str, Any]] = ()
    trigger: str = Policy.Trigger.MANUAL
    cron: str = ""
    deletion: bool = False
    override: bool = False
    enabled: bool = True
    speed: int = 0
    copy_by_chunk: bool = False
    single_active: bool = False


def checked(actor: Actor, rule: Rule, project: Project | None) -> dict[str, Any]:
    """The columns of a `Policy` that `rule` makes. Raises BadRequest with the field that is wrong."""
    endpoint, push = _endpoint(rule)
    source, target = (None, endpoint) if push else (endpoint, None)
    if project is not None:
        require_usable(actor, endpoint)
    _check_texts(rule)
    _check_trigger(rule, push)
    _check_namespace(rule)
    parsed = filters.parse(rule.filters)
    _check_supported(parsed, source)
    if project is not None and not push and rule.dest_namespace.partition("/")[0] != project.name:
        raise BadRequest(f"a rule of this project pulls into the namespace {project.name}", "dest_namespace")
    if not -1 <= rule.replace_count <= MOST_LEVELS:
        raise BadRequest(f"the flattening level is -1 to {MOST_LEVELS}", "dest_namespace_replace_count")
    if rule.speed > FASTEST:
        raise BadRequest("the speed is too large", "speed")
    return {
        "name": rule.name,
        "description": rule.description,
        "source": source,
        "target": target,
        "dest_namespace": rule.dest_namespace,
        "replace_count": rule.replace_count,
        "filters": parsed,
        "trigger": rule.trigger or Policy.Trigger.MANUAL,
        "cron": rule.cron if rule.trigger == Policy.Trigger.SCHEDULED else "",
        "deletion": rule.deletion,
        "override": rule.override,
        "enabled": rule.enabled,
        "speed": max(rule.speed, 0),
        "copy_by_chunk": rule.copy_by_chunk,
        "single_active": rule.single_active,
    }


def _endpoint(rule: Rule) -> tuple[Endpoint, bool]:
    """The side that is not Haven, and whether the rule pushes there."""
    if bool(rule.source_id) == bool(rule.target_id):
        raise BadRequest(
            "either src_registry or dest_registry should be empty and the other one shouldn't be empty", "src_registry"
        )
    pk = rule.source_id or rule.target_id
    endpoint = Endpoint.objects.filter(pk=pk).first()
    if endpoint is None:
        raise BadRequest(f"registry {pk} not found", "src_registry" if rule.source_id else "dest_registry")
    return endpoint, not rule.source_id


def _check_texts(rule: Rule) -> None:
    if not rule.name.strip() or len(rule.name) > LONGEST_NAME:
        raise BadRequest(f"a rule has a name of at most {LONGEST_NAME} characters", "name")
    if len(rule.description) > 1024:
        raise BadRequest("the description has at most 1024 characters", "description")
    if "\0" in rule.name + rule.description:
        raise BadRequest("the text holds characters that are not allowed", "name")


def _check_namespace(rule: Rule) -> None:
    if rule.dest_namespace and not is_name(rule.dest_namespace):
        raise BadRequest(f"invalid destination namespace: {rule.dest_namespace[:255]}", "dest_namespace")


def _check_trigger(rule: Rule, push: bool) -> None:
    if rule.trigger and rule.trigger not in Policy.Trigger.values:
        raise BadRequest("invalid trigger type", "trigger")
    if rule.trigger == Policy.Trigger.EVENT:
        if not push:
            raise BadRequest("only a rule that pushes can follow events: those of other registries are not heard here")
        if rule.single_active:
            raise BadRequest("a single active replication cannot be event based: events would be lost")
    if rule.trigger == Policy.Trigger.SCHEDULED:
        check_cron(rule.cron)


def check_cron(cron: str) -> None:
    """Return for a cron string that a rule may have. Raises BadRequest."""
    if not cron:
        raise BadRequest("the cron string cannot be empty when the trigger type is scheduled", "trigger")
    try:
        next_after(cron, datetime.now(UTC))
    except CronInvalid as error:
        raise BadRequest(f"invalid cron string for scheduled trigger: {error}", "trigger") from None
    if cron.split()[1] == "*":
        raise BadRequest(
            "a rule runs at certain minutes of the hour: in its cron string the minute cannot be *", "trigger"
        )


def _check_supported(parsed: Sequence[Mapping[str, Any]], source: Endpoint | None) -> None:
    """Return if the source can tell what the filters ask for; Haven itself can tell everything."""
    if source is None or source.type not in KINDS:
        return
    for entry in parsed:
        is_everything = entry["type"] == "resource" and entry["value"] in (*filters.EVERY_RESOURCE, "image")
        if entry["type"] not in KINDS[source.type].info.filters and not is_everything:
            raise BadRequest(f"registries of the type {source.type} cannot be filtered by {entry['type']}", "filters")
