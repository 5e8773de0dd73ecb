"""The pins: what the checks run with is what Haven runs with."""

from __future__ import annotations

from tests.stack.stack import ROOT


def test_the_checks_run_with_what_haven_runs_with() -> None:
    def pins(name: str) -> set[str]:
        return {line.lower() for line in (ROOT / name).read_text().splitlines() if "==" in line}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
