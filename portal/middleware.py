"""What pages do with a refusal: one place that turns the domain's errors into pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from accounts import errors
from audit.memory import Busy
from configuration import values
from portal import kept, once, preferences
from portal.context import reader
from portal.forms import SignInForm

WRITABLE = frozenset(
    (
        *("sign-in", "sign-out", "provider-login", "provider-callback", "provider-onboard", "provider-logout"),
        *("preferences", "theme", "language", "configuration", "test-directory", "test-provider"),
        *("endpoint-new-test", "endpoint-test"),
        *(f"{prefix}rule-{form}-try" for prefix in ("", "project-") for form in ("new", "change")),
    )
)
"""Forms that are taken in read-only mode too: what lets people in, what ends the mode, what only asks."""
STATUSES: dict[type[errors.DomainError], int] = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.BadRequest: 400,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.Locked: 429,
    errors.Unavailable: 503,
}


class Pages:
    """Keeps pages out of caches, and answers a domain error with the page of its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self.get_response(request)
        finally:
            timezone.deactivate()
            once.release(request)
        if response.headers.get("Content-Type", "").startswith("text/html") and "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Speak as the reader wants, on pages alone: what machines read is the same for all. Refuse while read-only."""
        if not _is_page(request):
            return None
        preferences.apply(request)
        match = request.resolver_match
        if request.method == "POST" and match and match.url_name not in WRITABLE and values.get("read_only"):
            return render(request, "portal/refused.html", {"while_read_only": True}, status=403)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for `exception` where a page was asked for; None leaves it to others."""
        if not _is_page(request):
            return None
        if isinstance(exception, Busy):
            response = render(request, "portal/refused.html", status=503)
            response["Retry-After"] = str(exception.retry_after)
            return response
        if not isinstance(exception, errors.DomainError):
            return None
        is_gone = isinstance(exception, errors.NotFound)
        if isinstance(exception, errors.Unauthenticated) or is_gone and _has_ended(request):
            return sign_in_first(request)
        if is_gone:  # perhaps a question that was answered twice
            try:
                if done := once.outcome(request):
                    return HttpResponseRedirect(done)
            except errors.Conflict as error:
                exception = error  # the first is still at work
        status = next((code for kind, code in STATUSES.items() if isinstance(exception, kind)), 400)
        return render(request, f"{status}.html" if status in (403, 404) else "portal/refused.html", status=status)


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """Send the reader to sign in, and back to where they were; what they had typed goes with them."""
    if request.method == "POST" and request.POST and (form := kept.keep(request)):
        return render(
            request,
            "portal/account/sign_in.html",
            {"form": SignInForm(), "next": request.path, "kept": form},
            status=401,
        )
    back = {"next": request.get_full_path()} if request.method in ("GET", "HEAD") else {}
    url = reverse("portal:sign-in")
    return HttpResponseRedirect(f"{url}?{urlencode(back)}" if back else url)


def _has_ended(request: HttpRequest) -> bool:
    """Whether a form was sent by nobody: what it belongs to may be there for who signs in again, or may not. Signing up
    is for nobody else anyway.
    """
    match = request.resolver_match
    is_theirs = match is not None and match.url_name == "sign-up"
    return request.method == "POST" and not is_theirs and not reader(request).is_authenticated


def _is_page(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.app_name == "portal"
