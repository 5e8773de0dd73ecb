"""Worker processes that copy, given their jobs round about."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

from bench.stage import ROOT

Name = tuple[str, str]
"""A repository and a tag."""


class Workers:
    """`count` of `bench.copier`, started before any clock is."""

    def __init__(self, count: int, source: str, target: str, **about: Any) -> None:
        self.spool = tempfile.mkdtemp(prefix="haven-spool-")
        text = json.dumps({"source": {"url": source}, "target": {"url": target}, "spool": self.spool, **about})
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.copier", text],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            for _ in range(count)
        ]
        self.peak = 0
        self.results: list[str] = []

    def __enter__(self) -> Workers:
        for process in self.processes:
            assert process.stdout and process.stdout.readline() == "ready\n"
        return self

    def copy(self, jobs: list[tuple[Name, Name]], tags: list[str] | None = None, new: bool = False) -> None:
        """Copy all; return when the last is done. `new`: the target's repositories held nothing."""
        busy = []
        for number, process in enumerate(self.processes):
            own = [{"origin": origin, "goal": goal} for origin, goal in jobs[number :: len(self.processes)]]
            if own:
                asked: dict[str, Any] = {"jobs": own, "new": new}
                if tags is not None:
                    asked["tags"] = [tag for tag in tags if tag.startswith("sha256-")]
                assert process.stdin
                print(json.dumps(asked), file=process.stdin, flush=True)
                busy.append(process)
        self.results = []
        for process in busy:
            assert process.stdout
            answer = json.loads(process.stdout.readline())
            self.results += answer["results"]
            self.peak = max(self.peak, answer["peak"])

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self.processes:
            assert process.stdin
            process.stdin.close()
            process.wait(20)
        shutil.rmtree(self.spool, ignore_errors=True)
