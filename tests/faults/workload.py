"""Clients that push and pull while something breaks, and what must be true when it is mended."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests import processes
from tests.stack import content
from tests.stack.content import Pushable
from tests.stack.people import People
from tests.stack.wire import Client

PUSHER = "developer"
PUSHERS = 3
PULLERS = ("guest", "maintainer")
"""One after another each of them pulls, so no two pulls of one of them share a microsecond."""


@dataclass
class Outcome:
    """What became of the pushes of one image: the answers' statuses, 0 for a connection that broke."""

    repository: str
    tag: str
    image: Pushable
    statuses: list[int] = field(default_factory=list)

    @property
    def landed(self) -> bool:
        return 201 in self.statuses


class Workload:
    """Three clients that push one new image after another, each until it lands, and two that pull one by its tag."""

    def __init__(self, people: People, name: str) -> None:
        self.people = people
        self.name = name
        self.outcomes: list[Outcome] = []
        self.pulls: list[int] = []
        self.stopping = threading.Event()
        self.trouble: list[BaseException] = []
        self.seed = content.image(text=f"{name} to pull")
        self.pulled = f"private/{name}-pulled"
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> Workload:
        assert self.people.client(PUSHER).push(self.pulled, "1", self.seed).status == 201
        pushing = [threading.Thread(target=self._push, args=(number,)) for number in range(PUSHERS)]
        self.threads = pushing + [threading.Thread(target=self._pull, args=(who,)) for who in PULLERS]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, pushes: int, seconds: float = 60) -> None:
        """Until so many more images have landed, and somebody pulled meanwhile."""
        goal = self.landed + pushes
        pulled = self.pulls.count(200)
        processes.wait_until(
            lambda: bool(self.trouble) or (self.landed >= goal and self.pulls.count(200) > pulled),
            f"{pushes} more pushes of {self.name}",
            seconds,
            self.people.stack.log_file,
        )

    @property
    def landed(self) -> int:
        return sum(outcome.landed for outcome in self.outcomes)

    def _push(self, number: int) -> None:
        for count in itertools.count():
            if self.stopping.is_set():
                return
            image = content.image(
                content.layer({"own": f"{self.name} {number} {count}".encode() * 200}),
                content.layer({"shared": b"the same in all" * 500}),
                text=f"{self.name} {number} {count}",
            )
            outcome = Outcome(f"private/{self.name}-{number}", f"t{count}", image)
            self.outcomes.append(outcome)
            while not outcome.landed and not self.stopping.is_set():
                outcome.statuses.append(self._once(partial(self._put, outcome), PUSHER))

    def _put(self, outcome: Outcome, client: Client) -> int:
        return client.push(outcome.repository, outcome.tag, outcome.image).status

    def _pull(self, who: str) -> None:
        while not self.stopping.is_set():
            self.pulls.append(self._once(self._get, who))

    def _get(self, client: Client) -> int:
        answer = client.pull(self.pulled, "1")
        assert answer.status != 200 or answer.content == self.seed.content, f"wrong bytes: {answer}"
        return answer.status

    def _once(self, act: Callable[[Client], int], who: str) -> int:
        """One try with a fresh connection. A broken one is 0; an answer that nobody may get is trouble."""
        client = self.people.client(who)
        client.timeout = 20
        try:
            status = act(client)
        except OSError:
            status = 0
        except AssertionError as error:
            if not str(error).startswith(("no token", "upload not started")):
                self.trouble.append(error)
                raise
            status = 0
        except Exception as error:
            if type(error).__module__ != "http.client":
                self.trouble.append(error)
                raise
            status = 0
        finally:
            client.close()
        if status == 0 or status >= 500:
            self.stopping.wait(0.1)
        return status


def assert_sound(workload: Workload) -> None:
    """Nothing that was promised is missing, nothing is recorded twice, and the invariants hold."""
    assert not workload.trouble, workload.trouble
    client = workload.people.client(PULLERS[0])
    finished = [outcome for outcome in workload.outcomes if outcome.landed]
    for outcome in finished:
        refused = [status for status in outcome.statuses if status not in (0, 201) and status < 500]
        assert not refused, f"{outcome.repository}:{outcome.tag} was refused: {outcome.statuses}"
        answer = client.pull(outcome.repository, outcome.tag)
        assert (answer.status, answer.content) == (200, outcome.image.content), f"{outcome.repository}: {answer}"
        for blob in outcome.image.blobs:
            got = client("GET", f"/v2/{outcome.repository}/blobs/{blob.digest()}")
            assert (got.status, got.content) == (200, blob.content), f"{outcome.repository}: {got}"
    assert_recorded(workload, finished)
    workload.people.stack.manage("fsck")


RECORDED = """
from artifacts.tasks import flush_pulls
from audit.models import Entry
flush_pulls()
rows = Entry.objects.filter(resource_type="artifact", resource__startswith={prefix!r})
answer = [[row.operation, row.resource, row.username + " at " + row.op_time.isoformat()] for row in rows]
"""


def recorded(workload: Workload) -> list[tuple[str, str, str]]:
    """Operation, resource, and who at which moment, of every entry about the workload's artifacts."""
    rows = workload.people.stack.ask(RECORDED.format(prefix=f"private/{workload.name}-"))
    return [(operation, resource, moment) for operation, resource, moment in rows]


def assert_recorded(workload: Workload, finished: list[Outcome]) -> None:
    """Each push that was accepted at the first try has one entry; each pull that was answered has one."""
    entries = recorded(workload)
    for outcome in finished:
        found = [
            resource
            for operation, resource, _ in entries
            if operation == "create"
            and resource.startswith(outcome.repository)
            and (outcome.image.digest() in resource or resource == f"{outcome.repository}:{outcome.tag}")
        ]
        assert len(found) == 1 or (len(outcome.statuses) > 1 and found), f"{outcome.tag}: {outcome.statuses} {found}"
    # Below, one was lost. Above, only so many are right: a request whose answer was lost, or that the edge answered for
    # a dead part, may have been counted before. An entry that is there twice carries the same person's moment twice.
    answered = workload.pulls.count(200)
    broken = len(workload.pulls) - answered
    moments = [
        at for operation, resource, at in entries if operation == "pull" and resource.startswith(workload.pulled)
    ]
    assert answered <= len(moments) <= answered + broken, f"{len(moments)} recorded of {workload.pulls}"
    assert len(set(moments)) == len(moments), f"recorded twice: {sorted(moments)}"
