"""The vulnerabilities that are put up with: in every project, or in one that does not use the system's list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db import transaction

from accounts.actors import Actor
from accounts.errors import BadRequest
from accounts.permissions import require_system
from accounts.rules import is_one_line
from audit.actions import record
from projects.models import Allowlist, Project
from projects.permissions import require

MOST = 10_000
LONGEST = 128


def allowlist_of(project: Project | None) -> Allowlist:
    """The list of `project`, the system's for None; an empty one, not saved, where nobody made it."""
    return Allowlist.objects.filter(project=project).first() or Allowlist(project=project)


def follows_system(project: Project) -> bool:
    """Whether the system's list counts in `project`, as it does until somebody says otherwise."""
    return str(project.metadata.get("reuse_sys_cve_allowlist", "true")) == "true"


def set_allowlist(
    actor: Actor, project: Project | None, items: Sequence[str], *, expires_at: int | None = None
) -> Allowlist:
    """Put up with the vulnerabilities `items` alone, until `expires_at` in seconds of the epoch; None is for ever."""
    if project is None:
        require_system(actor, "configuration", "update")
    else:
        require(actor, "project", "update", project)
    given = {"items": _checked(items), "expires_at": expires_at}
    with transaction.atomic():
        allowlist, _ = Allowlist.objects.update_or_create(project=project, defaults=given)
        resource = project.name if project else "system"
        record(actor, "update", "cve-allowlist", resource, project=project, items=len(items))
    return allowlist


def _checked(items: Sequence[str]) -> list[str]:
    names = [item.strip() for item in items]
    if len(names) > MOST or any(not 0 < len(name) <= LONGEST or not is_one_line(name) for name in names):
        raise BadRequest(f"an allow-list holds up to {MOST} names of vulnerabilities", "items")
    if len(set(names)) < len(names):
        raise BadRequest(f"duplicate CVE ID in allowlist: {Counter(names).most_common(1)[0][0]}", "items")
    return names
