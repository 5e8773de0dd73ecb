"""Signing in with the secret that a user of the provider has for docker and its friends (Harbor's CLI secret)."""

from __future__ import annotations

import logging
import re
import time

from django.http import HttpRequest
from django.utils import timezone

from accounts import actions
from accounts.actors import Actor, Kind
from accounts.attempts import Attempt
from accounts.digests import matches
from accounts.errors import Locked
from accounts.models import INITIAL_ADMIN, OidcAccount, User
from accounts.oidc import flow, provider
from accounts.oidc.provider import NotProven
from configuration import values

WAIT = 5.0
"""Seconds that a login waits for another one that asks the provider for the same person."""
_PLACES = re.compile(
    r"/(?:v2|service/token)(?:/.*)?"
    r"|/api/(?:version|v2\.0/(?:systeminfo|labels(?:/\d+)?|repositories"
    r"|projects(?:/[^/]+(?:/(?:repositories|artifacts)(?:/.*)?)?)?))/?"
)
_log = logging.getLogger(__name__)


class CliSecretBackend:
    """Users of the provider by name and CLI secret, for as long as the provider stands by them.

    When its token for them ends it is asked for another one, and what groups they are in now; where it gives none, or
    never gave a refresh token (scope `offline_access`), they have to sign in by the browser again. As in Harbor.
    """

    def actor_for(self, username: str, secret: str, attempt: Attempt) -> Actor | None:
        """The user, if that is the secret. Raises `Unavailable` where the provider has to be asked and is away."""
        if values.get("auth_mode") != "oidc_auth" or username.startswith(str(values.get("robot_name_prefix"))):
            return None
        user = User.objects.named(username).select_related("oidc").filter(oidc__isnull=False, is_active=True).first()
        if user is None or not matches(user.oidc.secret_digest, "cli secret", str(user.pk), secret):
            return None
        try:
            return _current(user).actor
        except NotProven as refusal:
            _log.info("the provider no longer stands by a user: %s", refusal.message)
            return None


def may_be_used(request: HttpRequest, actor: Actor) -> bool:
    """Whether who came by name and secret may be heard here: a CLI secret is for registries, not for administration."""
    if values.get("auth_mode") != "oidc_auth" or actor.kind is not Kind.USER or actor.user_id == INITIAL_ADMIN:
        return True
    return _PLACES.fullmatch(request.path_info) is not None


def _current(user: User) -> User:
    """The user as the provider knows them now; asked only when what it said last has ended."""
    account = user.oidc
    if _is_current(account):
        return user
    with actions.alone_refreshing(account) as mine:
        if mine:
            return _refreshed(user, account)
    give_up = time.monotonic() + WAIT
    while time.monotonic() < give_up:
        time.sleep(0.1)
        account.refresh_from_db()
        if _is_current(account):
            user.refresh_from_db()
            return user
        if account.refreshing_until is None:
            break
    raise Locked(1, "this login is being checked, try again")


def _is_current(account: OidcAccount) -> bool:
    return account.token_expires_at is not None and account.token_expires_at > timezone.now()


def _refreshed(user: User, account: OidcAccount) -> User:
    kept = actions.tokens_of(account)
    if kept is None or not kept.refresh_token:
        raise NotProven("there is no refresh token, sign in by the browser")
    found = provider.configured()
    if account.issuer != found.issuer:
        raise NotProven("the provider is another one now")
    tokens = found.refresh(kept.refresh_token)
    if tokens.id_token:
        claims = found.verified(tokens)
        if claims["sub"] != account.subject:
            raise NotProven("the provider tells of another person")
    else:
        claims = found.userinfo(tokens.access_token, account.subject)
        if not claims:
            raise NotProven("the provider tells nothing about the user")
    return actions.accept_login(user, flow.person_of(found, claims, tokens.access_token), tokens)
