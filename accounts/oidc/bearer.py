"""Programs that bring an ID token of the provider's to the API, as Harbor allows it."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.actions import oidc_user
from accounts.actors import Actor
from accounts.oidc import provider
from accounts.oidc.provider import NotProven, Tokens
from configuration import values

LONGEST = 16 * 1024


def actor_of_id_token(request: HttpRequest) -> Actor | None:
    """The user whom the provider's token names, for as long as the token lasts; None for any other header.

    Nobody is made a user by it, and groups stay as the last login told them. Raises `Unavailable` where the provider's
    keys are not known and cannot be asked for.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or values.get("auth_mode") != "oidc_auth" or token.count(".") != 2:
        return None
    if not request.path_info.startswith("/api/") or len(token) > LONGEST:
        return None
    found = provider.configured()
    try:
        claims = found.verified(Tokens(access_token="", id_token=token.strip(), refresh_token="", expires_in=0))
    except NotProven:
        return None
    user = oidc_user(found.issuer, claims["sub"])
    return user.actor if user is not None and user.is_active else None
