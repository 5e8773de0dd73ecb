"""Jobs of the tests: what each does is told by its spec."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.running import Running, Temporary

done: list[Mapping[str, Any]] = []


def note(spec: Mapping[str, Any], job: Running) -> str:
    done.append(spec)
    job.log("noted\nit")
    job.progress(done=1, total=1)
    return "noted"


def stumble(spec: Mapping[str, Any], job: Running) -> str:
    """Fails until the attempt that the spec names."""
    if job.attempt < spec["until"]:
        raise Temporary("the other side is away")
    return "got through"


def crash(spec: Mapping[str, Any], job: Running) -> str:
    raise KeyError(spec["canary"])


def heed(spec: Mapping[str, Any], job: Running) -> str:
    """Somebody asks it to stop while it works."""
    from jobs import actions

    actions.stop(job.job.execution)
    job.check()
    return "went on"


def walk(spec: Mapping[str, Any], job: Running) -> str:
    """Leaves a footprint per step in a folder, none twice: what a killed walk has done, the next need not do."""
    folder = Path(spec["folder"])
    (folder / "walker").write_text(str(os.getpid()))
    for step in range(spec["steps"]):
        job.check()
        footprint = folder / f"step-{step}"
        if not footprint.exists():
            time.sleep(spec["pause"])
            footprint.write_text(str(job.attempt))
            job.progress(done=step + 1, total=spec["steps"])
    return f"arrived at attempt {job.attempt}"
