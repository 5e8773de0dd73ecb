"""The form that copies an artifact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.forms import Form
from registry.references import is_name

ALL, NONE = "*", ""
MOST_TAGS = 100
"""Tags that can be chosen one by one."""


class CopyForm(Form):
    """Where an artifact is copied to, and under which of its tags."""

    project = forms.CharField(
        label=_("Project"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    repository = forms.CharField(
        label=_("Repository"),
        max_length=255,
        help_text=_("Its name without the project's. A repository that does not exist yet is made."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    tag = forms.ChoiceField(
        label=_("Tags"), required=False, help_text=_("A tag that is there already points to the copy from then on.")
    )

    def __init__(self, data: Any, *, tags: Sequence[str], initial: dict[str, str]) -> None:
        super().__init__(data, initial=initial)
        several = [(ALL, _("All its tags"))] if len(tags) > 1 else []
        one = [(name, name) for name in tags[:MOST_TAGS]]
        field = self.fields["tag"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*several, *one, (NONE, _("None: it is pulled by its digest"))]
        self.tags = tuple(tags)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("project") and cleaned.get("repository") and not is_name(self.target(cleaned)):
            self.add_error(
                "repository",
                ValidationError(gettext("Use lower case letters and digits, joined by dots, underscores or hyphens.")),
            )
        return cleaned

    def target(self, given: dict[str, Any]) -> str:
        """The whole name of the repository that is copied into."""
        return f"{given['project']}/{given['repository']}"

    def chosen(self, given: dict[str, Any]) -> tuple[str, ...]:
        """The tags that the copy has."""
        if given["tag"] == ALL:
            return self.tags
        return (given["tag"],) if given["tag"] else ()
