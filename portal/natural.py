"""The order in which people read versions: 1.9 before 1.10."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]+)")


def natural(name: str) -> list[tuple[int, int, str]]:
    """The sort key of `name`, in which runs of digits count as numbers."""
    return [_part(part) for part in _NUMBER.split(name.lower()) if part]


def _part(text: str) -> tuple[int, int, str]:
    """Of two numbers without leading zeroes the longer is the larger."""
    if not text[0].isdecimal():
        return 0, 0, text
    digits = text.lstrip("0")
    return 1, len(digits), digits
