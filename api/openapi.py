"""OpenAPI 3 of what Haven really answers, made of the operations' own declarations; and Swagger UI to read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from api.operations import Placed, Schema, operation, placed
from api.shapes import File, Flag, ListOf, Map, Moment, Number, Property, Shape, Text
from api.system import VERSION
from api.views import Endpoint

BASE = "/api/v2.0"
ERROR = {"$ref": "#/components/schemas/Errors"}
ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            },
        }
    },
}
MEANINGS = {
    200: "Done",
    201: "Made",
    202: "Begun",
    400: "It makes no sense",
    401: "Nobody signed in",
    403: "Who signed in may not, or nobody may while the system is read-only",
    404: "There is no such thing, as far as the caller may know",
    405: "Not with this",
    409: "It exists already",
    412: "Something has to happen first",
    413: "The body is too large",
    422: "The request does not fit this declaration",
    429: "Too many wrong passwords",
    500: "Our fault",
    503: "Not now",
}


class Schemas:
    """Collects the schemas of shapes by name while they are asked for.

    A body may hold null for every property that need not be there, so the shape of one, and what it is made of, has a
    schema of its own where it is an answer as well.
    """

    def __init__(self) -> None:
        self.named: dict[str, Any] = {"Errors": ERRORS}
        self._shapes: dict[str, Mapping[str, Any]] = {}

    def of(self, schema: Schema, *, sent: bool = False) -> dict[str, Any]:
        """`schema` as JSON Schema in OpenAPI's dialect; `sent` for what clients send."""
        match schema:
            case None:
                return {}
            case type():
                return self.part(schema(), sent)
            case Property() | Shape():
                return self.part(schema, sent)
        (item,) = schema
        return {"type": "array", "items": self.of(item, sent=sent)}

    def part(self, part: Any, sent: bool) -> dict[str, Any]:
        match part:
            case Shape():
                return {"$ref": f"#/components/schemas/{self.name(part, sent)}"}
            case ListOf():
                return {"type": "array", "items": self.part(part.item, sent), "nullable": True}
            case Map():
                return {"type": "object", "additionalProperties": self.part(part.of, sent) if part.of else True}
        return simple(part)

    def name(self, shape: Shape, sent: bool) -> str:
        """The name of the schema of `shape`, which is there from now on."""
        name = type(shape).__name__ + ("Sent" if sent else "")
        parts: Mapping[str, Any] = shape.fields
        if name not in self.named:
            self.named[name] = {"type": "object"}  # a shape may hold itself
            self._shapes[name] = parts
            self.named[name] = self.shape(parts, sent)
        elif self._shapes[name].keys() != parts.keys():
            raise ValueError(f"two shapes are called {name}, and differ")
        return name

    def shape(self, parts: Mapping[str, Any], sent: bool) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": "object",
            "properties": {name: self.property(part, sent) for name, part in parts.items()},
        }
        if required := [name for name, part in parts.items() if (part.required if sent else always_there(part))]:
            found["required"] = required
        return found

    def property(self, part: Any, sent: bool) -> dict[str, Any]:
        schema = self.part(part, sent)
        if not sent or part.required:
            return schema
        if "$ref" in schema:
            return {"allOf": [schema], "nullable": True}
        return {**schema, "nullable": True, **({"enum": [*schema["enum"], "", None]} if "enum" in schema else {})}


def simple(part: Property) -> dict[str, Any]:
    """The schema of a property that holds no other."""
    match part:
        case Text():
            found: dict[str, Any] = {"type": "string"}
            found |= {"enum": list(part.one_of)} if part.one_of else {}
            return found | ({"maxLength": part.max_length} if part.max_length else {})
        case Number():
            found = {"type": "integer", "format": "int64"}
            return found | ({"maximum": part.maximum} if part.maximum is not None else {})
        case Flag():
            return {"type": "boolean"}
        case Moment():
            return {"type": "string", "format": "date-time"}
        case File():
            return {"type": "string", "format": "binary"}
    return {}


def always_there(part: Any) -> bool:
    """Whether an answer always holds `part`."""
    if isinstance(part, ListOf):
        return not part.omitted
    return bool(part.always) or (isinstance(part, Moment) and not part.nullable)


def parameter(name: str, place: str, part: Property) -> dict[str, Any]:
    """One parameter of an operation."""
    schema = simple(part)
    if isinstance(part.default, int | str):
        schema["default"] = part.default
    described = {"name": name, "in": place, "required": place == "path" or part.required, "schema": schema}
    # Empty is absent, as Harbor has it.
    return described | ({"allowEmptyValue": True} if place == "query" and not part.required else {})


def described(found: Placed, schemas: Schemas) -> dict[str, Any]:
    """One operation of the document."""
    declared = found.operation
    places = (("path", found.path_parameters), ("query", declared.query), ("header", found.headers))
    document: dict[str, Any] = {
        "operationId": declared.id,
        "tags": [found.module],
        "parameters": [parameter(name, place, part) for place, parts in places for name, part in parts.items()],
        "responses": {str(declared.status): success(found, schemas)},
    }
    if declared.body is not None:
        schema = schemas.of(declared.body, sent=True)
        if not declared.body_required:  # null is no body
            schema = {"allOf": [schema], "nullable": True}
        document["requestBody"] = {
            "required": declared.body_required,
            "content": {"application/json": {"schema": schema}},
        }
    for status in found.refusals:
        told = {"$ref": f"#/components/responses/{status}"}
        document["responses"][str(status)] = told if found.method != "HEAD" else {"description": MEANINGS[status]}
    return document


def success(found: Placed, schemas: Schemas) -> dict[str, Any]:
    """What is answered where all is well."""
    declared = found.operation
    answer: dict[str, Any] = {"description": MEANINGS[declared.status]}
    names = ["X-Request-Id"] + (["Location"] if declared.status == 201 else [])
    answer["headers"] = {name: {"schema": {"type": "string"}} for name in names}
    if "page" in declared.query and not isinstance(declared.answer, type):
        answer["headers"] |= {"Link": {"schema": {"type": "string"}}, "X-Total-Count": {"schema": {"type": "integer"}}}
    if declared.answer is not None and found.method != "HEAD":
        answer["content"] = {declared.media_type: {"schema": schemas.of(declared.answer)}}
        answer["content"] |= {text: {"schema": {"type": "string"}} for text in declared.texts}
    return answer


def document(operations: Iterable[Placed]) -> dict[str, Any]:
    """The whole document."""
    schemas, paths = Schemas(), dict[str, dict[str, Any]]()
    for found in operations:
        paths.setdefault(found.path, {})[found.method.lower()] = described(found, schemas)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Haven", "version": VERSION, "description": "The registry's REST API, in Harbor's dialect."},
        "servers": [{"url": BASE}],
        "security": [{"basic": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "responses": {
                str(status): {"description": meaning, "content": {"application/json": {"schema": ERROR}}}
                for status, meaning in MEANINGS.items()
                if status >= 400
            },
            "schemas": schemas.named,
        },
    }


@cache
def haven() -> dict[str, Any]:
    """The document of everything that is built."""
    return document(placed(import_module("api.urls").routes()))


class OpenAPI(Endpoint):
    @operation("getOpenAPI", Map(), anybody=True)
    def get(self, request: Request) -> Response:
        return Response(haven())


def reader(request: HttpRequest) -> HttpResponse:
    """`/devcenter-api-2.0`: Swagger UI, from our own static files alone."""
    return render(request, "api/devcenter.html")


routes = [path("openapi.json", OpenAPI.as_view())]
