"""Which addresses may be called: the judgement of `registry.http`, before each connection."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from registry.errors import Blocked, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

EMBEDDING = tuple(
    ipaddress.ip_network(network)
    for network in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")
)
"""IPv6 networks whose addresses stand for IPv4 ones, or for a site's own."""
BESIDE = tuple(ipaddress.ip_network(network) for network in ("192.0.0.0/24", "168.63.129.16/32", "3fff::/20"))
"""What counts as public and is not: where clouds (Oracle, Azure) tell a machine about itself, and RFC 9637's."""


@dataclass(frozen=True)
class Guard:
    """Decides which addresses may be called: all public ones, and those on the list.

    An entry of the list is a host name, an address, a network (`10.0.0.0/8`) or the path of a unix socket; names
    and paths match exactly.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    sockets: frozenset[str] = frozenset()
    resolve: Callable[..., list[Any]] = socket.getaddrinfo

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> Guard:
        entries = [entry.strip() for entry in entries]
        sockets = {entry for entry in entries if entry.startswith("/")}
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.add(plain(entry))
        return cls(frozenset(hosts - sockets), tuple(networks), frozenset(sockets))

    def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """The addresses behind `host`, if every single one may be called. Raises Blocked; OSError if there is none."""
        found = self.resolve(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys((str(entry[4][0]), int(entry[4][1])) for entry in found))
        if plain(host) not in self.hosts:
            for address, _ in addresses:
                if not self._may_call(ipaddress.ip_address(address.partition("%")[0])):
                    raise Blocked()
        return addresses

    def check_url(self, url: str) -> None:
        """Refuse a URL that could not be called anyway. Raises Blocked, or Unavailable if the name is unknown."""
        parts = split(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise Blocked("only plain http and https addresses can be called")
        try:
            self.addresses(parts.hostname, port_of(parts))
        except (OSError, UnicodeError) as error:
            raise Unavailable("the host's name is not known") from error

    def _may_call(self, address: Address) -> bool:
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        if address.is_multicast or address.is_reserved or not address.is_global:
            return False
        return not any(address in network for network in (*EMBEDDING, *BESIDE) if network.version == address.version)


def port_of(parts: SplitResult) -> int:
    """The port of a URL, the scheme's own where none is given."""
    try:
        return parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError as error:
        raise Blocked("this is not an address that can be called") from error


def split(url: str) -> SplitResult:
    """The parts of a URL. Raises Blocked where it is none."""
    try:
        return urlsplit(url)
    except ValueError as error:
        raise Blocked("this is not an address that can be called") from error


def plain(host: str) -> str:
    """The host's name as it is compared."""
    return host.casefold().rstrip(".")
