"""Every module of this package that has `routes` is a resource: to add one, write one file."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt

import api
from api import errors
from api.versions import Version


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    return errors.unknown_path(request.path)


def routes() -> list[URLPattern | URLResolver]:
    """The routes of all resources, below `/api/v2.0/`."""
    names = [found.name for found in pkgutil.iter_modules(api.__path__) if found.name != "urls"]
    return [route for name in names for route in getattr(import_module(f"api.{name}"), "routes", ())]


urlpatterns: list[URLPattern | URLResolver] = [
    path("version", Version.as_view()),
    path("v2.0/", include(routes())),
    re_path("", unknown),
]
