"""What Haven does behind the scenes: executions, queues, schedules and workers, for whoever watches over them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actions import work
from accounts.actors import actor_of
from accounts.errors import NotFound
from accounts.permissions import require_system, system_allowed
from jobs import pools, queues
from jobs.models import FINISHED, UNFINISHED, Execution, ExecutionQuerySet, Job, JobLog, Schedule, Status
from jobs.schedules import is_paused
from portal import words
from portal.answers import Question, ask
from portal.listing import Choice, choice_of, listing
from portal.rights import rights
from portal.working import STATES, kind_name

ORDERS = {"started": ["start_time", "pk"]}
JOB_ORDERS = {"number": ["pk"]}
SCHEDULE_ORDERS = {"next": ["next_run", "pk"]}
LINES = 500
"""The last lines of a log that are shown."""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The executions, the newest first."""
    _require(request, "list")
    choices = [_kinds(request), choice_of(request, "status", _("All states"), _states())]
    rows = Execution.objects.all()
    if choices[0].chosen:
        rows = rows.filter(vendor_type=choices[0].chosen)
    if choices[1].chosen:
        rows = rows.of_status(choices[1].chosen)
    shown = listing(request, rows, ORDERS, default="-started", choices=choices, dress=_with_all)
    return render(request, "portal/jobs/index.html", {"listing": shown, "tab": "executions"})


def _with_all(rows: ExecutionQuerySet) -> ExecutionQuerySet:
    return rows.with_status().with_counts()


def _kinds(request: HttpRequest) -> Choice:
    return choice_of(request, "kind", _("All kinds"), [(kind, kind_name(kind)) for kind in queues.kinds()])


def _states() -> list[tuple[str, Any]]:
    return [(str(status), name) for status, (name, _icon, _style) in STATES.items() if status != Status.SCHEDULED]


@require_safe
def show(request: HttpRequest, execution: int) -> HttpResponse:
    """An execution with its jobs, and the log of one of them (`?job=`). While it runs, the page renews itself."""
    _require(request, "list")
    row = _execution(execution)
    jobs = listing(request, row.jobs.all(), JOB_ORDERS, default="number")
    asked = request.GET.get("job", "")
    job = row.jobs.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 19 else None
    job = job or next(iter(jobs.page), None)
    context = {
        "execution": row,
        "listing": jobs,
        "job": job,
        "lines": _lines(job),
        "running": row.status not in FINISHED,  # type: ignore[attr-defined]  # annotated
        "may": rights(system_allowed(actor_of(request))),
    }
    return render(request, "portal/jobs/show.html", context)


def _lines(job: Job | None) -> list[JobLog]:
    return list(reversed(job.log_lines.order_by("-pk")[:LINES])) if job else []


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, execution: int) -> HttpResponseBase:
    """Ask what is left of an execution to end."""
    _require(request, "stop")
    row = _execution(execution)
    left = row.jobs.filter(status__in=UNFINISHED).count()
    effect = ngettext(
        "%(count)s job is not finished: it ends as soon as it can.",
        "%(count)s jobs are not finished: they end as soon as they can.",
        left,
    ) % {"count": words.number(left)}
    question = Question(
        title=_("Stop “%(name)s”?") % {"name": kind_name(row.vendor_type)},
        effects=[effect, _("What is done already stays done.")],
        verb=_("Stop it"),
        back=reverse("portal:execution", args=[execution]),
        refusal="" if left else _("It has ended already."),
    )

    def act() -> str:
        work.stop_execution(actor_of(request), row)
        messages.success(request, _("It was asked to stop."))
        return question.back

    return ask(request, question, act, {})


@require_safe
def schedules(request: HttpRequest) -> HttpResponse:
    """What starts by itself, and when."""
    _require(request, "list")
    shown = listing(request, Schedule.objects.all(), SCHEDULE_ORDERS, default="next")
    context = {"listing": shown, "tab": "schedules", "paused": is_paused()}
    return render(request, "portal/jobs/schedules.html", context)


@require_safe
def workers(request: HttpRequest) -> HttpResponse:
    """The queues with what waits in them, and who works."""
    _require(request, "list")
    context = {
        "queues": queues.queues(),
        "pools": list(pools.alive()),
        "busy": [worker for worker in pools.workers("all") if worker.job],
        "tab": "workers",
        "may": rights(system_allowed(actor_of(request))),
    }
    return render(request, "portal/jobs/workers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Let the jobs of a kind wait, or go on."""
    _require(request, "stop")
    queue = next((queue for queue in queues.queues() if queue.kind == kind), None)
    if queue is None:
        raise NotFound
    name = {"name": kind_name(kind)}
    if queue.paused:
        title, verb, effects = _("Resume “%(name)s”?") % name, _("Resume"), [_("What waits is taken up at once.")]
    else:
        title, verb = _("Pause “%(name)s”?") % name, _("Pause")
        effects = [_("What runs goes on; nothing new of this kind is taken up until you resume it.")]
    back = reverse("portal:workers")
    question = Question(title=title, effects=effects, verb=verb, back=back, gentle=True)

    def act() -> str:
        work.act_on_queue(actor_of(request), kind, "resume" if queue.paused else "pause")
        done = _("“%(name)s” goes on.") if queue.paused else _("“%(name)s” is paused.")
        messages.success(request, done % name)
        return back

    return ask(request, question, act, {})


def _require(request: HttpRequest, action: str) -> None:
    require_system(actor_of(request), "jobservice-monitor", action)


def _execution(pk: int) -> Execution:
    row = Execution.objects.with_status().with_counts().filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row
