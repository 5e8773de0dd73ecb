"""How a person likes the pages: language, theme, time zone. Kept with the user, so that every browser knows."""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.db import transaction

from accounts.actors import Actor
from accounts.errors import BadRequest, Forbidden
from accounts.models import User
from accounts.permissions import require_authenticated
from audit.actions import record

THEMES = ("light", "dark", "auto")


def set_preferences(
    actor: Actor,
    user: User,
    *,
    language: str | None = None,
    theme: str | None = None,
    time_zone: str | None = None,
) -> User:
    """Keep what is given of one's own preferences; an empty word takes one back, None leaves it as it is."""
    require_authenticated(actor)
    if actor.user_id != user.pk:
        raise Forbidden("preferences are everybody's own")
    wanted = {"language": language, "theme": theme, "time_zone": time_zone}
    changes = {name: value for name, value in wanted.items() if value is not None and value != getattr(user, name)}
    for name, value in changes.items():
        if value and value not in _choices(name):
            raise BadRequest("this is not one of the choices", name)
    if not changes:
        return user
    with transaction.atomic():
        for name, value in changes.items():
            setattr(user, name, value)
        user.save(update_fields=[*changes, "update_time"])
        changed = sorted(changes)
        record(actor, "update", "user", user.username, description="change preferences", changed=changed)
    return user


def _choices(name: str) -> set[str]:
    if name == "language":
        return set(dict(settings.LANGUAGES))
    return set(THEMES) if name == "theme" else time_zones()


def time_zones() -> set[str]:
    """The names of all time zones that this Python knows."""
    return zoneinfo.available_timezones()
