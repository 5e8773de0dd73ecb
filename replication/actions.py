"""What may be done with endpoints and rules. Authorize, one transaction, one audit entry. Runs are in `runs`.

An endpoint is spoken to before the transaction, never in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actors import Actor
from accounts.errors import BadRequest, Conflict, NotFound, PreconditionFailed
from accounts.permissions import require_system
from audit.actions import record
from jobs import schedules
from jobs.models import Execution
from projects.models import Project
from replication import endpoints
from replication.adapters import KINDS
from replication.endpoints import Address
from replication.models import CHECKS, PLAN, VENDOR, Endpoint, Policy
from replication.permissions import require_policy, require_project_rules
from replication.rules import Rule, checked

LONGEST_NAME = 64


@dataclass(frozen=True)
class Change:
    """What to change of an endpoint; None leaves it."""

    name: str | None = None
    description: str | None = None
    url: str | None = None
    credential_type: str | None = None
    access_key: str | None = None
    access_secret: str | None = None
    insecure: bool | None = None
    ca_certificate: str | None = None
    shared: bool | None = None


def create_endpoint(actor: Actor, *, name: str, type: str, url: str, change: Change | None = None) -> Endpoint:
    """A new endpoint. It is spoken to first: BadRequest with the reason where it cannot be used."""
    require_system(actor, "registry", "create")
    if type not in KINDS:
        raise BadRequest(f"there is no adapter for registries of the type {type[:32]!r}", "type")
    endpoint = Endpoint(type=type)
    _apply(endpoint, replace(change or Change(), name=name, url=url))
    if Endpoint.objects.filter(name=endpoint.name).exists():
        raise Conflict(f"registry {endpoint.name} already exists")
    _check_health(endpoint)
    try:
        with transaction.atomic():
            endpoint.save(force_insert=True)
            record(actor, "create", "registry", endpoint.name, url=endpoint.url)
    except IntegrityError:
        raise Conflict(f"registry {endpoint.name} already exists") from None
    return endpoint


def update_endpoint(actor: Actor, endpoint: Endpoint, change: Change) -> Endpoint:
    """Change what is given. Another address without a new secret forgets the old one: it was not meant for there."""
    require_system(actor, "registry", "update")
    wanted = _fresh(endpoint.pk)
    before = endpoints.address_of(wanted)
    _apply(wanted, change)
    if endpoints.address_of(wanted) != before:
        _check_health(wanted)
    try:
        with transaction.atomic():
            if not Endpoint.objects.select_for_update().filter(pk=wanted.pk, update_time=wanted.update_time).exists():
                raise Conflict("the registry has been changed meanwhile")
            wanted.save()
            record(actor, "update", "registry", wanted.name, url=wanted.url)
    except IntegrityError:
        raise Conflict(f"registry {wanted.name} already exists") from None
    return wanted


def delete_endpoint(actor: Actor, endpoint: Endpoint) -> None:
    """Delete an endpoint that no rule uses; PreconditionFailed otherwise."""
    require_system(actor, "registry", "delete")
    try:
        with transaction.atomic():
            current = Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
            if current is None:
                raise NotFound(f"registry {endpoint.pk} not found")
            record(actor, "delete", "registry", current.name)
            current.delete()
    except ProtectedError:
        raise PreconditionFailed("the registry is used by replication rules: delete these first") from None


def ping(actor: Actor, address: Address) -> None:
    """Return if a registry that need not be an endpoint can be used; BadRequest with the reason if not."""
    require_system(actor, "registry", "read")
    url = endpoints.parse_url(address.url)
    endpoints.check_address(url)
    certificate = endpoints.parse_certificate(address.ca_certificate)
    _refuse_unhealthy(replace(address, url=url, ca_certificate=certificate))


def keep_health(endpoint: Endpoint, problem: str, when: datetime) -> None:
    """Write down what a look at the endpoint found, unless it has been changed since; nobody did this, so no entry."""
    status = Endpoint.Status.UNHEALTHY if problem else Endpoint.Status.HEALTHY
    unchanged = Endpoint.objects.filter(pk=endpoint.pk, update_time=endpoint.update_time)
    unchanged.update(status=status, problem=problem[:512], checked_at=when)


def create_policy(actor: Actor, rule: Rule, project: Project | None = None) -> Policy:
    """A new rule: the system's, or `project`'s own."""
    if project is None:
        require_system(actor, "replication-policy", "create")
    else:
        require_project_rules(actor, project)
    policy = Policy(project=project, creator=actor.name, owner_id=actor.user_id, **checked(actor, rule, project))
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
            _schedule(policy)
            record(actor, "create", "replication-policy", policy.name, project=project)
    except IntegrityError:
        raise Conflict(f"replication policy {policy.name} already exists") from None
    return policy


def update_policy(actor: Actor, policy: Policy, rule: Rule) -> Policy:
    """The rule as `rule` says, everything of it; runs under way go on as they were planned."""
    require_policy(actor, "update", policy)
    columns = checked(actor, rule, policy.project)
    try:
        with transaction.atomic():
            current = _locked(policy)
            for name, value in columns.items():
                setattr(current, name, value)
            if current.project_id:
                current.owner_id, current.creator = actor.user_id, actor.name
            current.save()
            _schedule(current)
            record(actor, "update", "replication-policy", current.name, project=current.project)
    except IntegrityError:
        raise Conflict(f"replication policy {rule.name} already exists") from None
    return current


def delete_policy(actor: Actor, policy: Policy) -> None:
    """Delete a rule that nothing runs for. What its runs were is forgotten by and by."""
    require_policy(actor, "delete", policy)
    with transaction.atomic():
        current = _locked(policy)
        runs = Execution.objects.filter(vendor_type__in=(VENDOR, CHECKS), vendor_id=current.pk)
        if runs.unfinished().exists():
            raise PreconditionFailed("the replication policy has a run in progress: stop it first")
        schedules.remove_schedule(VENDOR, current.pk)
        record(actor, "delete", "replication-policy", current.name, project=current.project)
        current.delete()


def _schedule(policy: Policy) -> None:
    if policy.enabled and policy.trigger == Policy.Trigger.SCHEDULED:
        schedules.set_schedule(VENDOR, PLAN, policy.cron, vendor_id=policy.pk, spec={"policy": policy.pk})
    else:
        schedules.remove_schedule(VENDOR, policy.pk)


def _locked(policy: Policy) -> Policy:
    rows = Policy.objects.select_for_update(of=("self",)).select_related("project")
    current = rows.filter(pk=policy.pk).first()
    if current is None:
        raise NotFound(f"replication policy {policy.pk} not found")
    return current


def _fresh(pk: int) -> Endpoint:
    endpoint = Endpoint.objects.filter(pk=pk).first()
    if endpoint is None:
        raise NotFound(f"registry {pk} not found")
    return endpoint


def _apply(endpoint: Endpoint, change: Change) -> None:
    """Put what is given into the row, checked; nothing is saved."""
    if change.name is not None:
        if not change.name.strip() or len(change.name) > LONGEST_NAME or "\0" in change.name:
            raise BadRequest(f"a registry has a name of at most {LONGEST_NAME} characters", "name")
        endpoint.name = change.name
    if change.url is not None:
        url = endpoints.parse_url(change.url)
        if endpoint.url and url != endpoint.url:
            endpoint.keep_secret("")
        endpoint.url = url
    if change.description is not None:
        endpoint.description = _fitting(change.description, 1024, "description")
    if change.credential_type is not None:
        endpoint.credential_type = _fitting(change.credential_type, 16, "credential_type")
    if change.access_key is not None:
        endpoint.access_key = _fitting(change.access_key, 255, "access_key")
    if change.access_secret is not None:
        endpoint.keep_secret(_fitting(change.access_secret, 16_384, "access_secret"))
    if change.insecure is not None:
        endpoint.insecure = change.insecure
    if change.ca_certificate is not None:
        endpoint.ca_certificate = endpoints.parse_certificate(change.ca_certificate)
    if change.shared is not None:
        endpoint.shared = change.shared


def _fitting(text: str, longest: int, field: str) -> str:
    if len(text) > longest or "\0" in text:
        raise BadRequest(f"this text has at most {longest} characters", field)
    return text


def _check_health(endpoint: Endpoint) -> None:
    """Speak to the endpoint as it would be; BadRequest where it cannot be used, else the row says it is healthy."""
    endpoints.check_address(endpoint.url)
    _refuse_unhealthy(endpoints.address_of(endpoint))
    endpoint.status, endpoint.problem = Endpoint.Status.HEALTHY, ""
    endpoint.checked_at = timezone.now()


def _refuse_unhealthy(address: Address) -> None:
    if problem := endpoints.look(endpoints.new_adapter(address)):
        raise BadRequest(f"the registry is unhealthy: {problem}")
