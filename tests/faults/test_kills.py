"""kill -9 of each part during pushes and pulls: errors are allowed, losses are not."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from tests.faults.workload import Workload, assert_sound
from tests.stack.fixtures import MakeStack
from tests.stack.people import People, settle
from tests.stack.stack import NAMES

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def people(make_stack: MakeStack) -> Iterator[People]:
    """A stack that may be broken, settled."""
    stack = make_stack()
    yield settle(stack.start())
    stack.remove()


@pytest.mark.parametrize("name", NAMES)
def test_kill_one(people: People, name: str) -> None:
    with Workload(people, f"kill-{name}") as workload:
        workload.wait_for(3)
        people.stack.kill(name)
        people.stack.revive()
        workload.wait_for(3)

    assert_sound(workload)


def test_kill_a_child_of_web(people: People) -> None:
    """One of gunicorn's workers."""
    with Workload(people, "kill-web-child") as workload:
        workload.wait_for(3)
        os.kill(people.stack.pids("web")[-1], signal.SIGKILL)
        workload.wait_for(5)

    assert_sound(workload)


def test_kill_everything(people: People) -> None:
    stack = people.stack
    with Workload(people, "kill-all") as workload:
        workload.wait_for(3)
        for pid, _ in stack.processes():
            with contextlib.suppress(ProcessLookupError):  # it ended with its parent
                os.kill(pid, signal.SIGKILL)
        assert stack.process
        stack.process.wait(10)
        stack.start()
        workload.wait_for(3)

    assert_sound(workload)


@pytest.mark.parametrize("name", ["web", "registry", "edge"])
def test_restart_gracefully(people: People, name: str) -> None:
    """SIGTERM and a restart lose nothing either."""
    with Workload(people, f"term-{name}") as workload:
        workload.wait_for(3)
        people.stack.kill(name, signal.SIGTERM)
        people.stack.revive()
        workload.wait_for(3)

    assert_sound(workload)
