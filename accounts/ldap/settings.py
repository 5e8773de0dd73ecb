"""How the directory is reached and read: Harbor's `ldap_*` keys as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from configuration import values
from configuration.types import LDAP_URL


class Address(NamedTuple):
    """Where a directory is, and how it is spoken to: `ldap`, `ldaps` or `ldap+starttls`."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What a directory is asked, and as whom. `timeout` in seconds."""

    url: str = ""
    base_dn: str = ""
    filter: str = ""
    scope: int = 2
    uid: str = "cn"
    search_dn: str = ""
    search_password: str = field(default="", repr=False)
    timeout: int = 5
    verify_cert: bool = True
    membership_attribute: str = "memberof"
    group_base_dn: str = ""
    group_filter: str = ""
    group_scope: int = 2
    group_attribute: str = ""
    group_admin_dn: str = ""

    @classmethod
    def configured(cls) -> Settings:
        """As the configuration has it now."""
        names = ("url", "base_dn", "filter", "scope", "uid", "search_dn", "search_password", "timeout", "verify_cert")
        given = {name: values.get(f"ldap_{name}") for name in names}
        return cls(
            **given,
            membership_attribute=values.get("ldap_group_membership_attribute"),
            group_base_dn=values.get("ldap_group_base_dn"),
            group_filter=values.get("ldap_group_search_filter"),
            group_scope=values.get("ldap_group_search_scope"),
            group_attribute=values.get("ldap_group_attribute_name"),
            group_admin_dn=values.get("ldap_group_admin_dn"),
        )

    @property
    def address(self) -> Address | None:
        """Where it is; None while nothing sensible is configured. Port 636 means TLS, as in Harbor."""
        found = LDAP_URL.fullmatch(self.url.strip())
        if found is None:
            return None
        scheme, host = (found[1] or "ldap").lower(), found[2].strip("[]")
        port = int(found[3] or (636 if scheme == "ldaps" else 389))
        return Address("ldaps" if port == 636 and scheme == "ldap" else scheme, host, port)

    @property
    def group_base(self) -> str:
        """Where groups are: below their own base, or below everybody's."""
        return self.group_base_dn or self.base_dn
