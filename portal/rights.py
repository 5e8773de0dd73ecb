"""Permissions in the form that templates ask: `may.repository.delete`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from accounts.actors import Permission

Rights = dict[str, dict[str, bool]]


def rights(permissions: Iterable[Permission]) -> Rights:
    """`permissions` by resource, then action; hyphens become underscores, which templates can spell."""
    table: Rights = defaultdict(dict)
    for resource, action in permissions:
        table[resource.replace("-", "_")][action.replace("-", "_")] = True
    return dict(table)
