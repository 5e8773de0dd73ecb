"""Parameters of query, header and path, bound as go-swagger binds them: what does not fit is 422."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from api.errors import Invalid
from api.query import whole
from api.shapes import Flag, Number, Property

FALSE = frozenset({"false", "0", "no", "n", "off", "f", "disabled", "unselected", "unchecked", "cancel"})
TRUE = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
"""What go-openapi takes for true. It takes everything else for false; we refuse what is neither."""


def text(request: HttpRequest, name: str) -> str | None:
    """The query parameter `name`; None if absent or empty. What no database can hold is refused."""
    return clean(request.GET.get(name), name, "query") or None


def clean(value: str | None, name: str, place: str) -> str:
    """`value` as it is, unless it holds a character that no name or word holds."""
    value = value or ""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid(f"{name} in {place} holds characters that are not allowed")
    return value


def check(request: HttpRequest, declared: Mapping[str, Property]) -> None:
    """Every parameter of the query that is `declared`, as it is declared; each that does not fit is a sentence."""
    wrong = []
    for name, part in declared.items():
        for value in request.GET.getlist(name):
            wrong += misfits(name, value, part, "query")
        if part.required and name not in request.GET:
            wrong.append(f"{name} in query is required")
    if wrong:
        raise Invalid(*wrong)


def misfits(name: str, value: str, part: Property, place: str) -> list[str]:
    """What is wrong with one value; an empty one counts as absent."""
    if not value:
        return []
    try:
        if isinstance(part, Number):
            found = integer(value, name, place)
            if part.maximum is not None and found > part.maximum:
                return [f"{name} in {place} should be less than or equal to {part.maximum}"]
        elif isinstance(part, Flag):
            one_of_flags(value, name, place)
        else:
            clean(value, name, place)
    except Invalid as error:
        return list(error.lines)
    return []


def one_of_flags(value: str, name: str, place: str) -> None:
    if value.lower() not in TRUE | FALSE:
        raise Invalid(f'{name} in {place} must be of type boolean: "{value[:64]}"')


def required(request: HttpRequest, name: str) -> str:
    """The query parameter `name`, which must be there; it may be empty for a search for everything."""
    if name not in request.GET:
        raise Invalid(f"{name} in query is required")
    return clean(request.GET[name], name, "query")


def integer(value: str, name: str, place: str = "path") -> int:
    """`value` as a 64 bit integer."""
    try:
        return whole(value)
    except ValueError:
        raise Invalid(f'{name} in {place} must be of type int64: "{value[:64]}"') from None


def number(request: HttpRequest, name: str, default: int, maximum: int | None = None) -> int:
    """The query parameter `name` as an integer; `default` if absent or empty."""
    value = request.GET.get(name)
    if not value:
        return default
    found = integer(value, name, "query")
    if maximum is not None and found > maximum:
        raise Invalid(f"{name} in query should be less than or equal to {maximum}")
    return found


def flag(request: HttpRequest, name: str, default: bool = False) -> bool:
    """The query parameter `name` as a boolean."""
    value = request.GET.get(name)
    return value.lower() in TRUE if value else default


def header_flag(request: HttpRequest, name: str) -> bool:
    """The header `name` as a boolean; false if absent."""
    value = request.headers.get(name, "")
    if value:
        one_of_flags(value, name, "header")
    return value.lower() in TRUE


def one_of(value: str, name: str, allowed: tuple[str, ...], place: str = "path") -> str:
    """`value`, which must be one of `allowed`."""
    if value not in allowed:
        raise Invalid(f"{name} in {place} should be one of [{' '.join(allowed)}]")
    return value
