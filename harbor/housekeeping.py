"""Work that Haven does for itself, by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.conf import settings

from audit import batches
from jobs.running import Running


def clean_up(spec: Mapping[str, Any], running: Running) -> str:
    """Delete what has expired: sessions, refresh tokens, ids of old pulls (a job's function)."""
    from django.utils import timezone

    from accounts.models import RefreshToken

    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    tokens, _ = RefreshToken.objects.filter(expires_at__lt=timezone.now()).delete()
    return f"sessions cleared, {tokens} refresh tokens and {batches.forget()} ids of pulls deleted"
