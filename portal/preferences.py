"""How the reader wants pages: kept with the user who signed in, and in cookies for everybody else."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts import actions
from accounts.actions.preferences import THEMES, time_zones
from accounts.models import User

THEME_COOKIE = "haven_theme"
YEAR = 365 * 24 * 3600
LANGUAGES = (("en", "English"), ("zh-hans", "简体中文"))


@dataclass(frozen=True)
class Preferences:
    """What the reader chose; empty where nothing was chosen and the browser decides."""

    language: str
    theme: str
    time_zone: str


def reader_of(request: HttpRequest) -> User | None:
    """The user whose session this is."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def preferences_of(request: HttpRequest) -> Preferences:
    """The user's own choice first, then the browser's cookies."""
    user = reader_of(request)
    cookie = request.COOKIES.get(THEME_COOKIE, "auto")
    theme = (user.theme if user else "") or (cookie if cookie in THEMES else "auto")
    return Preferences(user.language if user else "", theme, user.time_zone if user else "")


def apply(request: HttpRequest) -> None:
    """Speak the reader's language and tell the reader's time for the rest of the request."""
    chosen = preferences_of(request)
    if chosen.language in dict(settings.LANGUAGES):
        translation.activate(chosen.language)
        request.LANGUAGE_CODE = translation.get_language()
    if chosen.time_zone:
        try:
            timezone.activate(zoneinfo.ZoneInfo(chosen.time_zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            timezone.deactivate()  # a zone that this machine does not know (any more)


def remember(request: HttpRequest, response: HttpResponse, **chosen: str) -> None:
    """Keep `language`, `theme` or `time_zone` with the user, and the first two in cookies."""
    if user := reader_of(request):
        known: dict[str, Any] = dict(chosen)
        actions.set_preferences(user.actor, user, **known)
    for name, value in chosen.items():
        if name == "theme":
            _set_cookie(response, THEME_COOKIE, value, settings.SESSION_COOKIE_SECURE)
        elif name == "language":
            _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, value, settings.LANGUAGE_COOKIE_SECURE)


def _set_cookie(response: HttpResponse, name: str, value: str, secure: bool) -> None:
    response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=secure)


def offered_time_zones() -> list[str]:
    """UTC, then the zones that are named after a place."""
    return ["UTC", *sorted(name for name in time_zones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))]
