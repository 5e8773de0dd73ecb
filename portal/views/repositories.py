"""A repository: what it holds, and how to get it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from artifacts import actions
from artifacts.models import Artifact, Tag
from portal import words
from portal.answers import Question, ask, posted, show_form, submit
from portal.artifacts import Row
from portal.commands import push_commands
from portal.finding import place, repository_in
from portal.forms import DescriptionForm
from portal.listing import listing, query_of

ORDERS = {
    "pushed": ["push_time", "pk"],
    "pulled": ["pull_time", "pk"],
    "size": ["size", "pk"],
}


@require_safe
def show(request: HttpRequest, project: str, repository: str) -> HttpResponseBase:
    """The artifacts, with their tags, platforms and accessories."""
    found = place(request, project)
    row = repository_in(found, repository)
    artifacts = Artifact.objects.filter(repository=row).listed()
    if query := query_of(request):
        tagged = Exists(Tag.objects.filter(artifact=OuterRef("pk"), name__icontains=query))
        artifacts = artifacts.filter(Q(tagged) | Q(digest__contains=query))
    artifacts = artifacts.with_tags().with_references().with_accessories()
    shown = listing(request, artifacts, ORDERS, default="-pushed")
    context = {
        "repository": row,
        "listing": shown,
        "rows": [Row.of(artifact, row) for artifact in shown.page],
        "push_commands": push_commands(project, row.name),
        **found.context,
    }
    return render(request, "portal/repositories/show.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def describe(request: HttpRequest, project: str, repository: str) -> HttpResponseBase:
    """Say what the repository is for."""
    found = place(request, project)
    row = repository_in(found, repository)
    found.require("repository", "update")
    form = DescriptionForm(posted(request), initial={"description": row.description})

    def act(given: dict[str, Any]) -> str:
        actions.update_repository(found.actor, row, given["description"])
        messages.success(request, _("The description is saved."))
        return reverse("portal:repository", args=[project, repository])

    answer = submit(request, form, act, {})
    return answer or show_form(request, "portal/repositories/describe.html", form, repository=row, **found.context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, project: str, repository: str) -> HttpResponseBase:
    """Delete the repository with all it holds."""
    found = place(request, project)
    row = repository_in(found, repository)
    found.require("repository", "delete")
    artifacts, tags = row.artifacts.count(), row.tags.count()
    effects = [
        ngettext("%(count)s artifact goes with it.", "%(count)s artifacts go with it.", artifacts)
        % {"count": words.number(artifacts)},
        ngettext("%(count)s tag goes with it.", "%(count)s tags go with it.", tags) % {"count": words.number(tags)},
        _("Nobody can pull from it any more. This cannot be undone."),
    ]
    question = Question(
        title=_("Delete the repository %(name)s?") % {"name": row.name},
        effects=effects,
        verb=_("Delete the repository"),
        back=reverse("portal:repository", args=[project, repository]),
    )

    def act() -> str:
        actions.delete_repository(found.actor, row)
        messages.success(request, _("The repository %(name)s is deleted.") % {"name": row.name})
        return reverse("portal:project", args=[project])

    return ask(request, question, act, {})
