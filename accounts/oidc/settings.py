"""How the provider is reached and what is believed of it: Harbor's `oidc_*` keys as one value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings

from configuration import values

CALLBACK = "/c/oidc/callback"
"""Where the provider sends browsers back to: Harbor's path, which is registered there."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider, as the configuration has it."""

    endpoint: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = ""
    user_claim: str = ""
    groups_claim: str = ""
    admin_group: str = ""
    group_filter: str = ""
    verify_cert: bool = True
    auto_onboard: bool = False
    logout: bool = False
    extra_redirect_parms: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def configured(cls) -> Settings:
        """As the configuration has it now."""
        return cls(**{name: values.get(f"oidc_{name}") for name in cls.__dataclass_fields__})

    @property
    def scopes(self) -> str:
        """What is asked for, as the protocol writes it; `openid` always."""
        words = [word for word in self.scope.split(",") if word]
        return " ".join(dict.fromkeys(["openid", *words]))

    @property
    def redirect_uri(self) -> str:
        """Where browsers come back to: at the configured address, whatever host a request names."""
        return f"{settings.EXTERNAL_URL}{CALLBACK}"

    def keeps(self, group: str) -> bool:
        """Whether this group of the provider becomes one of Haven's."""
        return not self.group_filter or re.search(self.group_filter, group) is not None
