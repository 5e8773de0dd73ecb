"""People whom a directory or a provider vouches for: the user that they are here, made when they first come."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts import rules
from accounts.errors import BadRequest, Conflict
from accounts.models import INITIAL_ADMIN, OidcAccount, User
from audit.actions import record

FROM_LDAP = "from LDAP."
FROM_OIDC = "Onboarded via OIDC provider"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as somebody else's server describes them. `issuer` and `subject` are OpenID Connect's."""

    username: str
    realname: str = ""
    email: str = ""
    issuer: str = ""
    subject: str = ""


def find_or_add_ldap_user(identity: Identity) -> User:
    """The user of this name, who is LDAP's. `Conflict` where the name is a local account's, `BadRequest` for no name.

    A name is no door to an account with a password of its own: an entry `admin` in the directory stays a stranger.
    """
    name = rules.clean_username(identity.username)
    user: User | None = User.objects.named(name).first()
    if user is None:
        try:
            return _add(identity, name, FROM_LDAP)
        except Conflict:  # somebody signed in at the same time, or the name is another's address
            user = User.objects.named(name).first()
            if user is None:
                raise
    if is_local(user):
        raise Conflict(f"{name} is a local account's name")
    return _with_address(user, identity)


def add_oidc_user(identity: Identity, username: str) -> User:
    """The user that this subject of this provider is, new under `username` where there is none yet.

    `Conflict` where the name is somebody's: nobody becomes another by a name or an e-mail address.
    """
    name = rules.clean_username(username)
    try:
        with transaction.atomic():
            user = _add(identity, name, FROM_OIDC)
            OidcAccount.objects.create(user=user, issuer=identity.issuer, subject=identity.subject)
    except (IntegrityError, Conflict):
        known = oidc_user(identity.issuer, identity.subject)  # onboarded at the same time, in another window
        if known is None:
            raise Conflict("a user of this name exists") from None
        return known
    return user


def oidc_user(issuer: str, subject: str) -> User | None:
    """The user that this subject of this provider is; None for nobody yet."""
    account = OidcAccount.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
    return account.user if account and not account.user.deleted else None


def is_local(user: User) -> bool:
    """Whether this account is Haven's own: the first administrator's, or one with a password kept here."""
    return bool(user.pk == INITIAL_ADMIN or user.has_usable_password())


def _add(identity: Identity, name: str, comment: str) -> User:
    user = User(username=name, realname=_realname(identity) or name, email=_address(identity), comment=comment)
    user.password = make_password(None)
    if user.email and User.objects.reached_at(user.email).exists():
        user.email = ""  # not worth refusing anybody; the other one keeps it
    if User.objects.reached_at(name).exists() or (user.email and User.objects.named(user.email).exists()):
        raise Conflict("a user of this name or e-mail address exists")
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            record(user.actor, "create", "user", user.username, description=comment)
    except IntegrityError:
        raise Conflict("a user of this name or e-mail address exists") from None
    return user


def _with_address(user: User, identity: Identity) -> User:
    """The user with the e-mail address that the directory has, where it is new and nobody else's."""
    address = _address(identity)
    taken = User.objects.exclude(pk=user.pk)
    if not address or address == user.email or taken.reached_at(address).exists() or taken.named(address).exists():
        return user
    try:
        with transaction.atomic():
            user.email = address
            user.save(update_fields=["email", "update_time"])
            record(user.actor, "update", "user", user.username, description="e-mail address from the directory")
    except IntegrityError:
        user.refresh_from_db(fields=["email"])
    return user


def _address(identity: Identity) -> str:
    try:
        return rules.clean_email(identity.email.strip())
    except BadRequest:
        return ""


def _realname(identity: Identity) -> str:
    try:
        return rules.clean_realname(identity.realname.strip()[:255])
    except BadRequest:
        return ""
