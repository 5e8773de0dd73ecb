"""A form that somebody sends after their session has ended is not lost: it waits, signed, until they are back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

FIELD = "kept"
LASTS = 3600
"""Seconds."""
LONGEST = 32 * 1024
"""Characters of a form that is kept."""
_SALT = "portal.kept"
_SECRET = ("password", "secret", "old", "again")
_OURS = ("csrfmiddlewaretoken", "once")


def keep(request: HttpRequest) -> str:
    """What was sent, signed, for the sign-in form to carry; without secrets. Empty where there is too much of it."""
    fields = [
        (name, values)
        for name, values in request.POST.lists()
        if name not in _OURS and not any(word in name.lower() for word in _SECRET)
    ]
    kept = signing.dumps({"path": request.get_full_path(), "fields": fields}, salt=_SALT, compress=True)
    return kept if len(kept) <= LONGEST else ""


def path_of(kept: str) -> str:
    """Where the kept form belongs, with its query; empty for what is no kept form of ours, or an old one."""
    return str(_read(kept).get("path", ""))


def give_back(request: HttpRequest, kept: str) -> None:
    """Lay the form before who has just signed in."""
    if found := _read(kept):
        request.session[FIELD] = found


def found(request: HttpRequest) -> QueryDict | None:
    """The form that was kept for this page, once; None where there is none."""
    waiting = request.session.get(FIELD) if hasattr(request, "session") else None
    if not isinstance(waiting, dict) or str(waiting.get("path")).partition("?")[0] != request.path:
        return None
    del request.session[FIELD]
    form = QueryDict(mutable=True)
    for name, values in waiting["fields"]:
        form.setlist(name, values)
    messages.info(request, _("You had been signed out. What you typed is still here: look it over and send it again."))
    return form


def _read(kept: str) -> dict[str, Any]:
    try:
        document = signing.loads(kept, salt=_SALT, max_age=LASTS) if kept else {}
    except signing.BadSignature:
        return {}
    return document if isinstance(document, dict) else {}
