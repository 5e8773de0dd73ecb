"""The keys of a project's metadata. Harbor keeps their values as strings, booleans too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from accounts.errors import BadRequest

SEVERITIES = ("none", "low", "medium", "high", "critical")


def _boolean(value: str) -> str:
    if value.lower() not in {"true", "false", "1", "0", "t", "f"}:
        raise ValueError("must be true or false")
    return "true" if value.lower() in {"true", "1", "t"} else "false"


def _severity(value: str) -> str:
    if value.lower() not in SEVERITIES:
        raise ValueError(f"must be one of {', '.join(SEVERITIES)}")
    return value.lower()


def _whole_number(value: str) -> str:
    if len(value) > 18 or not value.removeprefix("-").isascii() or not value.removeprefix("-").isdigit():
        raise ValueError("must be a whole number")
    return str(int(value))


def _text(value: str) -> str:
    if len(value) > 1024 or "\x00" in value:
        raise ValueError("is too long")
    return value


KEYS: Mapping[str, Callable[[str], str]] = {
    "public": _boolean,
    "enable_content_trust": _boolean,
    "enable_content_trust_cosign": _boolean,
    "prevent_vul": _boolean,
    "severity": _severity,
    "auto_scan": _boolean,
    "auto_sbom_generation": _boolean,
    "reuse_sys_cve_allowlist": _boolean,
    "retention_id": _whole_number,
    "proxy_speed_kb": _whole_number,
    "max_upstream_conn": _whole_number,
    "proxy_referrer_api": _boolean,
    "proxy_cache_local_on_not_found": _boolean,
    "proxy_cache_filter_pattern": _text,
    "proxy_cache_filter_kind": _text,
}


def require_known(key: str) -> None:
    """Return if there is such a key."""
    if key not in KEYS:
        raise BadRequest(f"{key} is not a key of a project's metadata", key)


def parse(metadata: Mapping[str, str], *, at_creation: bool = False) -> dict[str, str]:
    """`metadata` checked and in one spelling."""
    parsed = {}
    for key, value in metadata.items():
        require_known(key)
        if at_creation and key == "retention_id":
            if not value:  # as much as nothing said
                continue
            raise BadRequest("the retention policy of a project is not set at its creation", key)
        try:
            parsed[key] = KEYS[key](value)
        except ValueError as error:
            raise BadRequest(f"{key} {error}", key) from None
    return parsed
