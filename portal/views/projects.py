"""Projects: the list, a new one, its settings, its log, its end."""

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

from accounts.actors import Actor, actor_of
from accounts.errors import Conflict, DomainError, PreconditionFailed
from artifacts.models import Repository
from artifacts.totals import with_counts
from configuration import values
from portal import words
from portal.answers import Question, ask, posted, show_form, submit
from portal.commands import push_commands
from portal.finding import place
from portal.forms import AccessForm
from portal.forms_things import ProjectForm, written
from portal.listing import listing, query_of
from projects import actions
from projects.allowlists import allowlist_of, follows_system
from projects.models import Project

ORDERS = {
    "name": ["name"],
    "created": ["creation_time", "pk"],
    "repositories": ["repo_count", "name"],
}
ACCESS = {"public": True, "private": False}


def may_create(actor: Actor) -> bool:
    """Whether `actor` may make projects."""
    try:
        actions.require_creation(actor)
    except DomainError:
        return False
    return True


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The projects that the reader sees, filtered by name and by access."""
    actor = actor_of(request)
    rows = Project.objects.visible_to(actor).with_counts().with_roles_of(actor).select_related("quota")
    access = request.GET.get("access", "")
    if access in ACCESS:
        rows = rows.filter(public=ACCESS[access])
    if query := query_of(request):
        rows = rows.search(query)
    context = {
        "listing": listing(request, rows, ORDERS, default="name"),
        "access": access if access in ACCESS else "",
        "may_create": may_create(actor),
    }
    return render(request, "portal/projects/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponseBase:
    """A new project, of which its maker becomes the administrator."""
    actor = actor_of(request)
    actions.require_creation(actor)
    sets_limit = actor.is_admin  # as the action has it
    form = ProjectForm(posted(request), limit=written(int(values.get("storage_per_project"))) if sets_limit else None)

    def act(given: dict[str, Any]) -> str:
        project = actions.create_project(
            actor, name=given["name"], public=given["public"], storage_limit=given.get("limit")
        )
        messages.success(request, _("The project %(name)s has been created.") % {"name": project.name})
        return reverse("portal:project", args=[project.name])

    taken = ("name", _("This name is taken. Choose another one."))
    answer = submit(request, form, act, {Conflict: taken})
    return answer or show_form(request, "portal/projects/new.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, project: str) -> HttpResponseBase:
    """Who may pull from the project."""
    found = place(request, project)
    found.require("project", "update")
    form = AccessForm(posted(request), initial={"public": found.project.public})

    def act(given: dict[str, Any]) -> str:
        actions.update_project(found.actor, found.project, metadata={"public": str(given["public"]).lower()})
        messages.success(request, _("The settings are saved."))
        return request.path

    answer = submit(request, form, act, {})
    follows = follows_system(found.project)
    told = {"follows_system": follows, "allowlist": allowlist_of(None if follows else found.project)}
    return answer or show_form(request, "portal/projects/settings.html", form, tab="settings", **told, **found.context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, project: str) -> HttpResponseBase:
    """Delete an empty project."""
    found = place(request, project)
    found.require("project", "delete")
    name = found.project.name
    repositories = found.project.repositories.count()
    refusal = ""
    if repositories:
        refusal = ngettext(
            "It holds %(count)s repository. Delete that first.",
            "It holds %(count)s repositories. Delete them first.",
            repositories,
        ) % {"count": words.number(repositories)}
    question = Question(
        title=_("Delete the project %(name)s?") % {"name": name},
        effects=[
            _("Its members, its robots and its settings go with it."),
            _("Clients that use its robots are refused from now on."),
            _("This cannot be undone."),
        ],
        verb=_("Delete the project"),
        back=reverse("portal:project", args=[name]),
        refusal=refusal,
    )

    def act() -> str:
        actions.delete_project(found.actor, found.project)
        messages.success(request, _("The project %(name)s is deleted.") % {"name": name})
        return reverse("portal:projects")

    return ask(request, question, act, {PreconditionFailed: _("It still holds repositories. Delete them first.")})


@require_safe
def show(request: HttpRequest, project: str) -> HttpResponse:
    """The project's repositories."""
    found = place(request, project)
    found.require("repository", "list")
    rows = Repository.objects.filter(project=found.project)
    if by_count := request.GET.get("sort", "").lstrip("-") == "artifacts":
        rows = rows.with_counts()
    if query := query_of(request):
        rows = rows.search(query)
    shown = listing(request, rows, REPOSITORIES, default="name")
    if not by_count:
        shown.page.object_list = with_counts(list(shown.page.object_list))
    context = {
        "listing": shown,
        "push_commands": push_commands(project),
        "tab": "repositories",
        **found.context,
    }
    return render(request, "portal/projects/repositories.html", context)


REPOSITORIES = {
    "name": ["name"],
    "artifacts": ["artifact_count", "name"],
    "pulls": ["pull_count", "name"],
    "updated": ["update_time", "name"],
}
