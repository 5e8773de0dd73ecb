"""A repository: what it holds, what it is for, and how to get it."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from artifacts import actions
from artifacts.models import Artifact, ArtifactLabel, ArtifactQuerySet, Repository, Tag
from artifacts.totals import BRIEFLY, UNTIL_COUNTED, total
from artifacts.totals import found as found_ids
from portal import words
from portal.answers import Question, ask, posted, show_form, submit
from portal.artifacts import Row, commands_of, in_order
from portal.charts import pulls_by_day
from portal.commands import push_commands
from portal.finding import Place, place, repository_in
from portal.forms import DescriptionForm
from portal.listing import Bounded, Choice, Found, choice_of, listing, query_of
from portal.markdown import render as markdown
from projects.models import Label, Project

ORDERS = {
    "pushed": ["push_time", "pk"],
    "pulled": ["pull_time", "pk"],
    "size": ["size", "pk"],
}
KINDS = ("IMAGE", "CHART")
PART_OF_DIGEST = re.compile(r"(?:sha)?(?:(?:256|512):)?[0-9a-f]+", re.ASCII)
MOST_LABELS = 100
"""Labels that can be chosen from."""


@require_safe
def show(request: HttpRequest, project: str, repository: str) -> HttpResponseBase:
    """The artifacts, with their tags, platforms and accessories."""
    found = place(request, project)
    row = repository_in(found, repository)
    choices = _choices(request, found.project)
    rows = _matching(row, query_of(request), choices)
    rows = rows.with_tags().with_references().with_accessories().with_labels()
    is_narrowed = query_of(request) or any(choice.chosen for choice in choices)
    seconds = UNTIL_COUNTED if request.GET.get("sort", "").endswith("pulled") else BRIEFLY
    pages = partial(_found, found.project.quota.update_time, seconds) if is_narrowed else Bounded
    shown = listing(request, rows, ORDERS, default="-pushed", choices=choices, pages=pages)
    artifacts = [Row.of(artifact, row) for artifact in shown.page]
    context = {"listing": shown, "rows": artifacts, "tab": "artifacts"}
    return render(request, "portal/repositories/show.html", {**context, **_frame(found, row)})


@require_safe
def info(request: HttpRequest, project: str, repository: str) -> HttpResponse:
    """What the repository is for, in its owners' words."""
    found = place(request, project)
    row = repository_in(found, repository)
    context = {"text": markdown(row.description), "tab": "info", **_frame(found, row)}
    return render(request, "portal/repositories/info.html", context)


def _frame(found: Place, row: Repository) -> dict[str, Any]:
    """What stands above a repository's tabs: how to pull its newest artifact, and how much it is used."""
    newest = Artifact.objects.filter(repository=row, tagged=True).listed().with_tags()
    newest_row = newest.order_by("-push_time", "-pk").first()
    tags = in_order(newest_row.tags.all()) if newest_row else []
    return {
        "repository": row,
        "newest": newest_row,
        "commands": commands_of(newest_row, row, tags) if newest_row else [],
        "push_commands": push_commands(found.project.name, row.name),
        "artifact_total": total(Artifact.objects.filter(repository=row).listed(), row.update_time),
        "tag_total": total(Tag.objects.filter(repository=row), row.update_time),
        "pulls": pulls_by_day(row.pull_days.all()),
        **found.context,
    }


def _choices(request: HttpRequest, project: Project) -> list[Choice]:
    kinds = [("IMAGE", _("Images")), ("CHART", _("Helm charts")), ("other", _("Everything else"))]
    tagged = [("yes", _("With a tag")), ("no", _("Without a tag"))]
    usable = Label.objects.usable_in(project).order_by("name", "pk").values_list("pk", "name")[:MOST_LABELS]
    labels = [(str(pk), name) for pk, name in usable]
    found = [choice_of(request, "kind", _("All kinds"), kinds), choice_of(request, "tagged", _("All tags"), tagged)]
    return [*found, choice_of(request, "label", _("All labels"), labels)] if labels else found


def _found(state: datetime, seconds: int, rows: ArtifactQuerySet, per_page: int) -> Bounded:
    """Pages of what takes long to look through."""
    ids = found_ids(rows, state, seconds)
    shown: Any = Found(rows, ids) if isinstance(ids, list) else rows
    return Bounded(shown, per_page)


def _matching(repository: Repository, query: str, choices: list[Choice]) -> ArtifactQuerySet:
    rows = Artifact.objects.filter(repository=repository).listed()
    kind, tagged, *label = (choice.chosen for choice in choices)
    if kind:
        rows = rows.exclude(type__in=KINDS) if kind == "other" else rows.filter(type=kind)
    if tagged:
        rows = rows.filter(tagged=tagged == "yes")
    if any(label):
        rows = rows.filter(Exists(ArtifactLabel.objects.filter(artifact=OuterRef("pk"), label=int(label[0]))))
    return rows.filter(_named(repository, query)) if query else rows


def _named(repository: Repository, query: str) -> Q:
    """The condition that `query` is a part of one of an artifact's tags, or of its digest where it can be."""
    tags = Tag.objects.filter(artifact=OuterRef("pk"), name__icontains=query)
    if PART_OF_DIGEST.fullmatch(query):
        # Asked of one row after the other, and the digest first, which is at hand. By the artifact alone: told the
        # repository too, PostgreSQL looks through all of its tags for each artifact.
        return Q(digest__contains=query) | Q(Exists(tags))
    return Q(Exists(tags.filter(repository=repository)))


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
        return reverse("portal:repository-info", args=[project, repository])

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
        ngettext(
            "%(count)s artifact goes with it.",
            "%(count)s artifacts go with it, each platform and accessory counted.",
            artifacts,
        )
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
