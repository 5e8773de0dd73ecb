"""One artifact: what it is, what it is made of, its tags, what belongs to it, its manifest."""

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

from accounts.errors import Conflict, NotFound, PreconditionFailed
from artifacts import actions
from artifacts.charts import read_chart
from artifacts.models import Artifact, ArtifactQuerySet, Reference, Repository
from portal import words
from portal.answers import Question, ask, posted, submit
from portal.artifacts import (
    Part,
    commands_of,
    companions,
    entries_of,
    in_order,
    is_index,
    kind_of,
    platform_name,
    platforms_of,
    pretty,
    wholes_of,
)
from portal.details import configuration_of
from portal.finding import Place, artifact_in, place, repository_in
from portal.forms import TagForm
from portal.history import build_of
from portal.listing import Bounded, Found, Listing
from portal.markdown import render as markdown
from portal.views.copying import is_accessory, may_copy
from projects.models import Label
from registry.errors import RegistryError
from tokens.upstream import registry

VIEWS = ("tags", "platforms", "layers", "config", "readme", "values", "dependencies", "accessories", "manifest")
MOST_LABELS = 100
"""Labels that can be chosen from."""
ENTRIES = 100
"""Entries of an index on a page."""
OF_CHARTS = ("readme", "values", "dependencies")


@require_safe
def show(request: HttpRequest, project: str, repository: str, digest: str) -> HttpResponse:
    """All about an artifact, a part at a time: `?view=` is one of VIEWS."""
    found, row, artifact = _find(request, project, repository, digest, _whole())
    return _page(request, found, row, artifact, TagForm())


@require_http_methods(["GET", "HEAD", "POST"])
def add_tag(request: HttpRequest, project: str, repository: str, digest: str) -> HttpResponseBase:
    """Point a tag at the artifact."""
    found, row, artifact = _find(request, project, repository, digest, _whole())
    found.require("tag", "create")
    form = TagForm(posted(request))

    def act(given: dict[str, Any]) -> str:
        actions.create_tag(found.actor, artifact, given["name"])
        messages.success(request, _("The tag %(name)s points here now.") % {"name": given["name"]})
        return reverse("portal:artifact", args=[project, repository, digest])

    taken = ("name", _("This repository has a tag of this name already. Delete it first."))
    answer = submit(request, form, act, {Conflict: taken})
    return answer or _page(request, found, row, artifact, form)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_tag(request: HttpRequest, project: str, repository: str, digest: str, tag: str) -> HttpResponseBase:
    """Take a tag away; the artifact stays."""
    found, row, artifact = _find(request, project, repository, digest)
    found.require("tag", "delete")
    named = artifact.tags.filter(name=tag).first()
    if named is None:
        raise NotFound
    others = artifact.tags.count() - 1
    if others:
        stays = ngettext(
            "The artifact stays, with %(count)s other tag.", "The artifact stays, with %(count)s other tags.", others
        ) % {"count": words.number(others)}
    else:
        stays = _("The artifact stays, without a tag: it can be pulled by its digest only.")
    back = reverse("portal:artifact", args=[project, repository, digest])
    question = Question(
        title=_("Delete the tag %(name)s?") % {"name": tag},
        effects=[_("Nobody can pull %(name)s any more.") % {"name": f"{row.name}:{tag}"}, stays],
        verb=_("Delete the tag"),
        back=back,
    )

    def act() -> str:
        actions.delete_tag(found.actor, named)
        messages.success(request, _("The tag %(name)s is deleted.") % {"name": tag})
        return back

    return ask(request, question, act, {})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, project: str, repository: str, digest: str) -> HttpResponseBase:
    """Delete an artifact with its tags and its accessories."""
    found, row, artifact = _find(request, project, repository, digest)
    found.require("artifact", "delete")
    question = Question(
        title=_("Delete the artifact %(digest)s?") % {"digest": words.short(digest)},
        effects=_effects(row, artifact),
        verb=_("Delete the artifact"),
        back=reverse("portal:artifact", args=[project, repository, digest]),
    )

    def act() -> str:
        actions.delete_artifact(found.actor, artifact)
        messages.success(request, _("The artifact %(digest)s is deleted.") % {"digest": words.short(digest)})
        return reverse("portal:repository", args=[project, repository])

    part = _("An index holds this artifact. Delete that one first.")
    return ask(request, question, act, {PreconditionFailed: part})


def _effects(row: Repository, artifact: Artifact) -> list[str]:
    tags = [tag.name for tag in in_order(artifact.tags.all())]
    accessories = artifact.accessories.count()
    effects = []
    if tags:
        effects.append(
            ngettext(
                "%(count)s tag of %(repository)s goes with it: %(names)s.",
                "%(count)s tags of %(repository)s share this digest and go with it: %(names)s.",
                len(tags),
            )
            % {"count": words.number(len(tags)), "repository": row.name, "names": ", ".join(tags[:10])}
        )
    if accessories:
        effects.append(
            ngettext("%(count)s accessory goes with it.", "%(count)s accessories go with it.", accessories)
            % {"count": words.number(accessories)}
        )
    return [*effects, _("Nobody can pull it any more. This cannot be undone.")]


def _find(
    request: HttpRequest, project: str, repository: str, digest: str, rows: ArtifactQuerySet | None = None
) -> tuple[Place, Repository, Artifact]:
    found = place(request, project)
    row = repository_in(found, repository)
    return found, row, artifact_in(row, digest, rows)


def _whole() -> ArtifactQuerySet:
    """With the tags and accessories that its page shows."""
    return Artifact.objects.with_tags().with_accessories()


def _page(request: HttpRequest, found: Place, row: Repository, artifact: Artifact, form: TagForm) -> HttpResponse:
    tags = in_order(artifact.tags.all())
    index = is_index(artifact)
    asked = request.GET.get("view", "tags")
    shown = asked if asked in VIEWS else "tags"
    entries = entries_of(artifact) if index else []
    context = {
        "repository": row,
        "artifact": artifact,
        "kind": kind_of(artifact),
        "index": index,
        "tags": tags,
        "form": form,
        "platforms": list(dict.fromkeys(name for _pk, name in entries if name))
        if index
        else platforms_of(artifact, row),
        "part_total": len(entries),
        "may_copy": not is_accessory(artifact) and may_copy(found),
        "wholes": wholes_of(artifact, row),
        "accessories": companions(artifact, row),
        "commands": commands_of(artifact, row, tags),
        "labels": list(artifact.labels.order_by("name", "pk")),
        "usable": Label.objects.usable_in(found.project)
        .exclude(artifacts=artifact)
        .order_by("name", "pk")[:MOST_LABELS],
        "shown": shown,
        **(_parts(request, row, entries) if shown == "platforms" else _part(artifact, shown, index)),
        **found.context,
    }
    status = 422 if request.method == "POST" and form.errors else 200
    return render(request, "portal/artifacts/show.html", context, status=status)


def _parts(request: HttpRequest, row: Repository, entries: list[tuple[int, str]]) -> dict[str, Any]:
    """A page of the entries of an index: there may be a thousand."""
    rows = Reference.objects.select_related("child").defer("child__extra_attrs", "child__annotations")
    found: Any = Found(rows, [pk for pk, _name in entries])
    page = Bounded(found, ENTRIES).get_page(request.GET.get("page"))
    parts = [Part(entry.child, platform_name(entry.platform), row) for entry in page]
    return {"parts": parts, "listing": Listing(page, query="", sort="")}


def _usable(found: Place, artifact: Artifact) -> Any:
    """The labels that may be put on the artifact, and are not on it."""
    return Label.objects.usable_in(found.project).exclude(artifacts=artifact).order_by("name", "pk")[:MOST_LABELS]


def _part(artifact: Artifact, shown: str, index: bool) -> dict[str, Any]:
    """What the part that is shown needs alone; the registry is asked where the database does not know."""
    if shown == "layers" and not index:
        return {"build": build_of(artifact)}
    if shown == "config":
        return {"facts": configuration_of(artifact)}
    if shown == "manifest":
        return {"manifest": pretty(bytes(artifact.manifest.content))}
    if shown in OF_CHARTS and artifact.type == "CHART":
        try:
            chart = read_chart(registry(), artifact)
        except RegistryError:
            return {"unreachable": True}
        return {"chart": chart, "readme": markdown(chart.readme)}
    return {}
