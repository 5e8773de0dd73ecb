"""Doublestar patterns, as Harbor's rules use them: `*` and `?` within a component, `**` for any number of components,
`[a-z]`, `{a,b}`, and a backslash before what is meant literally.

No input makes matching slow: a component's expression never goes back behind a literal that it found.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 512
MOST_ALTERNATIVES = 64


class PatternInvalid(ValueError):
    """Not a pattern; the message is for people."""


class Pattern:
    """A pattern that has been read."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise PatternInvalid(f"a pattern has at most {LONGEST} characters")
        self._alternatives = [_components(each) for each in _expanded(text)]

    def matches(self, name: str) -> bool:
        """Whether the whole of `name` fits."""
        parts = name.split("/")
        return any(_match(components, parts) for components in self._alternatives)


@lru_cache(maxsize=1024)
def pattern(text: str) -> Pattern:
    """The pattern that `text` is. Raises PatternInvalid."""
    return Pattern(text)


def matches(text: str, name: str) -> bool:
    """Whether the pattern `text` fits `name`; an empty one fits everything."""
    return not text or pattern(text).matches(name)


Component = re.Pattern[str] | None
"""None is `**`."""


def _match(components: list[Component], parts: list[str]) -> bool:
    """Leftmost, going back only to the last `**`: what an earlier one could take besides, the last can as well."""
    at = part = 0
    star, star_part = -1, 0
    while part < len(parts):
        component = components[at] if at < len(components) else ...
        if component is None:
            star, star_part = at, part
            at += 1
        elif component is not ... and component.fullmatch(parts[part]):
            at += 1
            part += 1
        elif star >= 0:
            star_part += 1
            at, part = star + 1, star_part
        else:
            return False
    return all(component is None for component in components[at:])


def _components(text: str) -> list[Component]:
    return [None if part == "**" else re.compile(_expression(part), re.DOTALL) for part in _split(text)]


def _split(text: str) -> list[str]:
    """At slashes that neither a backslash nor brackets hold."""
    return [part.replace("\0", "/") for part in re.sub(r"\\/", "\0", text).split("/")]


def _expression(part: str) -> str:
    """A regular expression for one component; each star is followed by the first place where the rest up to the next
    star fits, and never by another."""
    pieces, position = [""], 0
    while position < len(part):
        letter = part[position]
        if letter == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif letter == "?":
            pieces[-1] += "."
        elif letter == "[":
            piece, position = _class(part, position)
            pieces[-1] += piece
        else:
            if letter == "\\":
                position += 1
                if position == len(part):
                    raise PatternInvalid("a pattern cannot end in a backslash")
            pieces[-1] += re.escape(part[position])
        position += 1
    first, *rest = pieces
    if not rest:
        return first
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return f"{first}{middle}.*{rest[-1]}"


def _class(part: str, start: int) -> tuple[str, int]:
    """`[a-z]`, `[^a-z]` or `[!a-z]` as a regular expression, and where it ends."""
    end = part.find("]", start + 2)
    inner = part[start + 1 : end]
    if end < 0 or not re.fullmatch(r"[!^]?[A-Za-z0-9._-]+", inner):
        raise PatternInvalid(f"not a set of characters: {part[start:][:32]!r}")
    negated = inner[0] in "!^"
    body = re.sub(r"([.\\\[\]^])", r"\\\1", inner[1:] if negated else inner)
    try:
        re.compile(f"[{body}]")
    except re.error as error:
        raise PatternInvalid(f"not a set of characters: {part[start:][:32]!r}") from error
    return f"[{'^' if negated else ''}{body}]", end


def _expanded(text: str) -> list[str]:
    """`text` without braces: each of its alternatives."""
    done: list[str] = []
    waiting = [text]
    while waiting:
        current = waiting.pop()
        braces = _innermost(current)
        if braces is None:
            done.append(current)
        else:
            start, end = braces
            waiting += [current[:start] + choice + current[end + 1 :] for choice in current[start + 1 : end].split(",")]
        if len(done) + len(waiting) > MOST_ALTERNATIVES:
            raise PatternInvalid(f"a pattern has at most {MOST_ALTERNATIVES} alternatives")
    return done


def _innermost(text: str) -> tuple[int, int] | None:
    """Where the first pair of braces without others inside begins and ends; None where there are none."""
    start, position = -1, 0
    while position < len(text):
        letter = text[position]
        if letter == "\\":
            position += 1
        elif letter == "{":
            start = position
        elif letter == "}":
            if start < 0:
                raise PatternInvalid("a } without its {")
            return start, position
        position += 1
    if start >= 0:
        raise PatternInvalid("a { without its }")
    return None
