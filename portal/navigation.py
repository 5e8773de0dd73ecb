"""The entries of the side bar. An entry stands here once; who may not open it does not see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, Permission
from accounts.permissions import system_allowed


@dataclass(frozen=True)
class Entry:
    """A page of the side bar: `view` is its URL's name, `needs` what one must be allowed to in the system."""

    view: str
    label: Any
    icon: str
    needs: Permission | None = None
    arguments: tuple[str, ...] = ()


MAIN = (
    Entry("overview", _("Overview"), "layout-dashboard"),
    Entry("projects", _("Projects"), "stack-2"),
    Entry("search", _("Search"), "search"),
)
ADMINISTRATION = (
    Entry("users", _("Users"), "users", Permission("user", "list")),
    Entry("groups", _("Groups"), "users-group", Permission("user-group", "list")),
    Entry("system-robots", _("System robots"), "robot", Permission("robot", "list")),
    Entry("endpoints", _("Endpoints"), "server", Permission("registry", "list")),
    Entry("rules", _("Replication"), "refresh", Permission("replication-policy", "list")),
    Entry("system-labels", _("Labels"), "tags", Permission("label", "create")),
    Entry("quotas", _("Quotas"), "gauge", Permission("quota", "list")),
    Entry("audit", _("Audit log"), "clipboard-list", Permission("audit-log", "list")),
    Entry("jobs", _("Jobs"), "activity", Permission("jobservice-monitor", "list")),
    Entry("configuration", _("Configuration"), "settings", Permission("configuration", "update"), ("system",)),
    Entry("health", _("Health"), "heart-rate-monitor", Permission("system-volumes", "read")),
)
OWN = (Entry("profile", _("Profile"), "user"), Entry("password", _("Change password"), "key"))
SECTIONS: tuple[tuple[Any, tuple[Entry, ...]], ...] = (("", MAIN), (_("Administration"), ADMINISTRATION))


def navigation(actor: Actor, path: str) -> list[dict[str, Any]]:
    """The sections and entries that `actor` sees; the entry that `path` belongs to is marked as current."""
    may = system_allowed(actor)
    sections = []
    for title, entries in SECTIONS:
        shown = [_shown(entry, path) for entry in _permitted(entries, may)]
        if shown:
            sections.append({"title": title, "entries": shown})
    return sections


def pages(actor: Actor) -> list[dict[str, Any]]:
    """Every page of the side bar that `actor` may open, and one's own: what the command palette offers."""
    may = system_allowed(actor)
    entries = [entry for _, section in SECTIONS for entry in _permitted(section, may)]
    return [_shown(entry, "") for entry in (*entries, *(OWN if actor.is_authenticated else ()))]


def _permitted(entries: Iterable[Entry], may: frozenset[Permission]) -> list[Entry]:
    return [entry for entry in entries if entry.needs is None or entry.needs in may]


def _shown(entry: Entry, path: str) -> dict[str, Any]:
    url = reverse(f"portal:{entry.view}", args=entry.arguments)
    top = url.removesuffix("/".join(("", *entry.arguments))) if entry.arguments else url
    below = url != "/" and path.startswith(f"{top}/")
    current = "page" if path == url else "true" if below else ""
    return {"url": url, "label": entry.label, "icon": entry.icon, "current": current}
