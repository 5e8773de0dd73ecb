from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from accounts.actors import Actor, Kind

INITIAL_ADMIN = 1
"""The id of the first administrator, who signs in with a password of Haven's own whatever the others do."""


class UserQuerySet(models.QuerySet["User"]):
    def search(self, text: str) -> UserQuerySet:
        """Users whose name contains `text`, taken literally, without regard to case."""
        return self.filter(username__icontains=text)

    def named(self, username: str) -> UserQuerySet:
        """The user of this name, without regard to case; none or one."""
        return self.alias(lower_name=Lower("username")).filter(lower_name=Lower(models.Value(username)))

    def reached_at(self, email: str) -> UserQuerySet:
        """The user of this e-mail address, without regard to case; none or one."""
        same = self.alias(lower_email=Lower("email")).filter(lower_email=Lower(models.Value(email)))
        return same.exclude(email="")

    def administrators(self) -> UserQuerySet:
        """Who may do everything, and can sign in."""
        return self.filter(is_admin=True, is_active=True)


class UserManager(models.Manager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Users that exist; a deleted one keeps its row for the audit log's sake but is in no list."""

    def get_queryset(self) -> UserQuerySet:
        queryset: UserQuerySet = super().get_queryset().filter(deleted=False)
        return queryset

    def get_by_natural_key(self, username: str) -> User:
        user: User = self.get(username=username)
        return user


class User(AbstractBaseUser):
    """A person. `username` and `email` are unique without regard to case."""

    username = models.CharField(max_length=255)
    email = models.CharField(max_length=255, blank=True, default="")
    realname = models.CharField(max_length=255, blank=True, default="")
    comment = models.CharField(max_length=255, blank=True, default="")
    is_admin = models.BooleanField(default=False)
    admin_by_group = models.BooleanField(default=False, db_default=False)
    """An administrator for as long as the directory or provider says so, asked at each login."""
    is_active = models.BooleanField(default=True)
    deleted = models.BooleanField(default=False)
    auth_epoch = models.PositiveIntegerField(default=0)
    language = models.CharField(max_length=16, blank=True, default="")
    theme = models.CharField(max_length=8, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="")
    """A name of the IANA database; empty where times are shown in UTC."""
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    USERNAME_FIELD = "username"
    objects = UserManager()
    everyone = models.Manager["User"]()

    class Meta:
        base_manager_name = "everyone"
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_username_unique"),
            models.UniqueConstraint(Lower("email"), name="user_email_unique", condition=~models.Q(email="")),
        ]
        indexes = [models.Index(fields=["username", "id"], name="user_username_id")]

    def __str__(self) -> str:
        return self.username

    def get_session_auth_hash(self) -> str:
        """Changes with the password and with `auth_epoch`, and ends every session that began before."""
        return salted_hmac("accounts.session", f"{self.password} {self.auth_epoch}", algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same with the secret keys that are still accepted."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            text = f"{self.password} {self.auth_epoch}"
            yield salted_hmac("accounts.session", text, secret=secret, algorithm="sha256").hexdigest()

    @property
    def actor(self) -> Actor:
        """This user as an actor."""
        return Actor(
            Kind.USER,
            self.username,
            user_id=self.pk,
            is_admin=self.is_admin or self.admin_by_group,
            auth_epoch=self.auth_epoch,
        )


class Group(models.Model):
    """A group of users. Its type follows Harbor: 1 LDAP, 2 HTTP, 3 OIDC."""

    class Type(models.IntegerChoices):
        LDAP = 1
        HTTP = 2
        OIDC = 3

    name = models.CharField(max_length=255)
    type = models.SmallIntegerField(choices=Type.choices)
    ldap_group_dn = models.CharField(max_length=512, blank=True, default="")
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "name", "ldap_group_dn"], name="group_unique")]

    def __str__(self) -> str:
        return self.name


class GroupMembership(models.Model):
    """A user's place in a group."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="group_membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"


class OidcAccount(models.Model):
    """Who a user is to the OpenID Connect provider, and the secret by which docker signs them in.

    The secret's keyed SHA-256 is kept; the provider's tokens are sealed, and asked anew when they end.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="oidc")
    issuer = models.CharField(max_length=512)
    subject = models.CharField(max_length=255)
    secret_digest = models.CharField(max_length=64, blank=True, default="")
    token = models.TextField(blank=True, default="")
    token_expires_at = models.DateTimeField(null=True)
    refreshing_until = models.DateTimeField(null=True)
    """While somebody asks for a new token: a provider that rotates them takes the old one once."""
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="oidc_account_unique")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class RefreshToken(models.Model):
    """A long-lived login of a docker client. Only the keyed SHA-256 of the token is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.CharField(max_length=64, unique=True)
    auth_epoch = models.PositiveIntegerField()
    client_id = models.CharField(max_length=255, blank=True, default="")
    creation_time = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.user} on {self.client_id}"
