"""Harbor's schemas. A `Shape` reads a body strictly, as Go would, and writes one as go-swagger does: what is zero is
dropped, unless the contract says that it is always there; lists and times never are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist
from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.request import Request

from api.errors import Invalid

NEVER = "0001-01-01T00:00:00.000Z"
"""Go's zero time: what has not happened yet."""


def moment(value: datetime | None) -> str:
    """Harbor's date-time: UTC, three digits after the second; the zero time for None."""
    if value is None:
        return NEVER
    there = value if value.tzinfo is UTC else value.astimezone(UTC)
    return f"{there.isoformat(timespec='milliseconds')[:-6]}Z"  # "+00:00" ends it


class Property(serializers.Field[Any, Any, Any, Any]):
    """A property of a schema.

    `always`: shown even if zero (`x-omitempty: false`). `nullable`: a pointer in Go, so dropped only if absent.
    """

    kind: ClassVar[type | tuple[type, ...]] = object
    called: ClassVar[str] = ""
    zero: ClassVar[Any] = None
    default_error_messages = {"required": "is required", "null": "is required"}

    def __init__(self, *, always: bool = False, nullable: bool = False, required: bool = False, **options: Any) -> None:
        self.always, self.nullable = always, nullable
        super().__init__(required=required, allow_null=not required, **options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, self.kind) or (isinstance(data, bool) and self.kind is not bool):
            raise serializers.ValidationError(f"must be of type {self.called}: {described(data)}")
        return data

    def to_representation(self, value: Any) -> Any:
        return value

    def shown(self, value: Any) -> bool:
        """Whether `value`, as it is written, stands in the answer."""
        return self.always or (value is not None and (self.nullable or value != self.zero))


def described(data: Any) -> str:
    """A JSON value's type, in quotes, for an error: its content stays out of our answers."""
    names = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
    return f'"{names.get(type(data), "null")}"'


class Text(Property):
    kind, called, zero = str, "string", ""

    def __init__(self, *, max_length: int | None = None, one_of: tuple[str, ...] = (), **options: Any) -> None:
        self.max_length, self.one_of = max_length, one_of
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise serializers.ValidationError("holds characters that are not allowed")
        if self.max_length is not None and len(text) > self.max_length:
            raise serializers.ValidationError(f"should be at most {self.max_length} chars long")
        if self.one_of and text and text not in self.one_of:
            raise serializers.ValidationError(f"should be one of [{' '.join(self.one_of)}]")
        return text


class Number(Property):
    """A 64 bit integer; `maximum` is the largest that a parameter takes."""

    kind, called, zero = int, "int64", 0

    def __init__(self, *, maximum: int | None = None, **options: Any) -> None:
        self.maximum = maximum
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        number: int = super().to_internal_value(data)
        if not -(2**63) <= number < 2**63:
            raise serializers.ValidationError('must be of type int64: "number"')
        return number


class Flag(Property):
    kind, called, zero = bool, "boolean", False


class Map(Property):
    """An object of any keys, each `of` this kind if one is given; dropped if it has none."""

    kind, called, zero = dict, "object", {}

    def __init__(self, of: Property | Shape | None = None, **options: Any) -> None:
        self.of = of
        super().__init__(**options)


class TextMap(Map):
    """An object whose every value is a string."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(), **options)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        read = Text().to_internal_value
        pairs: dict[str, Any] = super().to_internal_value(data)
        return {read(key): read(value) for key, value in pairs.items() if value is not None}


class Moment(Property):
    """A date-time; never dropped, unless a pointer to none."""

    kind, called = str, "date-time"

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            known = "t" in text.lower() and parse_datetime(text) is not None
        except ValueError:  # it has the form of one, and no calendar knows it
            known = False
        if not known:
            raise serializers.ValidationError('must be of type date-time: "string"')
        return text

    def to_representation(self, value: datetime) -> str:
        return moment(value)

    def shown(self, value: Any) -> bool:
        return value is not None or not self.nullable


class Anything(Property):
    """Whatever JSON it is."""


class File(Property):
    """Content that is no JSON."""


class ListOf(Property):
    """An array of shapes or properties; null rather than dropped, unless `omitted` when empty."""

    kind, called = list, "array"

    def __init__(self, item: Property | Shape, *, omitted: bool = False, **options: Any) -> None:
        self.item, self.omitted = item, omitted
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[Any]:
        entries: list[Any] = super().to_internal_value(data)
        return [self.item.to_internal_value(entry) for entry in entries]

    def to_representation(self, value: Iterable[Any]) -> list[Any]:
        return [self.item.to_representation(entry) for entry in value]

    def shown(self, value: Any) -> bool:
        return bool(value) or not self.omitted


class Shape(serializers.Serializer[Any]):
    """An object of the contract. As a property of another it is a pointer: dropped if there is none."""

    def __init__(self, *args: Any, always: bool = False, **options: Any) -> None:
        self.always = always
        super().__init__(*args, **{"required": False, "allow_null": True, **options})

    def shown(self, value: Any) -> bool:
        return self.always or value is not None

    @cached_property
    def parts(self) -> list[tuple[str, Any, str, Any, Any]]:
        """Of each property: its name, itself, where it comes from, how to read that, how to write it if not as it is.

        A long list is a hundred thousand properties: what can be known beforehand is.
        """
        own: Mapping[str, Any] = self.fields
        return [
            (
                name,
                part,
                part.source,
                attrgetter(part.source),
                None if type(part).to_representation is Property.to_representation else part.to_representation,
            )
            for name, part in own.items()
        ]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        written = {}
        is_mapping = type(instance) is dict
        for name, part, source, read, write in self.parts:
            value = instance.get(source) if is_mapping and "." not in source else attribute(instance, part, read)
            if write is not None and value is not None:
                value = write(value)
            if value:  # nothing that is so is dropped
                written[name] = value
            elif part.shown(value):
                written[name] = zero_of(part) if value is None else value
        return written

    @classmethod
    def of(cls, instance: Any) -> dict[str, Any]:
        """`instance`, an object or a mapping, as this shape."""
        return writer(cls).to_representation(instance)

    @classmethod
    def each(cls, instances: Iterable[Any]) -> list[dict[str, Any]]:
        """Every one of `instances` as this shape."""
        return [cls.of(instance) for instance in instances]

    @classmethod
    def read(cls, request: Request, name: str, required: bool = True) -> dict[str, Any]:
        """The body of `request`, called `name` in the contract, without what is null. Invalid if it does not fit."""
        data = request.data if has_body(request) else None
        if data is None and required:
            raise Invalid(f"{name} in body is required")
        if data is None:
            return {}
        shape = cls(data=data)
        if not isinstance(data, dict):
            raise Invalid(f"{name} in body must be of type object: {described(data)}")
        if not shape.is_valid():
            raise Invalid(*lines(shape.errors))
        body: dict[str, Any] = given(shape.validated_data)
        return body


def attribute(instance: Any, part: Any, read: Any) -> Any:
    """What `instance` has for `part`; None where it has no such thing."""
    try:
        value = read(instance)
        if not callable(value):
            return value
    except (AttributeError, KeyError, ObjectDoesNotExist):  # it may be a mapping inside
        pass
    try:
        return part.get_attribute(instance)
    except serializers.SkipField:
        return None


@cache
def writer(shape: type[Shape]) -> Shape:
    """The one instance of `shape` that writes: making its fields costs more than a row does."""
    return shape()


def zero_of(part: Any) -> Any:
    return NEVER if isinstance(part, Moment) else getattr(part, "zero", None)


def has_body(request: Request) -> bool:
    """Whether anything was sent, whatever the media type."""
    return bool(request.body.strip())


def given(value: Any) -> Any:
    """`value` without its nulls: absent and null are the same to Go."""
    if isinstance(value, dict):
        return {key: given(entry) for key, entry in value.items() if entry is not None}
    return [given(entry) for entry in value] if isinstance(value, list) else value


def lines(errors: Any, path: str = "") -> list[str]:
    """One sentence for each of a serializer's errors: `metadata.public in body must be of type string`."""
    if isinstance(errors, dict):
        return [line for key, inner in errors.items() for line in lines(inner, f"{path}.{key}" if path else str(key))]
    if isinstance(errors, list):
        return [line for inner in errors for line in lines(inner, path)]
    return [f"{path.removesuffix('.non_field_errors')} in body {errors}"]
