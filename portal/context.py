"""What every page shows around its content."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.actors import ANONYMOUS, Actor, actor_of
from accounts.errors import Locked
from configuration import values
from portal.navigation import navigation
from portal.preferences import LANGUAGES, preferences_of
from portal.settings import banner_text


def registry_host() -> str:
    """The address that docker and its friends are given: `registry.example.com`, with the port where it has one."""
    return urlsplit(settings.EXTERNAL_URL).netloc


def reader(request: HttpRequest) -> Actor:
    """Who reads the page; nobody where the name that came along is locked, so that a page can say so."""
    actor = actor_of(request)
    try:
        return actor if actor.is_authenticated else ANONYMOUS
    except Locked:
        return ANONYMOUS


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor of all pages."""
    actor = SimpleLazyObject(lambda: reader(request))
    return {
        "actor": actor,
        "navigation": SimpleLazyObject(lambda: navigation(reader(request), request.path)),
        "theme": preferences_of(request).theme,
        "languages": LANGUAGES,
        "banner": SimpleLazyObject(lambda: banner_text(values.get("banner_message"))),
        "read_only": SimpleLazyObject(lambda: bool(values.get("read_only"))),
        "host": registry_host(),
        "here": request.get_full_path() if request.method == "GET" else request.path,
    }
