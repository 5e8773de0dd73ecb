"""The port to a directory: finding people and groups, and whether a password is right. Speaks LDAP v3 by ldap3.

What a person typed goes into a filter escaped (RFC 4515). A bind never has an empty password: a server may answer
"success" to one without looking (RFC 4513, 5.1.2). Referrals are not followed. Where TLS is asked for and does not come
about, no password is sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import ldap3
from django.conf import settings as django_settings
from ldap3.core.exceptions import LDAPException, LDAPStartTLSError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn

from accounts.errors import PreconditionFailed, Unavailable
from accounts.ldap.settings import Settings
from registry.errors import Blocked
from registry.guard import Guard

SCOPES = (ldap3.BASE, ldap3.LEVEL, ldap3.SUBTREE)
MOST = 1000
"""Entries of one answer that are read."""
SUCCESS, SIZE_LIMIT = 0, 4
BROKEN = (LDAPException, OSError, LookupError, TypeError, ValueError)
"""What ldap3 raises: its own errors, and whatever an answer that is not LDAP makes it stumble over."""
NOT_THERE = (32, 34, 50)
"""No such object, no such name, no right to see it."""


class DirectoryError(Unavailable):
    """The directory cannot be asked; the message says why, without a password."""


class WrongSearchUser(DirectoryError):
    default_message = "the directory refuses the search DN and its password"


@dataclass(frozen=True, slots=True)
class Person:
    """An entry of a person. `names` are all values of the attribute that people sign in by."""

    dn: str
    names: tuple[str, ...]
    realname: str
    email: str
    group_dns: tuple[str, ...]

    @property
    def username(self) -> str:
        return self.names[0] if self.names else ""

    def named(self, asked: str) -> str:
        """The name that was asked for, as the directory writes it; empty where this entry does not bear it."""
        return next((name for name in self.names if name.casefold() == asked.strip().casefold()), "")


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """An entry of a group."""

    dn: str
    name: str


class Directory:
    """A connection, bound as the search DN."""

    def __init__(self, settings: Settings, connection: ldap3.Connection) -> None:
        self.settings = settings
        self.connection = connection

    def people(self, username: str, limit: int = MOST) -> list[Person]:
        """Who is called `username`, whatever its case; everybody where it is empty."""
        settings = self.settings
        filter = _all_of(settings.filter, f"({settings.uid}={escape_filter_chars(username) or '*'})")
        attributes = ["uid", "cn", "mail", "email", settings.uid, settings.membership_attribute]
        found = self._search(settings.base_dn, SCOPES[settings.scope], filter, attributes, limit)
        return [self._person(entry) for entry in found]

    def is_password(self, person: Person, password: str) -> bool:
        """Whether that is this person's password: the directory says so. Bound as the search DN again afterwards."""
        if not password.strip():
            return False
        try:
            # As bytes: ldap3 would prepare text (RFC 4013), and a soft hyphen prepared is an empty password.
            right = bool(
                self.connection.rebind(user=person.dn, password=password.encode(), authentication=ldap3.SIMPLE)
            )
            code = self.connection.result["result"]
        except BROKEN as error:
            raise DirectoryError("the directory broke off") from error
        _bind(self.connection, self.settings)
        return right and code == SUCCESS

    def groups_of(self, person: Person) -> tuple[list[FoundGroup], bool]:
        """The groups that this person is in, and whether one makes an administrator. None unless a filter is set."""
        settings = self.settings
        if not settings.group_filter:
            return [], False
        if person.group_dns:
            found = [group for dn in person.group_dns[:MOST] if (group := self.group(dn)) is not None]
            dns = person.group_dns
        else:
            found = self._groups_with(person)
            dns = tuple(group.dn for group in found)
        admin = settings.group_admin_dn and any(is_same(settings.group_admin_dn, dn) for dn in dns)
        return found, bool(admin)

    def group(self, dn: str) -> FoundGroup | None:
        """The group of this distinguished name, if it lies below the groups' base and fits their filter."""
        if not is_below(self.settings.group_base, dn):
            return None
        return next(iter(self._groups(dn, ldap3.BASE, "")), None)

    def groups(self, name: str) -> list[FoundGroup]:
        """The groups of this name; all where it is empty."""
        settings = self.settings
        attribute = settings.group_attribute or "cn"
        wanted = f"({attribute}={escape_filter_chars(name) or '*'})"
        return self._groups(settings.group_base, SCOPES[settings.group_scope], wanted)

    def _groups_with(self, person: Person) -> list[FoundGroup]:
        """For directories whose people do not say what groups they are in."""
        dn, name = escape_filter_chars(person.dn), escape_filter_chars(person.username)
        wanted = f"(|(member={dn})(uniqueMember={dn})(memberUid={name}))"
        return self._groups(self.settings.group_base, SCOPES[self.settings.group_scope], wanted)

    def _groups(self, base: str, scope: str, wanted: str) -> list[FoundGroup]:
        attribute = self.settings.group_attribute or "cn"
        filter = _all_of(self.settings.group_filter, wanted or f"({attribute}=*)")
        entries = self._search(base, scope, filter, [attribute], MOST)
        named = [(entry["dn"], _texts(entry, attribute)) for entry in entries]
        return [FoundGroup(dn, names[0] if names else dn) for dn, names in named]

    def _person(self, entry: dict[str, Any]) -> Person:
        def first(*attributes: str) -> str:
            return next((text for name in attributes for text in _texts(entry, name)), "")

        member_of = self.settings.membership_attribute
        return Person(
            dn=entry["dn"],
            names=tuple(_texts(entry, self.settings.uid)),
            realname=first("cn", "uid"),
            email=first("mail", "email"),
            group_dns=tuple(_texts(entry, member_of)) if member_of else (),
        )

    def _search(self, base: str, scope: str, filter: str, attributes: list[str], limit: int) -> list[dict[str, Any]]:
        try:
            self.connection.search(
                search_base=base,
                search_filter=filter,
                search_scope=scope,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=sorted({name.lower() for name in attributes if name}),
                size_limit=limit,
                time_limit=self.settings.timeout,
            )
            code = self.connection.result["result"]
        except BROKEN as error:
            raise DirectoryError("the directory could not answer") from error
        if code not in (SUCCESS, SIZE_LIMIT, *(NOT_THERE if scope == ldap3.BASE else NOT_THERE[:1])):
            raise DirectoryError(f"the directory answers: {self.connection.result['description']}")
        return [entry for entry in self.connection.response or [] if entry.get("type") == "searchResEntry"]


@contextmanager
def opened(settings: Settings) -> Iterator[Directory]:
    """The directory of `settings`, connected and bound as the search DN. Raises DirectoryError."""
    connection = _connect(settings)
    try:
        _bind(connection, settings)
        yield Directory(settings, connection)
    finally:
        _close(connection)


def configured() -> AbstractContextManager[Directory]:
    """The directory of the configuration; PreconditionFailed where none is."""
    settings = Settings.configured()
    if not settings.url:
        raise PreconditionFailed("no LDAP server is configured")
    return opened(settings)


def is_same(dn: str, other: str) -> bool:
    """Whether two distinguished names are one."""
    return _parts(dn) == _parts(other) != []


def is_below(base: str, dn: str) -> bool:
    """Whether `dn` is `base`, or lies below it."""
    inner, outer = _parts(dn), _parts(base)
    return bool(inner) and inner[len(inner) - len(outer) :] == outer


def _parts(dn: str) -> list[tuple[str, str, str]]:
    try:
        return [(name.lower(), value.lower(), joint) for name, value, joint in parse_dn(dn, strip=True)]
    except LDAPException:
        return []


def _connect(settings: Settings) -> ldap3.Connection:
    address = settings.address
    if address is None:
        raise DirectoryError("no directory is configured")
    try:
        guard = Guard.allowing(django_settings.ALLOWED_NETWORKS)
        host, port = guard.addresses(address.host, address.port)[0]
    except Blocked:
        raise DirectoryError("this address may not be called: HAVEN_ALLOWED_NETWORKS does not hold it") from None
    except (OSError, UnicodeError):
        raise DirectoryError("the directory's name is not known") from None
    server = ldap3.Server(
        host,
        port,
        use_ssl=address.scheme == "ldaps",
        tls=_Tls(address.host, settings.verify_cert),
        get_info=ldap3.NONE,
        connect_timeout=settings.timeout,
    )
    connection = ldap3.Connection(
        server, auto_referrals=False, check_names=False, read_only=True, receive_timeout=settings.timeout
    )
    try:
        connection.open()
        if address.scheme == "ldap+starttls":
            connection.start_tls()
    except BROKEN as error:
        _close(connection)
        raise _explained(error) from error
    return connection


class _Tls(ldap3.Tls):  # type: ignore[misc]  # untyped
    """TLS as Python checks it: by the name that was configured, though an address was called."""

    def __init__(self, host: str, verify: bool) -> None:
        super().__init__()
        self.host = host
        self.context = ssl.create_default_context(cafile=django_settings.CA_FILE or None)
        if not verify:
            self.context.check_hostname = False
            self.context.verify_mode = ssl.CERT_NONE

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        plain = connection.socket
        connection.socket = self.context.wrap_socket(
            plain, server_hostname=self.host, do_handshake_on_connect=do_handshake
        )


def _bind(connection: ldap3.Connection, settings: Settings) -> None:
    """Be the search DN, or nobody where none is configured."""
    if settings.search_dn and not settings.search_password:
        raise WrongSearchUser("the search DN has no password")
    try:
        if settings.search_dn:
            secret = settings.search_password.encode()
            bound = connection.rebind(user=settings.search_dn, password=secret, authentication=ldap3.SIMPLE)
        else:
            bound = connection.rebind(user=None, password=None, authentication=ldap3.ANONYMOUS)
    except BROKEN as error:
        raise _explained(error) from error
    if not bound:
        raise WrongSearchUser()


def _close(connection: ldap3.Connection) -> None:
    try:
        connection.unbind()
    except BROKEN:
        return


def _explained(error: Exception) -> DirectoryError:
    text = str(error).lower()
    if "certificate" in text or "hostname" in text:
        return DirectoryError("the directory's certificate is not trusted")
    if isinstance(error, LDAPStartTLSError) or "ssl" in text or "tls" in text:
        return DirectoryError("the directory does not speak TLS here")
    return DirectoryError("the directory cannot be reached")


def _all_of(configured: str, wanted: str) -> str:
    if not configured:
        return wanted
    return f"(&{configured if configured.startswith('(') else f'({configured})'}{wanted})"


def _texts(entry: dict[str, Any], attribute: str) -> list[str]:
    """The values of an attribute, without blanks around them; what is no UTF-8 is left out."""
    found = []
    for value in entry["raw_attributes"].get(attribute, []):
        try:
            found.append(value.decode().strip())
        except UnicodeDecodeError:
            continue
    return [text for text in found if text]
