"""The types of Harbor's configuration: each makes a value out of JSON or of text, or says what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Type = Callable[[Any], Any]
"""Takes JSON or text and gives the value; raises ValueError with a sentence that leaves the name of the key out."""

MOST = 9_999_999_999
MOST_BYTES = 1024 * 1024**4
"""1024 TB, Harbor's largest quota."""
LONGEST = 65_536
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def string(value: Any) -> str:
    """Text without control characters."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if len(value) > LONGEST or _CONTROL.search(value):
        raise ValueError("is too long or holds control characters")
    return value


def non_empty_string(value: Any) -> str:
    """Text that is not blank."""
    if not string(value).strip():
        raise ValueError("must not be empty")
    return str(value)


def password(value: Any) -> str:
    """Text that is sealed where it is kept, and never shown again."""
    return string(value)


def boolean(value: Any) -> bool:
    """True or false, by itself or in words."""
    words = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def integer(least: int, most: int) -> Type:
    """A whole number within these bounds."""

    def parse(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be a whole number")
        if not least <= value <= most:
            raise ValueError(f"must be between {least} and {most}")
        return value

    return parse


def quota(value: Any) -> int:
    """Bytes, or -1 for no limit."""
    amount: int = integer(-1, MOST_BYTES)(value)
    if amount == 0:
        raise ValueError("must be -1 or more than 0")
    return amount


def choice(*words: str) -> Type:
    """One of these words."""

    def parse(value: Any) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)

    return parse


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object; as text, an empty one may be written as nothing."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except ValueError:
            raise ValueError("must be a JSON object") from None
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")
    return value


def string_mapping(value: Any) -> dict[str, str]:
    """A JSON object whose values are text."""
    pairs = mapping(value)
    return {string(name): string(text) for name, text in pairs.items()}


def robot_prefix(value: Any) -> str:
    """What robots' names begin with. No colon, it would end the name in a login; no slash or blank."""
    if not re.fullmatch(r"[^\s:/\x00-\x1f\x7f]{1,64}", non_empty_string(value)):
        raise ValueError("must have at most 64 characters, without blanks, colons and slashes")
    return str(value)
