"""The order in which people read versions: 1.9 before 1.10."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+)")


def natural(name: str) -> list[tuple[int, int, str]]:
    """The sort key of `name`, in which runs of digits count as numbers."""
    parts = (part for part in _NUMBER.split(name.lower()) if part)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]
