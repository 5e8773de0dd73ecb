"""What a push has to pass before the registry hears of it; what must hold under a lock is in `artifacts.actions`.

A rule returns nothing, or raises; it has no `try`: an error is an error, never a pass.
"""

from __future__ import annotations

from collections.abc import Callable

from accounts.errors import Denied
from artifacts.actions import require_writable
from artifacts.contents import Push
from configuration import values
from projects.models import Project, Quota
from registry.errors import NameUnknown


def registry_is_writable(push: Push) -> None:
    """Nothing is pushed in read-only mode."""
    require_writable()


PUSH_RULES: tuple[Callable[[Push], None], ...] = (registry_is_writable,)


def check_push(push: Push) -> None:
    """Return for a push that all rules let pass."""
    for rule in PUSH_RULES:
        rule(push)


def check_upload(project: Project | None) -> None:
    """Return where an upload may begin: the project is there, and has not used more than its quota."""
    if project is None:
        raise NameUnknown()
    require_writable()
    if not values.get("quota_per_project_enable"):
        return
    quota = Quota.objects.get(project=project)
    if 0 <= quota.hard < quota.used:
        raise Denied(f"Quota exceeded: the project uses {quota.used} bytes of {quota.hard}.")
