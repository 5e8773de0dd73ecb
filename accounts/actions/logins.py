"""Signing in: what is written down of it, and the refresh tokens by which docker clients do it again."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor, Kind
from accounts.digests import candidates, keyed
from accounts.errors import Forbidden
from accounts.models import INITIAL_ADMIN, RefreshToken
from accounts.permissions import require_authenticated
from audit.actions import record
from configuration import values

REFRESH_TOKEN_LIFETIME = timedelta(days=90)
MOST_REFRESH_TOKENS = 50
"""For each user; the oldest go."""
TOUCH = timedelta(hours=1)
"""How exactly a refresh token's last use is known: a login should not write each time."""


def record_login(name: str, success: bool, address: str = "", description: str = "") -> None:
    """Write down that somebody signed in as `name`, or tried to."""
    by = Actor(Kind.USER, name)
    with transaction.atomic():
        record(by, "login", "user", name, success=success, description=description, address=address)


def record_logout(actor: Actor) -> None:
    """Write down that `actor` signed out."""
    with transaction.atomic():
        record(actor, "logout", "user", actor.name)


def may_have_refresh_token(actor: Actor) -> bool:
    """Whether this is a person whose login ends here: who comes from elsewhere must be able to go there, too."""
    is_ours = values.get("auth_mode") == "db_auth" or actor.user_id == INITIAL_ADMIN
    return actor.kind is Kind.USER and is_ours


def issue_refresh_token(actor: Actor, client_id: str) -> str:
    """A secret by which a docker client signs in as this user for 90 days; only its keyed hash is kept."""
    require_authenticated(actor)
    if actor.user_id is None or not may_have_refresh_token(actor):
        raise Forbidden("only people get refresh tokens, and only those of Haven's own")
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    with transaction.atomic():
        mine = RefreshToken.objects.filter(user_id=actor.user_id)
        newest = mine.order_by("-pk").values_list("pk", flat=True)[: MOST_REFRESH_TOKENS - 1]
        mine.exclude(pk__in=list(newest)).delete()
        mine.filter(expires_at__lte=now).delete()
        RefreshToken.objects.create(
            user_id=actor.user_id,
            digest=keyed("refresh token", token),
            auth_epoch=actor.auth_epoch,
            client_id=client_id[:255].replace("\x00", ""),
            expires_at=now + REFRESH_TOKEN_LIFETIME,
        )
        record(actor, "login", "user", actor.name, description="a client signed in", client=client_id)
    return token


def actor_of_refresh_token(token: str) -> Actor | None:
    """Whose refresh token this is; None once it ended, the password changed or the user went."""
    now = timezone.now()
    found = (
        RefreshToken.objects.select_related("user")
        .filter(digest__in=candidates("refresh token", token), expires_at__gt=now)
        .filter(user__deleted=False, user__is_active=True)
        .first()
    )
    if found is None or found.auth_epoch != found.user.auth_epoch or not may_have_refresh_token(found.user.actor):
        return None
    if found.last_used is None or found.last_used < now - TOUCH:
        RefreshToken.objects.filter(pk=found.pk).update(last_used=now)
    return found.user.actor


def forget_expired_refresh_tokens() -> int:
    """Delete the refresh tokens that are over; how many. Nothing changes for anybody, so nothing is recorded."""
    return RefreshToken.objects.filter(expires_at__lte=timezone.now()).delete()[0]
