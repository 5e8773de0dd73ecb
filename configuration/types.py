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
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_URL = re.compile(rf"https?://{_HOST}(?::\d{{1,5}})?(?:/[^\s?#\\\"<>]*)?", re.IGNORECASE)
LDAP_URL = re.compile(rf"(?:(ldaps?|ldap\+starttls)://)?({_HOST})(?::(\d{{1,5}}))?/?", re.IGNORECASE)
_ATTRIBUTE = r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)"
_RDN = rf'{_ATTRIBUTE}\s*=(?:[^,+"\\<>;\n]|\\[^\n])*'
_DN = re.compile(rf"{_RDN}(?:[,+]\s*{_RDN})*")
_PART = "\x01"
_ITEM = re.compile(r"\(\s*[A-Za-z0-9.;:_-]+\s*(?:[~<>:]?=)[^()\x01]*\)")
_COMPOUND = re.compile(r"\(\s*(?:[&|]\s*(?:\x01\s*)+|!\s*\x01\s*)\)")
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


def url(value: Any) -> str:
    """An http or https address, or nothing."""
    if string(value) and not _URL.fullmatch(value):
        raise ValueError("must be an http or https address without a password or a query")
    return str(value)


def ldap_url(value: Any) -> str:
    """Where a directory is: `ldap://`, `ldaps://`, or `ldap+starttls://` for TLS on the plain port."""
    if not LDAP_URL.fullmatch(non_empty_string(value).strip()):
        raise ValueError("must be like ldaps://directory.example.com, by ldap, ldaps or ldap+starttls")
    return str(value).strip()


def distinguished_name(value: Any) -> str:
    """A name in a directory (RFC 4514), or nothing."""
    text = string(value).strip()
    if text and not _DN.fullmatch(text):
        raise ValueError("must be a distinguished name, like ou=people,dc=example,dc=com")
    return text


def base_name(value: Any) -> str:
    """A distinguished name that is there."""
    return distinguished_name(non_empty_string(value))


def attribute(value: Any) -> str:
    """The name of a directory's attribute, or nothing."""
    text = string(value).strip()
    if text and not re.fullmatch(_ATTRIBUTE, text):
        raise ValueError("must be the name of an attribute, like uid")
    return text


def name_attribute(value: Any) -> str:
    """The name of an attribute that is there."""
    return attribute(non_empty_string(value))


def ldap_filter(value: Any) -> str:
    """A filter (RFC 4515), or nothing; the outermost parentheses may be left out."""
    text = string(value).strip()
    rest = text if text.startswith("(") else f"({text})"
    if len(text) > 4096:
        raise ValueError("must be a filter of at most 4096 characters")
    while (folded := _COMPOUND.sub(_PART, _ITEM.sub(_PART, rest))) != rest:
        rest = folded
    if text and rest != _PART:
        raise ValueError("must be a filter, like (objectClass=person)")
    return text


def pattern(value: Any) -> str:
    """A regular expression, or nothing."""
    if len(string(value)) > 1024:
        raise ValueError("must be a regular expression of at most 1024 characters")
    try:
        re.compile(value)
    except (re.error, RecursionError):
        raise ValueError("must be a regular expression") from None
    return str(value)


def scopes(value: Any) -> str:
    """What an OpenID Connect provider is asked for, separated by commas; `openid` among them, or nothing at all."""
    words = [word for word in re.split(r"[\s,]+", string(value)) if word]
    if words and "openid" not in words:
        raise ValueError("must hold openid")
    return ",".join(words)
