from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from audit import broker
from tests.jobs import work

KINDS = {name.upper(): f"tests.jobs.work.{name}" for name in ("note", "stumble", "crash", "heed")}


@pytest.fixture(autouse=True)
def _kinds(settings: Settings) -> Iterator[None]:
    settings.JOB_KINDS = settings.JOB_KINDS | KINDS
    broker.forgive()
    yield
    work.done.clear()
    broker.forgive()
