"""The queue. `celery -A harbor.celery worker` and `beat` start here; web finds it by `harbor.apps`."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_ready, worker_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "harbor.settings")

app = Celery("harbor")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # the current app is a thread's own; without a default, gunicorn's threads would find none

_PATIENCE = 10


@celeryd_init.connect
def be_patient(conf: Any, **_: Any) -> None:
    """A worker waits for Redis longer than a request may."""
    conf.broker_transport_options |= {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE}


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Django has set the logs up already."""


@worker_ready.connect
def show_up(sender: Any, **_: Any) -> None:
    """The worker is listed among the pools, and heard of until it ends."""
    from jobs import pools

    pools.begin(sender.controller.concurrency)


@worker_shutdown.connect
def go(**_: Any) -> None:
    """The worker is listed no longer."""
    from jobs import pools

    pools.end()


@worker_ready.connect
def catch_up(**_: Any) -> None:
    """A worker that starts sends again what another left, without waiting for beat.

    `nudge` comes last: a message that still waits behind it looks like one of the jobs it asks about.
    """
    for task in ("audit.tasks.publish", "jobs.tasks.nudge"):
        app.send_task(task)
