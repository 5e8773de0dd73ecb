"""Runs of rules with their progress, and looks at what one would do: dry runs and verifications."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import PreconditionFailed
from jobs.models import FINISHED, UNFINISHED, Execution, Job, JobLog, Status
from portal import once, words
from portal.answers import Question, ask
from portal.listing import choice_of, listing
from portal.replicating import FINDINGS
from portal.rules_desk import Desk
from portal.working import STATES
from replication import runs
from replication.models import COPY, PLAN, VERIFY, Finding, Policy

JOB_ORDERS = {"number": ["pk"]}
LINES = 500
"""The last lines of a log that are shown."""
SHOWN = (Status.RUNNING, Status.PENDING, Status.ERROR, Status.STOPPED, Status.SUCCESS)
DRIFT = {str(state) for state in Finding.DRIFT}
Start = Callable[[Desk, Policy], str]


def numbers_of(executions: list[Execution]) -> dict[int, dict[str, int]]:
    """How many artifacts each of these runs is about: `total`, `done`, `failed`. One query."""
    found: defaultdict[int, dict[str, int]] = defaultdict(lambda: {"total": 0, "done": 0, "failed": 0})
    jobs = Job.objects.filter(execution__in=[one.pk for one in executions], kind=COPY).order_by()
    for key, status, number in jobs.values_list("execution", "status").annotate(number=Count("pk")):
        found[key]["total"] += number
        found[key]["done"] += number if status == Status.SUCCESS else 0
        found[key]["failed"] += number if status == Status.ERROR else 0
    return dict(found)


@require_safe
def show(request: HttpRequest, policy: int, execution: int, project: str | None = None) -> HttpResponse:
    """A run with its jobs, and the log of one of them (`?job=`). While it goes on, the page renews itself."""
    desk = Desk(request, project, "read", "replication")
    row = desk.policy(policy)
    run: Any = desk.run(row, execution)
    rows = runs.jobs_of(run)
    choice = choice_of(request, "status", _("All states"), [(str(status), STATES[status][0]) for status in SHOWN])
    shown = listing(
        request,
        rows.filter(status=choice.chosen) if choice.chosen else rows,
        JOB_ORDERS,
        default="number",
        choices=[choice],
    )
    job = _chosen(request, run)
    context = {
        "policy": row,
        "execution": run,
        "listing": shown,
        "progress": runs.progress(run),
        "planning": run.jobs.filter(kind=PLAN).first(),
        "failed": run.jobs.filter(status__in=(Status.ERROR, Status.STOPPED)).exists(),
        "job": job,
        "lines": list(reversed(JobLog.objects.filter(job=job).order_by("-pk")[:LINES])) if job else [],
        "running": run.status not in FINISHED,
        **desk.context,
    }
    return render(request, "portal/replication/run.html", context)


def _chosen(request: HttpRequest, run: Execution) -> Job | None:
    """The job whose log the address asks for; one without an artifact, the planning, may be it too."""
    asked = request.GET.get("job", "")
    return run.jobs.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 19 else None


@require_POST
def start(request: HttpRequest, policy: int, project: str | None = None) -> HttpResponse:
    """Run the rule now."""

    def act(desk: Desk, row: Policy) -> str:
        execution = runs.start(desk.actor, row)
        messages.success(request, _("The run has been started."))
        return desk.url("rule-run", row.pk, execution.pk)

    return _begun(request, policy, project, act)


@require_POST
def dry_run(request: HttpRequest, policy: int, project: str | None = None) -> HttpResponse:
    """Find out what a run would move."""
    return _begun(
        request, policy, project, lambda desk, row: desk.url("rule-check", row.pk, runs.dry_run(desk.actor, row).pk)
    )


@require_POST
def verify(request: HttpRequest, policy: int, project: str | None = None) -> HttpResponse:
    """Compare the target with the source, digest by digest."""
    return _begun(
        request, policy, project, lambda desk, row: desk.url("rule-check", row.pk, runs.verify(desk.actor, row).pk)
    )


@require_POST
def repair(request: HttpRequest, policy: int, check: int, project: str | None = None) -> HttpResponse:
    """Copy what a verification found to differ, and nothing else."""

    def act(desk: Desk, row: Policy) -> str:
        found, _job = desk.check(row, check)
        execution = runs.repair(desk.actor, row, found)
        messages.success(request, _("The repair has been started."))
        return desk.url("rule-run", row.pk, execution.pk)

    return _begun(request, policy, project, act)


def _begun(request: HttpRequest, policy: int, project: str | None, act: Start) -> HttpResponse:
    """Do what a button asks, once however often it is pressed, and go where that leads."""
    desk = Desk(request, project, "create", "replication")
    row = desk.policy(policy)
    if (done := once.outcome(request)) is not None:
        return redirect(done)
    try:
        url = act(desk, row)
    except PreconditionFailed:
        messages.error(request, _("There is nothing to start: the rule is switched off, or nothing differs."))
        return redirect(desk.url("rule", row.pk))
    once.remember(request, url)
    return redirect(url)


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, policy: int, execution: int, project: str | None = None) -> HttpResponseBase:
    """Ask what is left of a run to end."""
    desk = Desk(request, project, "create", "replication")
    row = desk.policy(policy)
    run = desk.run(row, execution)
    return _stop(request, desk, row, run, desk.url("rule-run", row.pk, run.pk))


@require_http_methods(["GET", "HEAD", "POST"])
def stop_check(request: HttpRequest, policy: int, check: int, project: str | None = None) -> HttpResponseBase:
    """Ask a dry run or a verification to end."""
    desk = Desk(request, project, "create", "replication")
    row = desk.policy(policy)
    execution, _job = desk.check(row, check)
    return _stop(request, desk, row, execution, desk.url("rule-check", row.pk, execution.pk))


def _stop(request: HttpRequest, desk: Desk, row: Policy, execution: Execution, back: str) -> HttpResponseBase:
    left = execution.jobs.filter(status__in=UNFINISHED).count()
    effect = ngettext(
        "%(count)s job is not finished: it ends as soon as it can.",
        "%(count)s jobs are not finished: they end as soon as they can.",
        left,
    ) % {"count": words.number(left)}
    question = Question(
        title=_("Stop this run of %(name)s?") % {"name": row.name},
        effects=[effect, _("What was copied stays, and can be gone on with later.")],
        verb=_("Stop it"),
        back=back,
        refusal="" if left else _("It has ended already."),
    )

    def act() -> str:
        runs.stop(desk.actor, row, execution)
        messages.success(request, _("It was asked to stop."))
        return back

    return ask(request, question, act, {})


@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, policy: int, execution: int, project: str | None = None) -> HttpResponseBase:
    """Do again what failed or was stopped."""
    desk = Desk(request, project, "create", "replication")
    row = desk.policy(policy)
    run = desk.run(row, execution)
    back = desk.url("rule-run", row.pk, run.pk)
    failed = run.jobs.filter(status__in=(Status.ERROR, Status.STOPPED)).count()
    effect = ngettext(
        "%(count)s job that failed or was stopped is done again.",
        "%(count)s jobs that failed or were stopped are done again.",
        failed,
    ) % {"count": words.number(failed)}
    question = Question(
        title=_("Try again what failed?"),
        effects=[effect, _("What had arrived is not sent again.")],
        verb=_("Try again"),
        back=back,
        refusal="" if failed else _("Nothing of this run failed or was stopped."),
        gentle=True,
    )

    def act() -> str:
        runs.retry(desk.actor, row, run)
        messages.success(request, _("What failed is tried again."))
        return back

    return ask(request, question, act, {})


@require_safe
def check(request: HttpRequest, policy: int, check: int, project: str | None = None) -> HttpResponse:
    """What a dry run or a verification has found. While it goes on, the page renews itself."""
    desk = Desk(request, project, "read", "replication")
    row = desk.policy(policy)
    execution, job = desk.check(row, check)
    states = [(state, name) for state, (name, _icon, _style) in FINDINGS.items()]
    choice = choice_of(request, "state", _("Everything that matches"), states)
    found = Finding.objects.filter(job=job)
    if choice.chosen:
        found = found.filter(state=choice.chosen)
    drifted = Finding.objects.filter(job=job, state__in=Finding.DRIFT)
    running = job.status not in FINISHED
    context = {
        "policy": row,
        "execution": execution,
        "job": job,
        "listing": listing(request, found, JOB_ORDERS, default="number", choices=[choice]),
        "running": running,
        "is_verification": job.kind == VERIFY,
        "repairable": job.kind == VERIFY and not running and row.enabled and drifted.exists(),
        "drift": sum(job.progress.get(state, 0) for state in DRIFT),
        "once": once.fresh(),
        **desk.context,
    }
    return render(request, "portal/replication/check.html", context)
