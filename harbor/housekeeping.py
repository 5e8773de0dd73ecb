"""Work that Haven does for itself, by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.actions import forget_expired_refresh_tokens
from artifacts.counting import forget_days
from audit import batches
from jobs.running import Running

PULL_DAYS = timedelta(days=400)
"""How long the pulls of a day are known: a year, and the same month of the year before."""


def clean_up(spec: Mapping[str, Any], running: Running) -> str:
    """Delete what has expired: sessions, refresh tokens, ids of old pulls, counts of old days (a job's function)."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    tokens = forget_expired_refresh_tokens()
    forget_days((timezone.now() - PULL_DAYS).date())
    return f"sessions cleared, {tokens} refresh tokens and {batches.forget()} ids of pulls deleted"
