"""Finding things: the page of the search, and the list in the command palette."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.actors import actor_of
from portal.artifacts import artifact_url
from portal.listing import query_of
from portal.navigation import pages
from portal.searching import Found, search

FOUND = 50
OFFERED = 6


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Everything that matches `?q=`, and that the reader may see."""
    query = query_of(request)
    found = search(actor_of(request), query, FOUND)
    return render(request, "portal/search.html", {"search_query": query, "found": found})


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """The entries of the command palette for `?q=`: pages, then what the search finds."""
    actor, query = actor_of(request), query_of(request)
    words = query.lower()
    entries = [entry for entry in pages(actor) if words in str(entry["label"]).lower()]
    shown = entries[:OFFERED] if query else entries
    sections = [(_("Pages"), shown), *_sections(search(actor, query, OFFERED))]
    context = {"sections": [(title, shown) for title, shown in sections if shown], "query": query}
    return render(request, "portal/components/palette_list.html", context)


def _sections(found: Found) -> list[tuple[str, list[dict[str, Any]]]]:
    projects = [
        {"url": reverse("portal:project", args=[row.name]), "label": row.name, "icon": "stack-2"}
        for row in found.projects
    ]
    repositories = [
        {"url": reverse("portal:repository", args=row.name.split("/", 1)), "label": row.name, "icon": "package"}
        for row in found.repositories
    ]
    artifacts = [
        {
            "url": artifact_url(hit.repository, hit.artifact.digest),
            "label": hit.name,
            "icon": "tag" if hit.tag else "cube",
            "note": hit.kind,
        }
        for hit in found.hits
    ]
    return [(_("Projects"), projects), (_("Repositories"), repositories), (_("Artifacts"), artifacts)]
