"""From an endpoint's row to something that can be spoken to."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from cryptography import x509
from django.conf import settings

from accounts.errors import BadRequest
from registry import http
from registry.auth import Tokens
from registry.errors import Blocked, RegistryError, Unauthorized, Unavailable, Untrusted
from registry.guard import Guard
from replication.adapters import KINDS, Access, Adapter
from replication.models import Endpoint

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 60.0
LONGEST_URL = 256
MOST_KEPT = 32
"""Adapters that wait for their next user, of one endpoint; and endpoints that have any."""
LARGEST_CERTIFICATE = 64 * 1024


@dataclass(frozen=True)
class Address:
    """Everything that a connection to an endpoint depends on."""

    type: str
    url: str
    access_key: str = ""
    secret: str = ""
    insecure: bool = False
    ca_certificate: str = ""

    def __repr__(self) -> str:
        return f"Address({self.type} {self.url})"

    def signed_in(self, access_key: str | None, secret: str | None) -> Address:
        """The same with other credentials, as far as they are given."""
        return replace(
            self,
            access_key=self.access_key if access_key is None else access_key,
            secret=self.secret if secret is None else secret,
        )


def address_of(endpoint: Endpoint) -> Address:
    """What the row says, its secret opened."""
    return Address(
        endpoint.type,
        endpoint.url,
        endpoint.access_key,
        endpoint.secret,
        endpoint.insecure,
        endpoint.ca_certificate,
    )


@contextmanager
def connected(endpoint: Endpoint) -> Iterator[Adapter]:
    """The adapter of an endpoint, for one user at a time, with the connections and tokens that an earlier one left.

    Who fails leaves nothing: stopping a copy cuts the connections.
    """
    key = (address_of(endpoint), tuple(settings.ALLOWED_NETWORKS))
    with _lock:
        adapter = _free[key].pop() if _free.get(key) else None
        if len(_tokens) >= MOST_KEPT and key not in _tokens:
            _tokens.clear()
        tokens = _tokens[key]
    if adapter is None:
        adapter = new_adapter(key[0], tokens)
    try:
        yield adapter
    except BaseException:
        adapter.access.session.close()
        raise
    with _lock:
        if len(_free) >= MOST_KEPT and key not in _free:
            _free.clear()
        if len(_free[key]) < MOST_KEPT:
            _free[key].append(adapter)


def new_adapter(address: Address, tokens: Tokens | None = None) -> Adapter:
    """An adapter that nobody else uses; it knows no tokens but those given."""
    kind = KINDS.get(address.type)
    if kind is None:
        raise BadRequest(f"there is no adapter for registries of the type {address.type[:32]}", "type")
    session = http.session(
        allow=settings.ALLOWED_NETWORKS,
        verify=not address.insecure,
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
        authorities="" if address.insecure else address.ca_certificate,
    )
    return kind(Access(address.url, session, address.access_key, address.secret, tokens or Tokens()))


_lock = threading.Lock()
_free: defaultdict[tuple[Address, tuple[str, ...]], list[Adapter]] = defaultdict(list)
_tokens: defaultdict[tuple[Address, tuple[str, ...]], Tokens] = defaultdict(Tokens)
"""What the users of one address share, at the same time and one after the other."""


def parse_url(url: str) -> str:
    """`url` as it is kept: http or https, nothing but host, port and path. Raises BadRequest.

    An address that may not be called (a private one that the operator has not allowed) is refused here already; the
    connection itself is judged again, each time.
    """
    text = url.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadRequest("the address cannot be read", "url") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or len(text) > LONGEST_URL:
        raise BadRequest("the address must be like https://registry.example.com", "url")
    if "@" in parts.netloc or parts.query or parts.fragment or port == 0 or not text.isascii():
        raise BadRequest("the address has only host, port and path; credentials have fields of their own", "url")
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def check_address(url: str) -> None:
    """Return for an address that may be called. Raises BadRequest with the way out."""
    guard = Guard.allowing(settings.ALLOWED_NETWORKS)
    try:
        guard.check_url(url)
    except Blocked:
        raise BadRequest(
            "this address is in a private network: the operator has to allow it (HAVEN_ALLOWED_NETWORKS)", "url"
        ) from None
    except Unavailable as error:
        raise BadRequest(f"the address cannot be called: {error.message}", "url") from None


def parse_certificate(text: str) -> str:
    """`text` if it is PEM certificates, or empty. Raises BadRequest."""
    text = text.strip()
    if not text:
        return ""
    if len(text) > LARGEST_CERTIFICATE:
        raise BadRequest("the certificate is too large", "ca_certificate")
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise BadRequest("the CA certificate must be PEM: -----BEGIN CERTIFICATE----- ...", "ca_certificate") from None
    return text


def look(adapter: Adapter) -> str:
    """Why the registry cannot be used, in a sentence; empty where it can."""
    try:
        adapter.check()
    except RegistryError as error:
        return sentence(error)
    return ""


def sentence(error: RegistryError) -> str:
    """What went wrong, so that whoever reads it knows what to do. Bodies of foreign answers are not in it."""
    match error:
        case Unauthorized():
            return "the registry refuses these credentials: check access key and secret"
        case Blocked():
            return "the address is in a private network: the operator has to allow it (HAVEN_ALLOWED_NETWORKS)"
        case Untrusted():
            return "the server's certificate is not trusted: give the CA's certificate, or check the address"
    return error.message
