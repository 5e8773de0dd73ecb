"""What a user's fields must look like: Harbor's rules."""

from __future__ import annotations

import re
import unicodedata

from accounts.actors import ANONYMOUS, SYSTEM
from accounts.errors import BadRequest
from configuration import values

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_EMAIL = re.compile(r"[^<>()\[\]\\,;:\s@\"]+@(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,63}")
FORBIDDEN_IN_NAMES = ',"~#%$:'
"""Harbor's, and the colon, which would end the name in a login."""
RESERVED_NAMES = frozenset({ANONYMOUS.name, SYSTEM.name})


def is_one_line(text: str) -> bool:
    """Whether `text` has none of the characters that break lines, turn writing round or a database refuses."""
    return not _UNFIT.search(text)


def clean_username(username: str) -> str:
    """A name that is free of what would make it another's, or no name at all; in one spelling (NFKC)."""
    name = unicodedata.normalize("NFKC", username)
    if not 1 <= len(name) <= 255 or name != name.strip() or not is_one_line(name):
        raise BadRequest("the username must have 1 to 255 characters, without blanks around it", "username")
    if any(letter in name for letter in FORBIDDEN_IN_NAMES):
        raise BadRequest(f"the username must not contain any of {FORBIDDEN_IN_NAMES}", "username")
    if name.lower() in RESERVED_NAMES or name.lower().startswith(str(values.get("robot_name_prefix")).lower()):
        raise BadRequest("this username is reserved", "username")
    return name


def clean_email(email: str) -> str:
    """An e-mail address."""
    if len(email) > 255 or not _EMAIL.fullmatch(email):
        raise BadRequest("the e-mail address is not valid", "email")
    return email


def clean_realname(realname: str) -> str:
    """A person's name as they write it."""
    if not 1 <= len(realname) <= 255 or not is_one_line(realname):
        raise BadRequest("the name must have 1 to 255 characters", "realname")
    return realname


def clean_comment(comment: str) -> str:
    """A few words about a user."""
    if len(comment) > 30 or not is_one_line(comment):
        raise BadRequest("the comment must have at most 30 characters", "comment")
    return comment
