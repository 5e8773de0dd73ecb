"""The form of a page of the configuration, made from the keys that the page shows."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from configuration import values
from configuration.keys import KEYS, Key
from portal.forms import Form
from portal.forms_things import SizeField, written
from portal.settings import CHOICES, LABELS, LISTS, SECTIONS, SIZES, banner_text

BANNER = "banner_message"
FIXED = _("The environment fixes this.")


class SettingsForm(Form):
    """The keys of a section. What the environment fixes is shown, and cannot be changed."""

    def __init__(self, data: Any, section: str) -> None:
        self.groups = SECTIONS[section][1]
        self.names = [name for _title, names in self.groups for name in names]
        super().__init__(data, initial=_initial(self.names))
        for name in self.names:
            self.fields[name] = _field(KEYS[name])
        self._dress()

    def sections(self) -> list[tuple[Any, list[BoundField]]]:
        """The groups of the page, each with its fields."""
        return [(title, [self[name] for name in names]) for title, names in self.groups]

    def changes(self) -> dict[str, Any]:
        """What to set, in the configuration's own words. A secret that was left empty stays as it is."""
        given = self.cleaned_data
        told = {name: given[name] for name in self.names if name in given and not self.fields[name].disabled}
        return {
            name: _stored(KEYS[name], value) for name, value in told.items() if value != "" or not KEYS[name].secret
        }


def _initial(names: list[str]) -> dict[str, Any]:
    shown = values.get_all()
    return {name: _shown(KEYS[name], shown[name].value) for name in names if name in shown}


def _shown(key: Key, value: Any) -> Any:
    if key.name in SIZES:
        return written(int(value))
    if key.name in LISTS:
        return [word.strip() for word in str(value).split(",") if word.strip()]
    return banner_text(value) if key.name == BANNER else value


def _stored(key: Key, value: Any) -> Any:
    if key.name in LISTS:
        return ",".join(value)
    if key.name == BANNER:
        return json.dumps({"message": value, "type": "info", "closable": False}) if value else ""
    return value


def _field(key: Key) -> forms.Field:
    label, help_text = LABELS[key.name]
    fixed = not values.editable(key)
    told: dict[str, Any] = {"label": label, "help_text": FIXED if fixed else help_text, "disabled": fixed}
    if key.name in LISTS:
        widget = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(required=False, choices=CHOICES[key.name], widget=widget, **told)
    if key.name in CHOICES:
        return forms.ChoiceField(choices=CHOICES[key.name], **told)
    if key.name in SIZES:
        return SizeField(**told)
    if isinstance(key.default, bool):
        return forms.BooleanField(required=False, **told)
    if isinstance(key.default, int):
        return forms.IntegerField(min_value=1, max_value=2**31 - 1, **told)
    if key.secret:
        hidden = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return forms.CharField(required=False, max_length=4096, strip=False, widget=hidden, **told)
    plain = forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"})
    return forms.CharField(required=False, max_length=4096, widget=plain, **told)
