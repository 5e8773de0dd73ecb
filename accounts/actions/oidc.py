"""What a login at the OpenID Connect provider leaves here: groups, the provider's tokens, the secret for docker."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import passwords
from accounts.actions.groups import Known, refresh_groups
from accounts.actions.people import require_self_or
from accounts.actors import Actor
from accounts.digests import keyed
from accounts.errors import NotFound, PreconditionFailed
from accounts.models import Group, OidcAccount, User
from accounts.oidc.flow import Claimed
from accounts.oidc.provider import Tokens
from audit.actions import record
from configuration import values
from configuration.sealed import seal, unseal

REFRESHING = timedelta(seconds=30)
"""How long one may ask for new tokens before another one tries."""


def accept_login(user: User, person: Claimed, tokens: Tokens) -> User:
    """`user` as the provider just described them: in these groups, and with these tokens."""
    keep_tokens(user.oidc, tokens)
    known = [Known(name) for name in person.groups]
    return refresh_groups(user, Group.Type.OIDC, known, admin=person.admin)


def keep_tokens(account: OidcAccount, tokens: Tokens) -> None:
    """Seal the provider's tokens; a refresh token that it did not give anew stays. Nothing changes for anybody."""
    before = tokens_of(account)
    kept = {
        "access_token": tokens.access_token,
        "id_token": tokens.id_token or (before.id_token if before else ""),
        "refresh_token": tokens.refresh_token or (before.refresh_token if before else ""),
    }
    account.token = seal(json.dumps(kept))
    account.token_expires_at = timezone.now() + timedelta(seconds=tokens.expires_in)
    account.refreshing_until = None
    account.save(update_fields=["token", "token_expires_at", "refreshing_until", "update_time"])


def tokens_of(account: OidcAccount) -> Tokens | None:
    """The tokens that are kept; None where there are none, or none that can be opened."""
    opened = unseal(account.token) if account.token else None
    if opened is None:
        return None
    return Tokens(**json.loads(opened), expires_in=0)


@contextmanager
def alone_refreshing(account: OidcAccount) -> Iterator[bool]:
    """Whether the caller is the one who asks the provider for new tokens now: it may take an old one only once."""
    now = timezone.now()
    free = Q(refreshing_until=None) | Q(refreshing_until__lt=now)
    rows = OidcAccount.objects.filter(free, pk=account.pk, token_expires_at=account.token_expires_at)
    mine = bool(rows.update(refreshing_until=now + REFRESHING))
    try:
        yield mine
    finally:
        if mine:
            OidcAccount.objects.filter(pk=account.pk).update(refreshing_until=None)


def set_cli_secret(actor: Actor, user: User, secret: str = "") -> str:
    """Give `user` the secret by which docker signs them in, a random one where none is named; the old one ends.

    Only its keyed hash is kept: who does not write the answer down makes another.
    """
    if values.get("auth_mode") != "oidc_auth":
        raise PreconditionFailed(f"unable to update CLI secret under authmode: {values.get('auth_mode')}")
    require_self_or(actor, user, "update")
    if secret:
        passwords.check_rules(secret, "secret")
    chosen = secret or secrets.token_urlsafe(32)
    with transaction.atomic():
        digest = keyed("cli secret", str(user.pk), chosen)
        account = OidcAccount.objects.select_for_update().filter(user=user).first()
        if account is None:
            raise NotFound("this user did not sign in by OpenID Connect")
        account.secret_digest = digest
        account.save(update_fields=["secret_digest", "update_time"])
        # Tokens that docker already holds end with the secret that they were given for.
        locked = User.objects.select_for_update().get(pk=user.pk)
        locked.auth_epoch += 1
        locked.save(update_fields=["auth_epoch", "update_time"])
        user.auth_epoch = locked.auth_epoch
        record(actor, "update", "user", user.username, description=f"set CLI secret of user: {user.username}")
    return chosen
