"""The forms of purging the audit log."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.events import EVENT_TYPES, OTHER
from portal.forms import Form
from portal.names import EVENTS

CRONS = {"Hourly": "0 0 * * * *", "Daily": "0 0 0 * * *", "Weekly": "0 0 0 * * 0"}
ALIKE = sorted(EVENT_TYPES, key=lambda name: name.partition("_")[2])
"""What happens to things of one kind stands together, for whoever ticks boxes."""
EVENT_CHOICES = [*((name, EVENTS.get(name, name)) for name in ALIKE), (OTHER, _("Everything else"))]


class PurgeForm(Form):
    """What is forgotten."""

    days = forms.IntegerField(
        label=_("Keep the last (days)"),
        min_value=1,
        max_value=10_000,
        initial=90,
        help_text=_("Older entries of the kinds below are deleted, and cannot be had back."),
    )
    events = forms.MultipleChoiceField(
        label=_("Kinds of entries"),
        choices=EVENT_CHOICES,
        initial=["pull_artifact"],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind.")},
    )
    dry_run = forms.BooleanField(
        label=_("Only count them"), required=False, help_text=_("Nothing is deleted; the job says how many would be.")
    )

    def parameters(self) -> dict[str, Any]:
        """What was chosen, as the action takes it."""
        given = self.cleaned_data
        return {"audit_retention_hour": given["days"] * 24, "include_event_types": ",".join(given["events"])}

    def kinds(self) -> list[str]:
        """What is forgotten, as the reader calls it."""
        chosen = self.cleaned_data["events"]
        return [str(name) for kind, name in EVENT_CHOICES if kind in chosen]


class PurgeScheduleForm(PurgeForm):
    """What is forgotten by itself, and when."""

    kind = forms.ChoiceField(
        label=_("When"),
        choices=[
            ("None", _("Never by itself")),
            ("Hourly", _("Every hour")),
            ("Daily", _("Every day at midnight (UTC)")),
            ("Weekly", _("Every Sunday at midnight (UTC)")),
            ("Custom", _("At another time")),
        ],
    )
    cron = forms.CharField(
        label=_("That other time"),
        required=False,
        max_length=128,
        help_text=_("Six fields: second (0), minute, hour, day of the month, month, day of the week. In UTC."),
    )
    field_order = ["kind", "cron", "days", "events"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_schedule_%s", **kwargs)
        del self.fields["dry_run"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == "Custom" and not cleaned.get("cron"):
            self.add_error("cron", gettext("Say when."))
        return cleaned

    def when(self) -> str:
        """When, in the six fields of Harbor's cron."""
        given = self.cleaned_data
        return str(CRONS.get(given["kind"], given["cron"]))
