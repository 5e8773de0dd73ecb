"""Two Havens and a plain registry with a password, and what an administrator of the first does about them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.processes import wait_until
from tests.replication.plain import Plain
from tests.stack.stack import ADMIN_PASSWORD, Stack
from tests.stack.wire import Client

PLAIN_USER, PLAIN_PASSWORD = "robot", "Robots-Horse-9"
HTPASSWD = f"{PLAIN_USER}:$2b$04$Q0KZKCcYLAzqU63Oi3bk3u48RRv5evBB0CL.odcrcz6gxTxAHYwC2\n"
LOOPBACK = "127.0.0.0/8,::1"


@dataclass
class Replicas:
    """`here` has the rules; `there` and `plain` are its endpoints, by id in `endpoints`."""

    here: Stack
    there: Stack
    plain: Plain
    endpoints: dict[str, int] = field(default_factory=dict)

    def settle(self) -> Replicas:
        credential = {"access_key": "admin", "access_secret": ADMIN_PASSWORD}
        self.add("there", {"type": "harbor", "url": self.there.url, "credential": credential})
        credential = {"access_key": PLAIN_USER, "access_secret": PLAIN_PASSWORD}
        self.add("plain", {"type": "docker-registry", "url": self.plain.url, "credential": credential})
        return self

    def add(self, name: str, fields: dict[str, Any], expected: int = 201) -> Any:
        answer = self.api("POST", "/registries", {"name": name, **fields}, expected)
        if expected == 201:
            self.endpoints[name] = int(answer.location.rpartition("/")[2])
        return answer

    @property
    def password(self) -> str:
        """The administrators'."""
        return ADMIN_PASSWORD

    @property
    def admin(self) -> Client:
        return self.here.admin

    @property
    def admin_there(self) -> Client:
        return self.there.admin

    def tags_there(self, repository: str) -> list[str]:
        """The tags of a repository of `there`; none where it does not exist."""
        answer = self.admin_there("GET", f"/v2/{repository}/tags/list")
        return sorted(answer.json["tags"] or []) if answer.status == 200 else []

    def api(self, method: str, path: str, document: Any, expected: int) -> Any:
        answer = self.admin.api(method, path, document)
        assert answer.status == expected, answer
        return answer

    def push_rule(self, name: str, to: str = "there", **fields: Any) -> int:
        return self._rule({"name": name, "dest_registry": {"id": self.endpoints[to]}, "enabled": True, **fields})

    def pull_rule(self, name: str, of: str = "there", **fields: Any) -> int:
        return self._rule({"name": name, "src_registry": {"id": self.endpoints[of]}, "enabled": True, **fields})

    def _rule(self, document: dict[str, Any]) -> int:
        return int(self.api("POST", "/replication/policies", document, 201).location.rpartition("/")[2])

    def start(self, policy: int) -> int:
        started = self.api("POST", "/replication/executions", {"policy_id": policy}, 201)
        return int(started.location.rpartition("/")[2])

    def run(self, policy: int, seconds: float = 60) -> dict[str, Any]:
        """A run of the rule, ended."""
        return self.ended(self.start(policy), seconds)

    def succeeds(self, policy: int, seconds: float = 60) -> dict[str, Any]:
        """A run of the rule that ended well."""
        run = self.run(policy, seconds)
        assert run["status"] == "Succeed", self.tasks(run["id"])
        return run

    def fails(self, policy: int) -> str:
        """The log of the one job of a run, which failed for good at its first attempt."""
        run = self.run(policy, 30)
        [task] = self.tasks(run["id"])
        assert (run["status"], task["status"]) == ("Failed", "Failed"), task
        attempts = f"from jobs.models import Job\nanswer = Job.objects.get(pk={task['id']}).attempts"
        assert self.here.ask(attempts) == 1, task
        return self.log(run["id"], task["id"])

    def moved(self, run: dict[str, Any]) -> int:
        """The bytes that the run says it has moved."""
        return int(self.api("GET", f"/replication/executions/{run['id']}/progress", None, 200).json["bytes"])

    def ended(self, execution: int, seconds: float = 60) -> dict[str, Any]:
        wait_until(lambda: self.execution(execution)["status"] != "InProgress", f"run {execution}", seconds)
        return self.execution(execution)

    def execution(self, pk: int) -> dict[str, Any]:
        time.sleep(0.1)
        found: dict[str, Any] = self.api("GET", f"/replication/executions/{pk}", None, 200).json
        return found

    def tasks(self, execution: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api(
            "GET", f"/replication/executions/{execution}/tasks?page_size=100", None, 200
        ).json
        return found

    def log(self, execution: int, task: int) -> str:
        path = f"/replication/executions/{execution}/tasks/{task}/log"
        content: bytes = self.api("GET", path, None, 200).content
        return content.decode()

    def runs(self, policy: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", f"/replication/executions?policy_id={policy}", None, 200).json
        return found

    def next_run(self, policy: int, seconds: float = 60) -> dict[str, Any]:
        """The rule's next run that something else starts, ended."""
        known = {run["id"] for run in self.runs(policy)}
        wait_until(lambda: {run["id"] for run in self.runs(policy)} > known, f"a run of rule {policy}", seconds)
        [new] = [run for run in self.runs(policy) if run["id"] not in known][:1]
        return self.ended(new["id"], seconds)

    def forget(self, policy: int) -> None:
        """Delete the rule, once nothing runs for it."""
        path = f"/replication/policies/{policy}"
        wait_until(lambda: self.admin.api("DELETE", path).status == 200, f"the end of rule {policy}", 60)
