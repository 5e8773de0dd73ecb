"""What the test of killed workers asks of the database that it shares with them: a program of its own.

Reads a command per line (`migrate`, `start FOLDER STEPS PAUSE`, `show`, `stop`, `nudge`), answers with the newest job.
"""

from __future__ import annotations

import json
import sys

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    from jobs.models import Job

    for line in sys.stdin:
        obey(*line.split())
        job = Job.objects.values("status", "status_message", "attempts", "progress").order_by("-pk").first()
        print(json.dumps(job), flush=True)


def obey(command: str, *arguments: str) -> None:
    from jobs import actions, tasks
    from jobs.models import Execution

    if command == "migrate":
        call_command("migrate", verbosity=0)
    elif command == "start":
        folder, steps, pause = arguments
        actions.start("WALK", "TEST", {"folder": folder, "steps": int(steps), "pause": float(pause)})
    elif command == "stop":
        actions.stop(Execution.objects.latest("pk"))
    elif command == "nudge":
        tasks.nudge()


if __name__ == "__main__":
    main()
