"""How an operation declares itself: `@operation` stands above the method that does it and says what it takes and what
it answers. The OpenAPI document is made of these declarations; the tests compare them with Harbor's contract, with the
routes and with what is really answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from api.shapes import Flag, Number, Property, Shape, Text

Method = TypeVar("Method", bound=Callable[..., Any])
Schema = type[Shape] | Sequence[type[Shape]] | Property | None
"""A shape, a list of a shape, a single property, or nothing at all."""
Parameters = Mapping[str, Property]

PAGED: dict[str, Property] = {"page": Number(default=1), "page_size": Number(default=10, maximum=100)}
LISTED: dict[str, Property] = {"q": Text(), "sort": Text(), **PAGED}
NAME_IN_LOCATION: Parameters = {"X-Resource-Name-In-Location": Flag(default=False)}
_BY_NAME: Parameters = {"X-Is-Resource-Name": Flag(default=False)}
NUMBERS = frozenset(
    {"execution_id", "group_id", "id", "label_id", "mid", "purge_id", "robot_id", "task_id", "user_id"},
)
"""Parameters of paths that are numbers; every other is text."""
METHODS = ("get", "head", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one path takes and answers. `id` is Harbor's operationId."""

    id: str
    answer: Schema = None
    status: int = 200
    query: Parameters = field(default_factory=dict)
    headers: Parameters = field(default_factory=dict)
    path: Parameters = field(default_factory=dict)
    """Only those parameters of the path that are more than a text or a number."""
    body: Schema = None
    body_required: bool = True
    errors: tuple[int, ...] = ()
    """Beside those that follow from the rest: see `refusals`."""
    anybody: bool = False
    """Nobody is ever refused: there is no 401 and no 403."""
    media_type: str = "application/json"
    texts: tuple[str, ...] = ()
    """Media types of texts that may be answered instead."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation where it is: its method and its path below `/api/v2.0`, and the module that holds it."""

    operation: Operation
    method: str
    path: str
    module: str

    @property
    def path_parameters(self) -> dict[str, Property]:
        names = re.findall(r"{(\w+)}", self.path)
        given = self.operation.path
        return {name: given.get(name) or (Number() if name in NUMBERS else Text()) for name in names}

    @property
    def headers(self) -> dict[str, Property]:
        by_name = _BY_NAME if "{project_name_or_id}" in self.path else {}
        return {"X-Request-Id": Text(), **by_name, **self.operation.headers}

    @property
    def refusals(self) -> list[int]:
        """The statuses of failure that may be answered."""
        found = {400, 422, 429, 500, 503, *self.operation.errors}
        if not self.operation.anybody:
            found |= {401, 403}
        if self.method not in ("GET", "HEAD"):
            found |= {403}  # read-only, or without the token of its session
        if self.operation.body is not None:
            found |= {413}
        if self.path_parameters:
            found |= {404}
        return sorted(found)


def operation(id: str, answer: Schema = None, **facts: Any) -> Callable[[Method], Method]:
    """Declare the method below as the operation `id` of Harbor, answering `answer`; `facts` are Operation's."""
    declared = Operation(id, answer, **facts)

    def declare(method: Method) -> Method:
        method.operation = declared  # type: ignore[attr-defined]
        return method

    return declare


def methods(routes: Sequence[Any]) -> Iterator[tuple[str, str, str, Operation | None]]:
    """Module, method, path and declaration of everything that `routes` answer, in their order."""
    for route in routes:
        view: Any = route.callback.view_class
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(route.pattern))
        for name in METHODS:
            if method := getattr(view, name, None):
                yield view.__module__.rpartition(".")[2], name.upper(), path, getattr(method, "operation", None)


def placed(routes: Sequence[Any]) -> Iterator[Placed]:
    """Every operation behind `routes` that declares itself."""
    for module, method, path, declared in methods(routes):
        if declared:
            yield Placed(declared, method, path, module)
