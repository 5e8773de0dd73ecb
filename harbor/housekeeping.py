"""Work that Haven does for itself, by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.conf import settings

from accounts.actions import forget_expired_refresh_tokens
from audit import batches
from jobs.running import Running


def clean_up(spec: Mapping[str, Any], running: Running) -> str:
    """Delete what has expired: sessions, refresh tokens, ids of old pulls (a job's function)."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    tokens = forget_expired_refresh_tokens()
    return f"sessions cleared, {tokens} refresh tokens and {batches.forget()} ids of pulls deleted"
