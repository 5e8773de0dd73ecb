"""Rules, endpoints and a run on the stage of the API's tests; a call of each operation that needs no other server."""

from __future__ import annotations

from typing import Any

from accounts.actors import SYSTEM
from jobs import actions as jobs
from jobs.models import Execution
from replication import runs
from replication.models import COPY, Endpoint, Policy

SPEC = {
    "operation": "copy",
    "resource_type": "image",
    "source": "private/app",
    "target": "mirror/app",
    "tags": ["v1"],
    "digest": "",
}


def endpoint() -> Endpoint:
    """An endpoint that nobody spoke to, with a secret."""
    found = Endpoint.objects.filter(name="there").first()
    if found is None:
        found = Endpoint(name="there", type="harbor", url="https://there.test", access_key="robot", status="healthy")
        found.keep_secret("endpoint-canary")
        found.save()
    return found


def policy(**fields: Any) -> Policy:
    """A rule that pushes to it."""
    given = {"target": endpoint(), "dest_namespace": "mirror", "filters": [{"type": "name", "value": "private/**"}]}
    return Policy.objects.get_or_create(name="rule", defaults={**given, **fields})[0]


def run() -> Execution:
    """A run of the rule with one job that waits."""
    found = runs.runs_of(Policy.objects.all()).first()
    if found is None:
        found = runs.start(SYSTEM, policy())
        jobs.add_job(found, COPY, {**SPEC, "policy": policy().pk})
    return found


def names() -> dict[str, int]:
    """What the paths of `CALLS` may name."""
    execution = run()
    task = runs.jobs_of(execution).get()
    found = {"endpoint": endpoint().pk, "unused": unused().pk, "policy": policy().pk, "idle": idle()}
    return {**found, "run": execution.pk, "task": task.pk}


def unused() -> Endpoint:
    """An endpoint that no rule uses."""
    return Endpoint.objects.get_or_create(name="unused", defaults={"type": "harbor", "url": "https://unused.test"})[0]


def rule(**fields: Any) -> dict[str, Any]:
    """A rule as a client sends it."""
    return {"name": "new", "dest_registry": {"id": endpoint().pk}, "enabled": True, **fields}


def idle() -> int:
    """A rule without a run."""
    return Policy.objects.get_or_create(name="idle", defaults={"target": endpoint()})[0].pk


CALLS = {
    "listRegistries": "/registries",
    "getRegistry": "/registries/{endpoint}",
    "updateRegistry": "/registries/{endpoint}",
    "deleteRegistry": "/registries/{unused}",
    "getRegistryInfo": "/registries/{endpoint}/info",
    "listRegistryProviderTypes": "/replication/adapters",
    "listRegistryProviderInfos": "/replication/adapterinfos",
    "listReplicationPolicies": "/replication/policies",
    "createReplicationPolicy": "/replication/policies",
    "getReplicationPolicy": "/replication/policies/{policy}",
    "updateReplicationPolicy": "/replication/policies/{policy}",
    "deleteReplicationPolicy": "/replication/policies/{idle}",
    "listReplicationExecutions": "/replication/executions",
    "startReplication": "/replication/executions",
    "getReplicationExecution": "/replication/executions/{run}",
    "stopReplication": "/replication/executions/{run}",
    "listReplicationTasks": "/replication/executions/{run}/tasks",
    "getReplicationLog": "/replication/executions/{run}/tasks/{task}/log",
}
BODIES = {
    "updateRegistry": lambda stage: {"description": "new"},
    "createReplicationPolicy": lambda stage: rule(),
    "updateReplicationPolicy": lambda stage: rule(),
    "startReplication": lambda stage: {"policy_id": policy().pk},
}
ASKED = {"createRegistry": "/registries", "pingRegistry": "/registries/ping"}
"""Operations that speak to somebody else's server before they answer."""
BODIES |= {
    "createRegistry": lambda stage: {"name": "new", "type": "harbor", "url": "https://127.0.0.1:9"},
    "pingRegistry": lambda stage: {"type": "harbor", "url": "https://127.0.0.1:9"},
}
