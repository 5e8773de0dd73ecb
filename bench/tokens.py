"""Tokens per second: for a robot with two scopes, and for a person whose password is remembered.

`python -m bench.tokens [--database sqlite|postgresql] [--count N] [--rounds N]`
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys

from bench.load import Target, compare, reached, request, table
from bench.stage import Stage, stage

BARE = "bare WSGI, signing the same claims"
EMPTY = "empty Django view"
ROBOT = "robot, two scopes"
PERSON = "person, remembered password"
FLOORS = {ROBOT: 0.30, PERSON: 0.25}
PATH = "/service/token?service=harbor-registry&scope=repository:p0/app:pull,push&scope=repository:p1/app:pull,push"
PASSWORD = "Correct-Horse-9"
PROJECTS = 50


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="both, one after the other, by default")
    parser.add_argument("--count", type=int, default=400, help="requests of one round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    if asked.database is None:
        again = [sys.executable, "-m", "bench.tokens", *sys.argv[1:], "--database"]
        return max(subprocess.run([*again, kind], check=False).returncode for kind in ("sqlite", "postgresql"))
    with stage(asked.database) as running:
        results = compare(_targets(running), asked.count, asked.rounds, asked.connections)
    print(*table(f"/service/token on {asked.database}", results, BARE, FLOORS), sep="\n", flush=True)
    return 0 if reached(results, BARE, FLOORS) else 1


def _targets(running: Stage) -> dict[str, Target]:
    robot, secret = _people()
    web = running.serve("harbor.wsgi")
    return {
        BARE: Target(running.serve("bench.bare:sign"), request(PATH)),
        EMPTY: Target(running.serve("harbor.wsgi", DJANGO_SETTINGS_MODULE="bench.empty"), request("/service/token")),
        ROBOT: Target(web, request(PATH, _basic(robot, secret))),
        PERSON: Target(web, request(PATH, _basic("bench", PASSWORD))),
    }


def _people() -> tuple[str, str]:
    """Some projects, a developer of them, and a robot for two of them; the robot's name and secret."""
    from accounts.actions import create_user
    from accounts.actors import SYSTEM, Permission
    from accounts.models import User
    from projects.models import Member, Project, Role
    from robots.actions import create_robot
    from robots.permissions import Grant

    create_user(SYSTEM, username="bench", password=PASSWORD, email="bench@haven.test", realname="Bench")
    projects = Project.objects.bulk_create(Project(name=f"p{number}") for number in range(PROJECTS))
    user = User.objects.get(username="bench")
    Member.objects.bulk_create(Member(project=project, user=user, role=Role.DEVELOPER) for project in projects)
    access = tuple(Permission("repository", action) for action in ("pull", "push"))
    grants = [Grant("project", project, access) for project in ("p0", "p1")]
    robot, secret = create_robot(SYSTEM, name="bench", level="system", duration=-1, permissions=grants)
    return robot.display_name(), secret


def _basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


if __name__ == "__main__":
    sys.exit(main())
