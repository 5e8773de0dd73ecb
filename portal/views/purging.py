"""Forgetting old entries of the audit log: now, or by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actions import work
from accounts.actors import actor_of
from accounts.errors import BadRequest
from accounts.permissions import require_system, system_allowed
from audit.purge import KIND
from jobs.models import Execution, Schedule
from portal import words
from portal.answers import EACH_FIELD, Question, posted, submit
from portal.forms_purging import PurgeForm, PurgeScheduleForm
from portal.rights import rights

SHOWN = 10
TOKEN = "csrfmiddlewaretoken"


@require_http_methods(["GET", "HEAD", "POST"])
def purge(request: HttpRequest) -> HttpResponseBase:
    """Purge now, when what will be gone has been agreed to, or see what a purge would delete."""
    actor = actor_of(request)
    require_system(actor, "purge-audit", "create" if request.method == "POST" else "read")
    form = PurgeForm(posted(request))

    def act(given: dict[str, Any]) -> str | HttpResponse:
        if not given["dry_run"] and "agreed" not in request.POST:
            return _agree(request, form)
        execution = work.start_purge(actor, {**form.parameters(), "dry_run": given["dry_run"]})
        messages.success(request, _("The purge has begun. This page shows how far it is."))
        return reverse("portal:execution", args=[execution.pk])

    answer = submit(request, form, act, {BadRequest: (EACH_FIELD, _("This value does not fit here."))})
    return answer or _show(request, form, PurgeScheduleForm(initial=_scheduled()))


def _agree(request: HttpRequest, form: PurgeForm) -> HttpResponse:
    """Ask whether this shall really be gone; what was chosen goes along."""
    days, kinds = form.cleaned_data["days"], form.kinds()
    older = ngettext(
        "Every entry older than %(count)s day is deleted, if it is of these kinds: %(kinds)s.",
        "Every entry older than %(count)s days is deleted, if it is of these kinds: %(kinds)s.",
        days,
    ) % {"count": words.number(days), "kinds": gettext(", ").join(kinds)}
    before = formats.date_format(timezone.localtime(timezone.now() - timedelta(days=days)), "DATETIME_FORMAT")
    question = Question(
        title=_("Purge the audit log?"),
        effects=[older, _("That is what happened before %(time)s.") % {"time": before}, _("This cannot be undone.")],
        verb=_("Delete these entries"),
        back=reverse("portal:purge"),
        action=request.path,
    )
    given = [(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN]
    carried = [*given, ("agreed", "1")]
    return render(request, "portal/confirm.html", {"confirm": question, "carried": carried})


@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest) -> HttpResponseBase:
    """When the log is purged by itself."""
    actor = actor_of(request)
    require_system(actor, "purge-audit", "update" if request.method == "POST" else "read")
    form = PurgeScheduleForm(posted(request), initial=_scheduled())

    def act(given: dict[str, Any]) -> str:
        if given["kind"] == "None":
            work.unschedule_purge(actor)
        else:
            work.schedule_purge(actor, form.parameters(), form.when(), given["kind"])
        messages.success(request, _("The schedule is saved."))
        return reverse("portal:purge")

    answer = submit(request, form, act, {BadRequest: ("cron", _("This is no time that comes round."))})
    return answer or _show(request, PurgeForm(), form)


def _scheduled() -> dict[str, Any]:
    row = Schedule.objects.filter(vendor_type=KIND, vendor_id=0).first()
    if row is None:
        return {"kind": "None", "days": 90}
    hours = int(row.spec.get("audit_retention_hour") or 24)
    chosen = [name for name in str(row.spec.get("include_event_types") or "").split(",") if name]
    return {"kind": row.cron_type, "cron": row.cron, "days": max(hours // 24, 1), "events": chosen}


def _show(request: HttpRequest, form: PurgeForm, scheduling: PurgeScheduleForm) -> HttpResponse:
    runs = Execution.objects.filter(vendor_type=KIND).with_status().with_counts()
    context = {
        "now": form,
        "scheduling": scheduling,
        "runs": runs.order_by("-start_time", "-pk")[:SHOWN],
        "row": Schedule.objects.filter(vendor_type=KIND, vendor_id=0).first(),
        "may": rights(system_allowed(actor_of(request))),
    }
    failed = any(each.is_bound and each.errors for each in (form, scheduling))
    status = 422 if failed and request.method == "POST" else 200
    return render(request, "portal/audit/purge.html", context, status=status)
