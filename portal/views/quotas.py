"""How much projects store, and how much they may."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actors import actor_of
from accounts.errors import NotFound
from accounts.permissions import require_system, system_allowed
from configuration import values
from portal.answers import posted, show_form, submit
from portal.forms_things import QuotaForm, written
from portal.listing import listing, query_of
from portal.rights import rights
from projects.actions import set_quota
from projects.models import Quota

ORDERS = {"project": ["project__name"], "used": ["used", "pk"], "limit": ["hard", "pk"]}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every project's storage, the largest first."""
    actor = actor_of(request)
    require_system(actor, "quota", "list")
    rows = Quota.objects.select_related("project", "project__owner")
    if query := query_of(request):
        rows = rows.filter(project__name__icontains=query)
    context = {
        "listing": listing(request, rows, ORDERS, default="-used"),
        "default": int(values.get("storage_per_project")),
        "may": rights(system_allowed(actor)),
    }
    return render(request, "portal/quotas/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, project: str) -> HttpResponseBase:
    """Another limit for a project."""
    actor = actor_of(request)
    require_system(actor, "quota", "update")
    row = Quota.objects.select_related("project").annotate(name=F("project__name")).filter(name=project).first()
    if row is None:
        raise NotFound
    form = QuotaForm(posted(request), initial={"hard": written(row.hard)})

    def act(given: dict[str, Any]) -> str:
        set_quota(actor, row.project, given["hard"])
        messages.success(request, _("The storage limit of %(name)s is saved.") % {"name": project})
        return reverse("portal:quotas")

    answer = submit(request, form, act, {})
    return answer or show_form(request, "portal/quotas/form.html", form, quota=row)
