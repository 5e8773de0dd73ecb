"""Labels: of a project, and for every project; and which of them an artifact carries."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actors import Actor, actor_of
from accounts.errors import Conflict, NotFound
from accounts.permissions import require_system, system_allowed
from artifacts.actions import attach_label, detach_label
from portal import words
from portal.answers import Question, ask, posted, show_form, submit
from portal.finding import artifact_in, place, repository_in
from portal.forms_things import LabelForm
from portal.listing import listing, query_of
from portal.rights import rights
from projects.labels import create_label, delete_label, update_label
from projects.models import Label, Project

ORDERS = {"name": ["name", "pk"], "created": ["creation_time", "pk"]}
SYSTEM_FRAME, PROJECT_FRAME = "portal/labels/system.html", "portal/projects/base.html"


class Shelf:
    """Where labels are kept: a project, or the system for None; and what the reader may do to them there."""

    def __init__(self, request: HttpRequest, project: str | None, action: str) -> None:
        self.project: Project | None = None
        self.actor: Actor = actor_of(request)
        if project is not None:
            found = place(request, project)
            found.require("label", action)
            self.project = found.project
            self.context: dict[str, Any] = {"frame": PROJECT_FRAME, "tab": "labels", **found.context}
        else:
            require_system(self.actor, "label", action)
            self.context = {"frame": SYSTEM_FRAME, "may": rights(system_allowed(self.actor))}
        self.context |= {"new": self.url("label-new"), "index": self.url("labels")}

    @property
    def labels(self) -> QuerySet[Label]:
        return Label.objects.filter(project=self.project).select_related("project")

    def url(self, view: str, *label: int) -> str:
        """The page `view`, as of a project's labels: `label-new`."""
        if self.project is None:
            return reverse(f"portal:system-{view}", args=label)
        return reverse(f"portal:{view}", args=[self.project.name, *label])

    def find(self, pk: int) -> Label:
        row = self.labels.filter(pk=pk).first()
        if row is None:
            raise NotFound
        return row


@require_safe
def index(request: HttpRequest, project: str | None = None) -> HttpResponse:
    """The labels that are kept here, with how many artifacts carry each."""
    shelf = Shelf(request, project, "read")
    rows = shelf.labels
    if query := query_of(request):
        rows = rows.filter(name__icontains=query)
    shown = listing(request, rows, ORDERS, default="name")
    labels = [label.pk for label in shown.page]
    counted = Label.objects.filter(pk__in=labels).annotate(n=Count("artifacts")).values_list("pk", "n")
    context = {"listing": shown, "carried_by": dict(counted), **shelf.context}
    return render(request, "portal/labels/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, project: str | None = None) -> HttpResponseBase:
    """A new label."""
    shelf = Shelf(request, project, "create")
    form = LabelForm(posted(request), initial={"color": "#0065AB"})

    def act(given: dict[str, Any]) -> str:
        label = create_label(shelf.actor, project=shelf.project, **given)
        messages.success(request, _("The label %(name)s has been created.") % {"name": label.name})
        return shelf.url("labels")

    taken = ("name", _("There is a label of this name already."))
    answer = submit(request, form, act, {Conflict: taken})
    title = _("New label")
    return answer or show_form(request, "portal/labels/form.html", form, form_title=title, **shelf.context)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, label: int, project: str | None = None) -> HttpResponseBase:
    """Another name, colour or description."""
    shelf = Shelf(request, project, "update")
    row = shelf.find(label)
    initial = {"name": row.name, "color": row.color or "#0065AB", "description": row.description}
    form = LabelForm(posted(request), initial=initial)

    def act(given: dict[str, Any]) -> str:
        update_label(shelf.actor, row, **given)
        messages.success(request, _("The label %(name)s is saved.") % {"name": given["name"]})
        return shelf.url("labels")

    taken = ("name", _("There is a label of this name already."))
    answer = submit(request, form, act, {Conflict: taken})
    title = _("Change the label %(name)s") % {"name": row.name}
    return answer or show_form(request, "portal/labels/form.html", form, form_title=title, **shelf.context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, label: int, project: str | None = None) -> HttpResponseBase:
    """Delete a label; artifacts that carry it stay."""
    shelf = Shelf(request, project, "delete")
    row = shelf.find(label)
    carried = row.artifacts.count()
    effect = ngettext(
        "%(count)s artifact carries it and loses it.", "%(count)s artifacts carry it and lose it.", carried
    ) % {"count": words.number(carried)}
    effects = [effect if carried else _("No artifact carries it."), _("This cannot be undone.")]
    title = _("Delete the label %(name)s?") % {"name": row.name}
    question = Question(title=title, effects=effects, verb=_("Delete the label"), back=shelf.url("labels"))

    def act() -> str:
        delete_label(shelf.actor, row)
        messages.success(request, _("The label %(name)s is deleted.") % {"name": row.name})
        return question.back

    return ask(request, question, act, {})


@require_POST
def put(request: HttpRequest, project: str, repository: str, digest: str) -> HttpResponse:
    """Put a label on an artifact, or take one off (`remove`)."""
    found = place(request, project)
    artifact = artifact_in(repository_in(found, repository), digest)
    removing = "remove" in request.POST
    found.require("artifact-label", "delete" if removing else "create")
    asked = request.POST.get("remove" if removing else "label", "")
    label = Label.objects.usable_in(found.project).filter(pk=int(asked) if asked.isdecimal() else 0).first()
    if label is None:
        raise NotFound
    with suppress(Conflict, NotFound):  # somebody did the same: it is as it was wanted
        (detach_label if removing else attach_label)(found.actor, artifact, label)
    said = _("The label %(name)s is taken off.") if removing else _("The label %(name)s is put on.")
    messages.success(request, said % {"name": label.name})
    return redirect("portal:artifact", project, repository, digest)
