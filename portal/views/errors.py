"""The pages for what goes wrong outside a view of ours."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal import preferences


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same for what does not exist and for what the reader may not see."""
    preferences.apply(request)
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The reader knows that it exists, and may not."""
    return render(request, "403.html", status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """An error of ours. The page asks nothing of anything that may be broken."""
    return render(None, "500.html", status=500)
