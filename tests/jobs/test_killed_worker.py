"""Real workers, a real Redis, and SIGKILL: what one leaves, another takes up and finishes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.databases import KINDS, shared_database
from tests.redis import Redis

pytestmark = pytest.mark.stack
STEPS = 20


class Site:
    """A database, a Redis, and workers to start and to kill."""

    def __init__(self, database: str, redis: Redis, folder: Path) -> None:
        self.log = folder / "log"
        self.walk = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.jobs.settings",
            "HAVEN_DATA": str(folder),
            "DATABASE_URL": database,
            "REDIS_URL": f"unix://{redis.socket_path}",
        }
        program = [sys.executable, "-m", "tests.jobs.site"]
        with self.log.open("ab") as errors:
            self.clerk = subprocess.Popen(
                program, env=self.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )

    def do(self, command: str) -> Any:
        """Have a command of `tests/jobs/site.py` done; the newest job as it is then."""
        assert self.clerk.stdin and self.clerk.stdout
        self.clerk.stdin.write(f"{command}\n")
        self.clerk.stdin.flush()
        return json.loads(self.clerk.stdout.readline())

    def close(self) -> None:
        self.kill_workers()
        self.clerk.kill()
        self.clerk.wait()

    def kill_workers(self) -> None:
        for worker in self.workers:
            kill(worker)

    def start_job(self, pause: float = 0.1) -> None:
        self.do(f"start {self.walk} {STEPS} {pause}")

    def start_worker(self, pool: str = "threads") -> subprocess.Popen[bytes]:
        """A worker as `deploy/Procfile` starts it, with room for one job."""
        command = [sys.executable, "-m", "celery", "-A", "harbor.celery", "worker", "--loglevel=INFO"]
        command += ["--pool", pool, "--concurrency=1", "--without-gossip", "--without-mingle"]
        self.workers.append(processes.start(command, self.log, self.env))
        return self.workers[-1]

    def wait_for_steps(self, number: int) -> None:
        def walked() -> bool:
            return len(list(self.walk.glob("step-*"))) >= number

        processes.wait_until(walked, f"{number} steps", seconds=60, log=self.log)

    def wait_for(self, status: str) -> dict[str, Any]:
        job: dict[str, Any] = {}

        def reached() -> bool:
            job.update(self.do("show"))
            return bool(job["status"] == status)

        processes.wait_until(reached, f"{status}, not {job}", seconds=60, log=self.log)
        return job

    def steps_by_attempt(self) -> list[int]:
        return [int((self.walk / f"step-{step}").read_text()) for step in range(STEPS)]


@pytest.fixture(params=KINDS, scope="module")
def running_site(
    request: pytest.FixtureRequest, redis_server: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with shared_database(request.param, folder) as url:
        site = Site(url, redis_server, folder)
        try:
            site.do("migrate")
            yield site
        finally:
            site.close()


@pytest.fixture
def site(running_site: Site, tmp_path: Path) -> Iterator[Site]:
    """The site with a folder to walk in, and no worker."""
    running_site.walk = tmp_path
    yield running_site
    running_site.kill_workers()


def kill(worker: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a worker and all its children: nobody says goodbye."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def test_another_worker_finishes_what_a_killed_one_left(site: Site) -> None:
    site.start_job()
    first = site.start_worker()
    site.wait_for_steps(STEPS // 3)
    kill(first)
    assert site.do("show")["status"] == "Running"

    site.start_worker()
    site.do("nudge")  # too early: the lease still stands
    processes.wait_until(lambda: site.do("nudge")["status"] == "Success", "the job", 60, site.log)

    job = site.do("show")
    assert (job["attempts"], job["status_message"]) == (2, "arrived at attempt 2")
    assert job["progress"] == {"done": STEPS, "total": STEPS}
    attempts = site.steps_by_attempt()
    assert attempts == sorted(attempts)
    assert set(attempts) == {1, 2}


def test_two_workers_and_many_messages_do_the_work_once(site: Site) -> None:
    site.start_worker()
    site.start_worker()
    site.start_job(pause=0.02)
    for _ in range(3):
        site.do("nudge")
    job = site.wait_for("Success")

    assert (job["attempts"], job["status_message"]) == (1, "arrived at attempt 1")
    assert set(site.steps_by_attempt()) == {1}


def test_a_killed_child_of_a_worker_that_lives_on(site: Site) -> None:
    site.start_job()
    site.start_worker(pool="prefork")
    site.wait_for_steps(STEPS // 3)
    os.kill(int((site.walk / "walker").read_text()), signal.SIGKILL)

    processes.wait_until(lambda: site.do("nudge")["status"] == "Success", "the job", 60, site.log)

    assert site.do("show")["attempts"] == 2


def test_a_job_is_stopped_while_it_runs(site: Site) -> None:
    site.start_job(pause=0.3)
    site.start_worker()
    site.wait_for_steps(2)
    site.do("stop")

    job = site.wait_for("Stopped")

    assert job["progress"]["done"] < STEPS


def test_a_long_job_keeps_its_lease(site: Site) -> None:
    """It runs for twice the lease, and nobody takes it."""
    site.start_worker()
    site.start_worker()
    site.start_job(pause=0.2)
    site.wait_for_steps(STEPS - 5)
    site.do("nudge")

    assert site.wait_for("Success")["attempts"] == 1


def test_a_worker_that_is_told_to_end_finishes_first(site: Site) -> None:
    site.start_job()
    worker = site.start_worker()
    site.wait_for_steps(2)
    worker.terminate()

    assert worker.wait(30) == 0
    assert site.do("show")["status"] == "Success"


def test_an_emptied_redis_loses_no_job(site: Site, redis_server: Redis) -> None:
    site.start_job()
    redis_server.call("FLUSHALL")

    site.start_worker()  # it looks for what is due when it starts

    assert site.wait_for("Success")["attempts"] == 1
