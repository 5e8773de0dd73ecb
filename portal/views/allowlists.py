"""The vulnerabilities that are put up with: in every project, or in one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import actor_of
from accounts.permissions import require_system
from portal.answers import posted, show_form, submit
from portal.finding import Place, place
from portal.forms_allowlist import OWN, SYSTEMS, AllowlistForm, ProjectAllowlistForm, initial_of, names_in
from portal.settings import tabs
from projects.actions import update_project
from projects.allowlists import allowlist_of, follows_system, set_allowlist


@require_http_methods(["GET", "HEAD", "POST"])
def of_system(request: HttpRequest) -> HttpResponseBase:
    """The system's list, which counts in every project without one of its own."""
    actor = actor_of(request)
    require_system(actor, "configuration", "update" if request.method == "POST" else "read")
    form = AllowlistForm(posted(request), initial=initial_of(allowlist_of(None)))

    def act(given: dict[str, Any]) -> str:
        set_allowlist(actor, None, given["items"], expires_at=form.until())
        messages.success(request, _("The allow-list is saved."))
        return request.path

    answer = submit(request, form, act, {})
    template = "portal/configuration/security.html"
    return answer or show_form(request, template, form, tabs=tabs(), section="security")


@require_http_methods(["GET", "HEAD", "POST"])
def of_project(request: HttpRequest, project: str) -> HttpResponseBase:
    """Which list counts in the project, and its own."""
    found = place(request, project)
    found.require("project", "update")
    own, systems = allowlist_of(found.project), allowlist_of(None)
    if "copy" in request.POST:
        return _with(request, found, systems.items)
    whose = SYSTEMS if follows_system(found.project) else OWN
    form = ProjectAllowlistForm(posted(request), initial={**initial_of(own), "whose": whose})

    def act(given: dict[str, Any]) -> str:
        if given["whose"] == OWN:
            set_allowlist(found.actor, found.project, given["items"], expires_at=form.until())
        follow = str(given["whose"] == SYSTEMS).lower()
        update_project(found.actor, found.project, metadata={"reuse_sys_cve_allowlist": follow})
        messages.success(request, _("The allow-list is saved."))
        return reverse("portal:project-settings", args=[project])

    return submit(request, form, act, {}) or _show(request, form, found)


def _with(request: HttpRequest, found: Place, items: list[str]) -> HttpResponseBase:
    """The form as it was sent, with `items` in it besides; nothing is saved yet."""
    given: QueryDict = request.POST.copy()
    given["whose"] = OWN
    given["items"] = "\n".join(dict.fromkeys([*names_in(given.get("items", "")), *items]))
    form = ProjectAllowlistForm(initial=given.dict())
    return render(request, "portal/projects/allowlist.html", _context(form, found))


def _show(request: HttpRequest, form: ProjectAllowlistForm, found: Place) -> HttpResponseBase:
    context = _context(form, found)
    return show_form(request, "portal/projects/allowlist.html", context.pop("form"), **context)


def _context(form: ProjectAllowlistForm, found: Place) -> dict[str, Any]:
    return {"form": form, "systems": allowlist_of(None), "tab": "settings", **found.context}
