"""The forms of robots: one of a project, one of the system."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.actors import Permission
from portal.forms import NAME_RULE, Form, matching
from portal.names import permission_name
from projects.permissions import ROBOT_PERMISSIONS
from robots.permissions import ALL_PROJECTS, SYSTEM_NAMESPACE, Grant

ROBOT_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
USUAL = ("repository:pull", "repository:push")
"""What most robots are for."""
MOST_PROJECTS = 200


class RobotForm(Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=128,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        validators=[matching(ROBOT_NAME, NAME_RULE)],
    )
    description = forms.CharField(label=_("Description"), required=False, max_length=255)
    duration = forms.IntegerField(
        label=_("Expires after (days)"),
        required=False,
        min_value=1,
        max_value=36500,
        help_text=_("Leave it empty for a robot that never expires."),
    )
    permissions = forms.MultipleChoiceField(
        label=_("What it may do"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A build server needs both; a cluster that only runs images needs to pull."),
    )
    more = forms.MultipleChoiceField(label=_("More permissions"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, grantable: Iterable[Permission], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {f"{permission.resource}:{permission.action}": permission for permission in sorted(grantable)}
        choices = {word: permission_name(permission) for word, permission in words.items()}
        self._offer("permissions", [(word, choices[word]) for word in USUAL if word in choices])
        self._offer("more", [(word, name) for word, name in choices.items() if word not in USUAL])

    def grants(self, project: str) -> list[Grant]:
        """What was chosen, as the action takes it."""
        return [Grant("project", project, self._chosen("permissions", "more"))]

    def _chosen(self, *fields: str) -> tuple[Permission, ...]:
        words = [word for field in fields for word in self.cleaned_data.get(field, ())]
        return tuple(Permission(*word.split(":", 1)) for word in words)

    def _offer(self, field: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(field) for field in ("permissions", "more", "system")):
            self.add_error("permissions", gettext("Choose at least one permission."))
        return cleaned


class SystemRobotForm(RobotForm):
    """A robot of many projects, or of the system itself."""

    everywhere = forms.BooleanField(label=_("All projects"), required=False, help_text=_("Those that come later too."))
    projects = forms.CharField(
        label=_("Or these projects"),
        required=False,
        max_length=20_000,
        help_text=_("One name on a line."),
        widget=forms.Textarea(attrs={"rows": 3, "autocapitalize": "none", "spellcheck": "false"}),
    )
    system = forms.MultipleChoiceField(
        label=_("Permissions in the system"), required=False, widget=forms.CheckboxSelectMultiple
    )
    field_order = ["name", "description", "duration", "everywhere", "projects", "permissions", "more", "system"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("system", [(f"{each.resource}:{each.action}", permission_name(each)) for each in SYSTEM])

    def clean_projects(self) -> list[str]:
        names = [line.strip() for line in self.cleaned_data["projects"].splitlines() if line.strip()]
        if len(names) > MOST_PROJECTS:
            raise ValidationError(gettext("Name fewer projects, or choose all of them."))
        return names

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        wants = cleaned.get("permissions") or cleaned.get("more")
        if cleaned.get("everywhere") and cleaned.get("projects"):
            self.add_error("projects", gettext("Either all projects or these: clear the one or the other."))
        if wants and not cleaned.get("everywhere") and cleaned.get("projects") == []:
            self.add_error("projects", gettext("Choose all projects, or name some."))
        return cleaned

    def grants(self, project: str) -> list[Grant]:
        """What was chosen, as the action takes it; `project` does not matter."""
        held, system = self._chosen("permissions", "more"), self._chosen("system")
        names = [ALL_PROJECTS] if self.cleaned_data["everywhere"] else self.cleaned_data["projects"]
        found = [Grant("project", name, held) for name in names] if held else []
        return [*found, Grant("system", SYSTEM_NAMESPACE, system)] if system else found


SYSTEM = sorted(ROBOT_PERMISSIONS["system"])
