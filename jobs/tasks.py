from __future__ import annotations

import logging

from celery import current_app, shared_task
from django.conf import settings
from django.db import OperationalError
from django.utils.module_loading import import_string
from kombu.exceptions import KombuError

from jobs import actions, running, schedules
from jobs.models import Job
from jobs.running import Running, Stopped

_ONE_TRY = {"max_retries": 0}
_log = logging.getLogger(__name__)


@shared_task(acks_late=True, reject_on_worker_lost=True)
def run(job_id: int) -> None:
    """Do one job. May be sent twice: the row is claimed once, and its work can be done again."""
    job = actions.claim(job_id)
    if job is None:
        return
    handle = Running(job)
    try:
        message = _work(job, handle)
    except Stopped as stopped:
        actions.stopped(job, str(stopped) or "stopped")
    except Exception as error:
        _fail(job, error)
    else:
        actions.succeed(job, message, handle.last)
    actions.send_more(job.kind, 1)


def _work(job: Job, handle: Running) -> str:
    """Call the job's function; what it noted is written down whatever comes of it."""
    with running.kept(handle):
        try:
            return import_string(settings.JOB_KINDS[job.kind])(job.spec, handle) or ""
        finally:
            handle.write()


def _fail(job: Job, error: Exception) -> None:
    again = running.is_temporary(error) or isinstance(error, OperationalError)
    _log.warning("job %s (%s) failed", job.pk, job.kind, exc_info=error)
    actions.fail(job, running.describe(error), again=again, after=getattr(error, "retry_after", None) or 0)


@shared_task
def nudge() -> None:
    """Send again what is due or was left by a dead worker. Beat calls it each minute, a worker when it starts."""
    actions.settle_abandoned()
    queues = {actions.queue_of(kind) for kind in settings.JOB_KINDS}
    try:
        waiting = {queue: _waiting(queue) for queue in queues}
    except (OSError, KombuError) as error:
        _log.warning("the broker is away: %s", error)
    else:
        actions.resend(waiting)


def _waiting(queue: str) -> int:
    """How many messages the queue holds."""
    with current_app.connection_for_read(transport_options=_ONE_TRY) as connection:
        return int(connection.default_channel.queue_declare(queue).message_count)


@shared_task
def tick() -> None:
    """Start what is scheduled for now. May run twice at once: a schedule is moved on by one of them."""
    schedules.start_due()
