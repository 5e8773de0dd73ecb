"""A short run of schemathesis against real processes: no failure of ours, and no answer that the document lacks."""

from __future__ import annotations

import subprocess

import pytest

from tests.api.fuzz import command
from tests.stack.fixtures import MakeStack
from tests.stack.stack import ADMIN_PASSWORD

pytestmark = pytest.mark.stack


@pytest.mark.timeout(200)
def test_whatever_is_asked_is_answered_as_documented(make_stack: MakeStack) -> None:
    own = make_stack().start()
    run = subprocess.run(
        command(own.url, ADMIN_PASSWORD, 60, "--phases", "coverage,fuzzing", "--max-examples", "3"),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
