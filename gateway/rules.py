"""What a push has to pass before the registry hears of it; what must hold under a lock is in `artifacts.actions`.

A rule returns nothing, or raises; it has no `try`: an error is an error, never a pass.
"""

from __future__ import annotations

from collections.abc import Callable

from artifacts.actions import require_writable
from artifacts.books import pays_for
from artifacts.contents import Push
from projects.actions import require_room
from projects.models import Project
from registry.errors import NameUnknown


def registry_is_writable(push: Push) -> None:
    """Nothing is pushed in read-only mode."""
    require_writable()


PUSH_RULES: tuple[Callable[[Push], None], ...] = (registry_is_writable,)


def check_push(push: Push) -> None:
    """Return for a push that all rules let pass."""
    for rule in PUSH_RULES:
        rule(push)


def check_upload(project: Project | None, size: int = 0, digest: str = "") -> None:
    """Return where a blob may come: the project is there, and has room for `size` bytes, all that the client told us.

    What a project pays for already, known by its `digest`, needs no room. What is not told counts at the manifest.
    """
    if project is None:
        raise NameUnknown()
    require_writable()
    if not (digest and pays_for(project.pk, digest)):
        require_room(project.pk, size)
