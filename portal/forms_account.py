"""The forms about oneself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.forms import Form
from portal.preferences import LANGUAGES, offered_time_zones

THEMES = (("light", _("Light")), ("dark", _("Dark")), ("auto", _("Same as the system")))


class NewcomerForm(Form):
    username = forms.CharField(
        label=_("Username"),
        max_length=255,
        help_text=_("Others know you by it, and docker signs you in by it. It cannot be changed later."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class ProfileForm(Form):
    realname = forms.CharField(
        label=_("First and last name"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("E-mail"), max_length=255, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    comment = forms.CharField(label=_("Comment"), required=False, max_length=255)


class PreferencesForm(Form):
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    theme = forms.ChoiceField(label=_("Theme"), choices=THEMES)
    time_zone = forms.ChoiceField(label=_("Time zone"), help_text=_("Times on every page are shown in this zone."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(name, name.replace("_", " ")) for name in offered_time_zones()]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]
