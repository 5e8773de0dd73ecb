"""Rules of replication, the system's and a project's: listed, explained, tried before they are kept, changed."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actors import actor_of
from accounts.errors import BadRequest, Conflict
from accounts.permissions import require_authenticated
from jobs.models import Execution, Schedule
from portal import once, words
from portal.answers import Question, Refusals, ask, posted, show_form, submit
from portal.forms_replication import PolicyForm
from portal.listing import choice_of, listing, query_of, word_of
from portal.replicating import EXAMPLE, TRIGGERS, becomes, spoken
from portal.rules_desk import Desk
from portal.sentences import said
from portal.views.replication_runs import numbers_of
from registry.references import is_name
from replication import actions, runs
from replication.models import VENDOR, Policy
from replication.permissions import may_still_run
from replication.previewing import MOST, preview

ORDERS = {"name": ["name"], "created": ["creation_time", "pk"]}
RUN_ORDERS = {"started": ["start_time", "pk"]}
LAST_CHECKS = 5


@require_safe
def index(request: HttpRequest, project: str | None = None) -> HttpResponse:
    """The rules, and how the last run of each went."""
    desk = Desk(request, project, "list")
    rows, choice = desk.policies, choice_of(request, "when", _("Whenever they run"), list(TRIGGERS.items()))
    if query := query_of(request):
        rows = rows.search(query)
    if choice.chosen:
        rows = rows.filter(trigger=choice.chosen)
    shown = listing(request, rows.with_last_run(), ORDERS, default="name", choices=[choice])
    last = [policy.last_run for policy in shown.page if policy.last_run]
    found = {run.pk: run for run in Execution.objects.with_status().filter(pk__in=last)}
    for policy in shown.page:
        policy.run = found.get(policy.last_run)
    return render(request, "portal/replication/index.html", {"listing": shown, **desk.context})


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, project: str | None = None) -> HttpResponseBase:
    """A new rule."""
    desk = Desk(request, project, "create")
    form = PolicyForm(posted(request), desk.endpoints(), desk.project)

    def act(given: dict[str, Any]) -> str:
        with spoken(**PolicyForm.FIELDS):
            policy = actions.create_policy(desk.actor, form.rule(), desk.project)
        messages.success(request, _("The rule %(name)s has been created.") % {"name": policy.name})
        return desk.url("rule", policy.pk)

    return submit(request, form, act, _refusals()) or _page(request, desk, form)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, policy: int, project: str | None = None) -> HttpResponseBase:
    """Another filter, target or time."""
    desk = Desk(request, project, "update")
    row = desk.policy(policy)
    form = PolicyForm(posted(request), desk.endpoints(row), row.project, row)

    def act(given: dict[str, Any]) -> str:
        with spoken(**PolicyForm.FIELDS):
            actions.update_policy(desk.actor, row, form.rule())
        messages.success(request, _("The rule %(name)s is saved.") % {"name": given["name"]})
        return desk.url("rule", row.pk)

    return submit(request, form, act, _refusals()) or _page(request, desk, form, row)


@require_POST
def try_out(request: HttpRequest, policy: int = 0, project: str | None = None) -> HttpResponse:
    """What the rule that is typed would match: in place for htmx, else on the form's page."""
    desk = Desk(request, project, "create")
    row = desk.policy(policy) if policy else None
    house = row.project if row else desk.project
    form = PolicyForm(_named(request.POST), desk.endpoints(row), house, row)
    told: dict[str, Any] = {"most": MOST}
    if form.is_valid():
        try:
            told["preview"] = preview(desk.actor, form.rule(), house)
        except BadRequest as error:
            told["problems"] = [said(error.message)]
    else:
        told["problems"] = [f"{form[name].label}: {errors[0]}" for name, errors in form.errors.items()]
    if getattr(request, "htmx", False):
        return render(request, "portal/replication/preview.html", told)
    form = PolicyForm(request.POST, desk.endpoints(row), house, row)
    return _page(request, desk, form, row, **told)


def _named(data: QueryDict) -> QueryDict:
    """`data` with a name: a rule can be tried before it is called something."""
    given = data.copy()
    given["name"] = given.get("name") or "-"
    return given


@require_safe
def example(request: HttpRequest) -> HttpResponse:
    """What becomes of a name, for the namespace and the levels that are typed."""
    require_authenticated(actor_of(request))
    return render(request, "portal/replication/example.html", _example(word_of(request, "dest_namespace"), request.GET))


def _example(namespace: str, given: Any) -> dict[str, Any]:
    count = str(given.get("replace_count", "-1"))
    levels = int(count) if re.fullmatch(r"-?\d{1,3}", count, re.ASCII) else -1
    fits = not namespace or (len(namespace) <= 255 and is_name(namespace))
    return {"source": EXAMPLE, "becomes": becomes(namespace, levels) if fits else "", "fits": fits}


def _page(request: HttpRequest, desk: Desk, form: PolicyForm, row: Policy | None = None, **told: Any) -> HttpResponse:
    shown = _example(str(form["dest_namespace"].value() or ""), {"replace_count": form["replace_count"].value()})
    key = [row.pk] if row else []
    view = "rule-change" if row else "rule-new"
    context = {
        "policy": row,
        "example": shown,
        "action": desk.url(view, *key),
        "try_url": desk.url(f"{view}-try", *key),
        "back": desk.url("rule", row.pk) if row else desk.url("rules"),
        **told,
        **desk.context,
    }
    return show_form(request, "portal/replication/form.html", form, **context)


def _refusals() -> Refusals:
    return {Conflict: ("name", _("There is a rule of this name already."))}


@require_safe
def show(request: HttpRequest, policy: int, project: str | None = None) -> HttpResponse:
    """What a rule does, what its runs did, and what was found without moving anything."""
    desk = Desk(request, project, "read")
    row = desk.policy(policy)
    found: Any = runs.runs_of(Policy.objects.filter(pk=row.pk))
    shown = listing(request, found, RUN_ORDERS, default="-started", dress=lambda rows: rows.with_status())
    checks: Any = runs.checks_of(row)
    context = {
        "policy": row,
        "listing": shown,
        "numbers": numbers_of(list(shown.page)),
        "checks": list(checks.with_status()[:LAST_CHECKS]),
        "schedule": Schedule.objects.filter(vendor_type=VENDOR, vendor_id=row.pk).first(),
        "problem": may_still_run(row),
        "example": _example(row.dest_namespace, {"replace_count": row.replace_count}),
        "once": once.fresh(),
        **desk.context,
    }
    return render(request, "portal/replication/show.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, policy: int, project: str | None = None) -> HttpResponseBase:
    """Delete a rule; what it copied stays."""
    desk = Desk(request, project, "delete")
    row = desk.policy(policy)
    found = Execution.objects.filter(Q(vendor_type=VENDOR) & Q(vendor_id=row.pk))
    count = found.count()
    forgotten = ngettext(
        "The record of %(count)s run is forgotten.", "The records of %(count)s runs are forgotten.", count
    )
    effects = [
        _("Nothing is deleted at the target: what was copied stays."),
        forgotten % {"count": words.number(count)} if count else _("It has never run."),
        _("This cannot be undone."),
    ]
    title = _("Delete the rule %(name)s?") % {"name": row.name}
    question = Question(
        title=title,
        effects=effects,
        verb=_("Delete the rule"),
        back=desk.url("rules"),
        refusal=_("It is running now: stop the run first.") if found.unfinished().exists() else "",
    )

    def act() -> str:
        actions.delete_policy(desk.actor, row)
        messages.success(request, _("The rule %(name)s is deleted.") % {"name": row.name})
        return question.back

    return ask(request, question, act, {})
