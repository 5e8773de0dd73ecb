"""`GET /health`: whether each part of Haven answers. Always 200; the body tells."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from api.operations import operation
from api.shapes import ListOf, Shape, Text
from api.views import Endpoint
from jobs import pools
from tokens.upstream import registry

log = logging.getLogger(__name__)


class ComponentHealthStatus(Shape):
    name = Text()
    status = Text()
    error = Text()


class OverallHealthStatus(Shape):
    status = Text()
    components = ListOf(ComponentHealthStatus())


def check_itself() -> None:
    """Whoever answers is there."""


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_redis() -> None:
    cache.get("health")


def check_workers() -> None:
    if not pools.alive().exists():
        raise RuntimeError("no worker has been heard of lately")


def check_registry() -> None:
    registry().ping()


COMPONENTS: dict[str, Callable[[], None]] = {
    "core": check_itself,
    "database": check_database,
    "jobservice": check_workers,
    "portal": check_itself,
    "redis": check_redis,
    "registry": check_registry,
}
"""In the order of their names, as Harbor lists them."""


def status_of(name: str) -> dict[str, str]:
    """How the component `name` is. What is wrong stands in the log; strangers learn that much: it is not healthy."""
    try:
        COMPONENTS[name]()
    except Exception as error:  # whatever it is, that part is not well
        log.warning("%s is not healthy: %s", name, error)
        return {"name": name, "status": "unhealthy", "error": "it does not answer as it should"}
    return {"name": name, "status": "healthy"}


def overall() -> dict[str, Any]:
    """How everything is: unhealthy as soon as one part is."""
    components = [status_of(name) for name in COMPONENTS]
    well = all(component["status"] == "healthy" for component in components)
    return {"status": "healthy" if well else "unhealthy", "components": components}


class Health(Endpoint):
    @operation("getHealth", OverallHealthStatus, anybody=True)
    def get(self, request: Request) -> Response:
        return Response(OverallHealthStatus.of(overall()))


routes = [path("health", Health.as_view())]
