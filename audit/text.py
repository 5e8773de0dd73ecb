"""Text that came from outside, made fit for one line of a log and for every database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line ends, what turns the direction of writing, and halves of characters."""
_SECRET = re.compile(r"passw|pwd|secret|token|credential|authorization|cookie", re.IGNORECASE)
_MOST_ITEMS = 100
_DEEPEST = 4


def one_line(text: str, limit: int) -> str:
    r"""`text` on one line of at most `limit` characters: what is unfit is shown as `\u000a`, an end cut off as `…`."""
    line = _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def fit(value: Any, depth: int = 0) -> Any:
    """`value` as JSON that any database takes: lines cut, large things trimmed, what is named like a secret hidden."""
    if value is None or isinstance(value, bool | int):
        return value
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        shown = list(value.items())[:_MOST_ITEMS]
        return {one_line(str(key), 64): _shown(str(key), item, depth) for key, item in shown}
    if isinstance(value, list | tuple | set | frozenset):
        return [fit(item, depth + 1) for item in list(value)[:_MOST_ITEMS]]
    return one_line(str(value), 1024)


def _shown(key: str, value: Any, depth: int) -> Any:
    return "***" if _SECRET.search(key) else fit(value, depth + 1)
