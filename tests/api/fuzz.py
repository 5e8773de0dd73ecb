"""schemathesis against a running Haven, by our own OpenAPI: every operation, every check, as an administrator.

    python -m tests.api.fuzz http://localhost:8080 --seconds 1200

What it asks is made up, and some of it works: never point it at a Haven that anybody needs. The administrator's
password is taken from HARBOR_ADMIN_PASSWORD.
"""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
from pathlib import Path

CONFIG = Path(__file__).parent / "schemathesis.toml"


def command(address: str, password: str, seconds: int, *options: str) -> list[str]:
    """What to run. schemathesis stops by itself after `seconds`, or when it is through."""
    token = base64.b64encode(f"admin:{password}".encode()).decode()
    program = [str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG), "run", "--no-color"]
    limits = ["--max-time", str(seconds), "--continue-on-failure", "--warnings", "off"]
    return [*program, *limits, *options, "-H", f"Authorization: Basic {token}", f"{address}/api/v2.0/openapi.json"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Ask a running Haven everything that its OpenAPI allows, and more.")
    parser.add_argument("address")
    parser.add_argument("--seconds", type=int, default=1200)
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    asked = parser.parse_args()
    password = os.environ["HARBOR_ADMIN_PASSWORD"]
    return subprocess.run(command(asked.address, password, asked.seconds, "--phases", asked.phases)).returncode


if __name__ == "__main__":
    sys.exit(main())
