"""The form of an allow-list: the vulnerabilities that are put up with."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.forms import Form
from projects.allowlists import LONGEST, MOST
from projects.models import Allowlist

SYSTEMS, OWN = "system", "own"


class AllowlistForm(Form):
    """Names of vulnerabilities, and until when they count."""

    items = forms.CharField(
        label=_("Vulnerabilities"),
        required=False,
        max_length=MOST * (LONGEST + 2),
        help_text=_("One on each line, such as CVE-2026-12345."),
        widget=forms.Textarea(attrs={"rows": 8, "autocapitalize": "none", "spellcheck": "false", "class": "hv-mono"}),
    )
    expires = forms.DateField(
        label=_("Until the end of (UTC)"),
        required=False,
        help_text=_("Afterwards the list counts for nothing. Leave it empty for ever."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["items"].widget.attrs["class"] = "form-control hv-mono"

    def clean_items(self) -> list[str]:
        """Each name once, in the order in which they were written."""
        names = list(dict.fromkeys(names_in(self.cleaned_data["items"])))
        if len(names) > MOST:
            raise ValidationError(gettext("There are too many of them."))
        if wrong := next((name for name in names if len(name) > LONGEST or not name.isprintable()), ""):
            raise ValidationError(gettext("%(name)s is no name of a vulnerability.") % {"name": wrong[:40]})
        return names

    def until(self) -> int | None:
        """The last second of the day that was chosen, in seconds of the epoch; None is for ever."""
        day = self.cleaned_data["expires"]
        return int(datetime.combine(day, time(23, 59, 59), UTC).timestamp()) if day else None


class ProjectAllowlistForm(AllowlistForm):
    """A project follows the system's list, or keeps one of its own."""

    whose = forms.ChoiceField(
        label=_("Which list counts"),
        choices=[(SYSTEMS, _("The system's")), (OWN, _("One of this project's own"))],
        widget=forms.RadioSelect,
    )
    field_order = ["whose", "items", "expires"]


def names_in(text: str) -> list[str]:
    """The names in `text`, however they are parted."""
    return [name for name in re.split(r"[\s,;]+", text) if name]


def initial_of(allowlist: Allowlist) -> dict[str, Any]:
    """What the form shows of a list that is there."""
    until = allowlist.expires_at
    day = datetime.fromtimestamp(min(until, 2**37), UTC).date() if until and until > 0 else None
    return {"items": "\n".join(allowlist.items), "expires": day}
