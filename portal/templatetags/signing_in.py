"""What the sign-in page offers besides name and password."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.translation import gettext as _

from configuration import values

register = template.Library()


@register.simple_tag
def ways_to_sign_in() -> dict[str, Any]:
    """The provider's name where there is one, whether it comes first, and whether one may register."""
    mode = values.get("auth_mode")
    return {
        "provider": (values.get("oidc_name") or _("OpenID Connect")) if mode == "oidc_auth" else "",
        "provider_first": bool(values.get("primary_auth_mode")),
        "sign_up": mode == "db_auth" and bool(values.get("self_registration")),
    }


@register.filter
def as_next(goal: str) -> str:
    """Where somebody goes on to, as a query."""
    return urlencode({"next": goal})
