"""Haven's own operations, which Harbor does not have: a call of each, and what it requires.

`RULES` are Harbor's operations on replication rules and their runs, and ours, asked of a rule that a project owns: its
administrators may what else takes a right of the system.
"""

from __future__ import annotations

import re
from typing import Any

from jobs import actions as jobs
from jobs.models import Job
from replication import models, runs
from tests.api import replication
from tests.api.calls import GRANT, Call, body
from tests.api.conftest import Stage

OLD_GRANT = {"resource": "/project/1/repository", "action": "pull"}
ROBOTS = "/projects/private/robots"
RULE, RUN = "/replication/policies/{policy}", "/replication/executions/{run}"
CHECK = f"{RULE}/checks/{{check}}"
READS_RULE = "system replication-policy:read"
TABLE: dict[str, tuple[str, Call]] = {
    "getOpenAPI": ("anybody", Call("/openapi.json")),
    "ListProjectRobots": ("project robot:list", Call(ROBOTS)),
    "CreateProjectRobot": (
        "project robot:create and project repository:pull",
        Call(ROBOTS, body({"name": "new", "expires_at": -1, "access": [OLD_GRANT]})),
    ),
    "GetProjectRobot": ("project robot:read", Call(f"{ROBOTS}/{{robot}}")),
    "UpdateProjectRobot": (
        "project robot:update",
        Call(f"{ROBOTS}/{{robot}}", body({"name": "ci", "level": "project", "duration": -1, "permissions": [GRANT]})),
    ),
    "DeleteProjectRobot": ("project robot:delete", Call(f"{ROBOTS}/{{robot}}")),
    "getRegistrySharing": ("system registry:read", Call("/registries/{endpoint}/sharing")),
    "updateRegistrySharing": ("system registry:update", Call("/registries/{endpoint}/sharing", body({"shared": True}))),
    "listProjectReplicationRegistries": (
        "somebody and project project:update",
        Call("/projects/private/replication/registries"),
    ),
    "listProjectReplicationPolicies": (
        "somebody and project project:update",
        Call("/projects/private/replication/policies"),
    ),
    "createProjectReplicationPolicy": (
        "somebody and project project:update",
        Call("/projects/private/replication/policies", lambda stage: replication.rule()),
    ),
    "dryRunReplication": (f"{READS_RULE} and system replication:create", Call(f"{RULE}/dry-run")),
    "verifyReplication": (f"{READS_RULE} and system replication:create", Call(f"{RULE}/verify")),
    "listReplicationChecks": (f"{READS_RULE} and system replication:list", Call(f"{RULE}/checks")),
    "getReplicationCheck": (f"{READS_RULE} and system replication:read", Call(CHECK)),
    "stopReplicationCheck": (f"{READS_RULE} and system replication:create", Call(CHECK)),
    "listReplicationFindings": (f"{READS_RULE} and system replication:read", Call(f"{CHECK}/findings")),
    "repairReplication": (f"{READS_RULE} and system replication:create", Call(f"{CHECK}/repair")),
    "getReplicationProgress": ("system replication:read", Call(f"{RUN}/progress")),
    "retryReplication": ("system replication:create", Call(f"{RUN}/retry")),
}
"""Each operation: what it requires, and a call of it that is refused for nothing else."""
HARBORS_RULES = (
    "getReplicationPolicy",
    "updateReplicationPolicy",
    "getReplicationExecution",
    "stopReplication",
    "listReplicationTasks",
    "getReplicationLog",
)
OF_RULES = {
    "deleteReplicationPolicy": Call(RULE),
    "listReplicationExecutions": Call("/replication/executions?policy_id={policy}"),
    "startReplication": Call("/replication/executions", lambda stage: {"policy_id": of_project(stage).pk}),
}
"""Where the call must name the rule otherwise than that of a rule of the system."""


def rules(checks: dict[str, str], calls: dict[str, Call]) -> dict[str, tuple[str, Call]]:
    """The operations on one rule, given what they require of a rule of the system; asked of a project's."""
    asked = {name: calls[name] for name in HARBORS_RULES} | OF_RULES
    asked |= {name: call for name, (_, call) in TABLE.items() if RULE in call.path or RUN in call.path}
    either = r"\g<0> or project project:update"
    return {name: (re.sub(r"system replication[\w:-]+", either, checks[name]), call) for name, call in asked.items()}


def of_system(stage: Stage) -> models.Policy:
    """A rule of the system, to an endpoint that is shared."""
    of_project(stage)
    return replication.policy()


def of_project(stage: Stage) -> models.Policy:
    """A rule of alice's, for `private`, to an endpoint that is shared."""
    models.Endpoint.objects.filter(pk=replication.endpoint().pk).update(shared=True)
    given = {"target": replication.endpoint(), "project": stage.cast.private, "owner": stage.cast.alice}
    return models.Policy.objects.get_or_create(name="own", defaults=given)[0]


def names(policy: models.Policy, stage: Stage) -> dict[str, int]:
    """What the paths of `TABLE` and of the rules' operations may name: `policy`, a run, a check and a job of it."""
    actor = stage.cast.admin.actor
    run, check = runs.start(actor, policy), runs.verify(actor, policy)
    spec = {**replication.SPEC, "policy": policy.pk}
    task = jobs.add_job(run, models.COPY, spec)
    Job.objects.filter(pk=task.pk).update(status="Error")
    # Nothing waits any more, so that the rule can be deleted.
    Job.objects.filter(execution__in=(run, check), status="Pending").update(status="Success")
    models.Finding.objects.create(job=check.jobs.get(), source="private/app:v1", target="x:v1", state="missing")
    found: dict[str, Any] = {"policy": policy.pk, "run": run.pk, "check": check.pk, "task": task.pk}
    return {**found, "endpoint": replication.endpoint().pk, "robot": stage.robot.pk}
