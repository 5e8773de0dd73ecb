"""People's accounts. No function takes a field that is not its own: no profile makes an administrator."""

from __future__ import annotations

import time

from django.db import IntegrityError, transaction

from accounts import passwords, rules, scratch
from accounts.actors import SYSTEM, Actor, Kind
from accounts.attempts import Attempt
from accounts.digests import keyed
from accounts.errors import BadRequest, Conflict, Forbidden, Locked, NotFound, PreconditionFailed
from accounts.models import INITIAL_ADMIN, GroupMembership, OidcAccount, User
from accounts.permissions import require_system
from audit.actions import record
from configuration import values

REGISTRATIONS = 20
"""Accounts that people make for themselves from one address in a period."""
PERIOD = 15 * 60
"""Seconds."""


def create_user(
    actor: Actor,
    *,
    username: str,
    password: str,
    email: str,
    realname: str,
    comment: str = "",
    address: str = "",
) -> User:
    """A new user, without any rights. Anonymous may do it where self-registration is on, so often from one `address`.

    Raises `Locked` beyond that.
    """
    if values.get("auth_mode") != "db_auth":
        raise Forbidden("users come from elsewhere in this authentication mode")
    if actor.is_authenticated or not values.get("self_registration"):
        require_system(actor, "user", "create")
    user = User(
        username=rules.clean_username(username),
        email=rules.clean_email(email),
        realname=rules.clean_realname(realname),
        comment=rules.clean_comment(comment),
    )
    passwords.check_rules(password)
    if not actor.is_authenticated:
        _count_registration(address)
    user.password = passwords.hashed(password, known=actor.is_authenticated)
    return _add(actor, user)


def _count_registration(address: str) -> None:
    period, passed = divmod(int(time.time()), PERIOD)
    if scratch.count(f"registered:{period}:{keyed('registered', address)}", PERIOD) > REGISTRATIONS:
        raise Locked(PERIOD - passed, "too many accounts were made from this address, try again later")


def create_first_admin(password: str) -> User | None:
    """The administrator of a fresh installation, named `admin`; None where there is one already."""
    if User.everyone.filter(is_admin=True).exists():
        return None
    passwords.check_rules(password)
    admin = User(username="admin", realname="system admin", comment="admin user", is_admin=True)
    admin.set_password(password)
    return _add(SYSTEM, admin)


def update_user(actor: Actor, user: User, *, email: str, realname: str, comment: str) -> User:
    """Change a profile: one's own, or anybody's for who may."""
    require_self_or(actor, user, "update")
    _require_kept_here(user)
    profile = rules.clean_email(email), rules.clean_realname(realname), rules.clean_comment(comment)
    try:
        with transaction.atomic():
            _lock(user)
            user.email, user.realname, user.comment = profile
            _require_unlike(user)
            user.save(update_fields=["email", "realname", "comment", "update_time"])
            record(actor, "update", "user", user.username)
    except IntegrityError:
        raise Conflict("this e-mail address is in use") from None
    return user


def set_password(actor: Actor, user: User, new: str, old: str | None = None, address: str = "") -> None:
    """Give `user` a new password: one's own needs the old one. Ends sessions, refresh tokens and docker's tokens."""
    require_self_or(actor, user, "update")
    _require_kept_here(user)
    passwords.check_rules(new, "new_password")
    identity = (str(user.pk), str(user.auth_epoch))
    if actor.user_id == user.pk:
        attempt = Attempt(f"{user.username.lower()} old password", address)
        if not passwords.is_right(old or "", user.password, *identity, before=attempt.check):
            attempt.failed()
            raise Forbidden("the old password is not right")
        attempt.succeeded()
    if passwords.is_right(new, user.password, *identity):
        raise BadRequest("the new password is the old one", "new_password")
    epoch, encoded = user.auth_epoch, passwords.hashed(new)
    with transaction.atomic():
        _lock(user)
        if user.auth_epoch != epoch:
            raise Conflict("somebody else just changed this password")
        user.password, user.auth_epoch = encoded, epoch + 1
        user.save(update_fields=["password", "auth_epoch", "update_time"])
        user.refresh_tokens.all().delete()
        record(actor, "update", "user", user.username, description=f"change password of user: {user.username}")


def set_admin(actor: Actor, user: User, flag: bool) -> None:
    """Make `user` an administrator, or no longer. Only an administrator may; never the last one's own end."""
    require_system(actor, "user", "update")
    if not actor.is_admin:
        raise Forbidden("only an administrator makes administrators")
    with transaction.atomic():
        if not flag:
            _require_another_admin(user)
        _lock(user)
        user.is_admin = flag
        user.save(update_fields=["is_admin", "update_time"])
        word = "grant" if flag else "revoke"
        record(actor, "update", "user", user.username, description=f"{word} administrator: {user.username}")


def set_active(actor: Actor, user: User, flag: bool) -> None:
    """Let `user` in again, or shut out; sessions and tokens end at once."""
    _require_power_over(actor, user, "update")
    if actor.user_id == user.pk and not flag:
        raise Forbidden("nobody shuts themselves out")
    with transaction.atomic():
        if not flag:
            _require_another_admin(user)
        _lock(user)
        user.is_active = flag
        user.auth_epoch += 1
        user.save(update_fields=["is_active", "auth_epoch", "update_time"])
        record(actor, "update", "user", user.username, description=f"{'en' if flag else 'dis'}able: {user.username}")


def delete_user(actor: Actor, user: User) -> None:
    """Delete `user`. The row stays, without name, groups and password, so that what it did can be told apart."""
    _require_power_over(actor, user, "delete")
    if user.pk in (INITIAL_ADMIN, actor.user_id):
        raise Forbidden("neither the first administrator nor oneself can be deleted")
    with transaction.atomic():
        _require_another_admin(user)
        _lock(user)
        username = user.username
        user.username = _marked(username, user.pk)
        user.email = _marked(user.email, user.pk) if user.email else ""
        user.realname = user.comment = ""
        user.deleted, user.is_active, user.is_admin, user.admin_by_group = True, False, False, False
        user.auth_epoch += 1
        user.set_unusable_password()
        user.save()
        user.refresh_tokens.all().delete()
        GroupMembership.objects.filter(user=user).delete()
        OidcAccount.objects.filter(user=user).delete()
        record(actor, "delete", "user", username)


def _add(actor: Actor, user: User) -> User:
    try:
        with transaction.atomic():
            _require_unlike(user)
            user.save(force_insert=True)
            by = actor if actor.is_authenticated else user.actor
            record(by, "create", "user", user.username)
    except IntegrityError:
        raise Conflict("a user of this name or e-mail address exists") from None
    return user


def _require_unlike(user: User) -> None:
    """Nobody's name is another's e-mail address: either signs in."""
    others = User.objects.exclude(pk=user.pk)
    if others.named(user.email).exists() or others.reached_at(user.username).exists():
        raise Conflict("a user of this name or e-mail address exists")


def require_self_or(actor: Actor, user: User, action: str) -> None:
    """Return if `actor` is `user`, or may do this to them; an administrator's account is changed by one alone."""
    if actor.kind is not Kind.USER or actor.user_id != user.pk:
        _require_power_over(actor, user, action)


def _require_kept_here(user: User) -> None:
    """What a directory or a provider says of a person is changed there; a password of ours would shut them out."""
    if values.get("auth_mode") != "db_auth" and user.pk != INITIAL_ADMIN:
        raise Forbidden(f"User with ID {user.pk} can't be updated: it is kept elsewhere")


def _require_power_over(actor: Actor, user: User, action: str) -> None:
    """Who may manage users may not manage administrators by that: only an administrator does."""
    require_system(actor, "user", action)
    if user.actor.is_admin and not actor.is_admin:
        raise Forbidden("only an administrator changes an administrator")


def _require_another_admin(user: User) -> None:
    """`user` may stop being an administrator only while another one stays. The rows are locked: two cannot both go."""
    administrators = list(User.objects.administrators().select_for_update().order_by("pk").values_list("pk", flat=True))
    if administrators == [user.pk]:
        raise PreconditionFailed("the last administrator must stay one")


def _lock(user: User) -> None:
    """Make `user` what the row says now, and let nobody else change it until the transaction ends."""
    try:
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
    except User.DoesNotExist:
        raise NotFound(f"user {user.pk} not found") from None


def _marked(text: str, pk: int) -> str:
    mark = f"#{pk}"
    return text[: 255 - len(mark)] + mark
