"""A project's quota in numbers and words: what fits, when to warn, and how either is told."""

from __future__ import annotations

WARNING = 85
"""Per cent of a quota; who crosses it, upward, is written down once for each crossing."""


def readable(amount: int) -> str:
    """Bytes as Harbor writes them: `20.1 MiB`."""
    if amount < 1024:
        return f"{amount} B"
    size, unit = float(amount), -1
    while size >= 1024 and unit < 5:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {'KMGTPE'[unit]}iB"


def fits(adding: int, used: int, hard: int) -> bool:
    """Whether a project that uses `used` bytes of `hard` has room for `adding` more; -1 is room for everything."""
    return hard < 0 or used + adding <= hard


def exceeded(adding: int, used: int, hard: int) -> str:
    """Harbor's sentence for what does not fit."""
    return (
        f"Quota exceeded when processing the request of adding {readable(adding)} of storage resource, "
        f"which when updated to current usage of {readable(used)} "
        f"will exceed the configured upper limit of {readable(hard)}."
    )


def crosses_warning(before: int, after: int, hard: int) -> bool:
    """Whether going from `before` to `after` bytes is when to warn."""
    return hard > 0 and before * 100 < hard * WARNING <= after * 100
