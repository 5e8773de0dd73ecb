"""Reads the paths of Harbor's API as they were sent, and lets nothing but JSON out of them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.errors import BadRequest
from api import errors
from api.paths import BROKEN_ESCAPE, BadPath, canonical, raw_path


class Paths:
    """Cuts the path into segments before decoding it; a failure outside the operations is told in Harbor's form too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not f"{request.path_info}/".startswith(("/api/", "/c/")):
            return self.get_response(request)
        query = request.META.get("QUERY_STRING", "")
        try:
            if ";" in query or BROKEN_ESCAPE.search(query):
                raise BadPath("invalid query string")
            request.path_info = canonical(raw_path(request))
        except BadPath as problem:
            return errors.answer(BadRequest(str(problem)))
        response = self.get_response(request)
        if request.path_info.startswith("/c/oidc/"):
            return response  # pages: a browser comes here from the provider
        if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
            return response
        code = next((code for code, status in errors.STATUS.items() if status == response.status_code), "UNKNOWN")
        return errors.refusal(response.status_code, code, response.reason_phrase.lower())
