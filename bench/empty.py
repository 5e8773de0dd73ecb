"""Haven's settings and middleware around a view that does nothing: the ceiling of any view."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from harbor.settings import *  # noqa: F403


def nothing(request: HttpRequest) -> HttpResponse:
    """An empty answer."""
    return HttpResponse(b"")


ROOT_URLCONF = "bench.empty"
urlpatterns = [path("service/token", nothing), path("v2/empty", nothing)]
