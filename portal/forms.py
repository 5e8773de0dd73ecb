"""The forms of the pages. They say what is wrong in the reader's language; the actions have the last word."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import once
from portal.names import role_name
from projects.models import Role
from registry.references import is_tag

PROJECT_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*", re.ASCII)
USER_NAME = re.compile(r'[^,"~#%$:]+')
PASSWORD = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,128}", re.DOTALL)
PASSWORD_RULE = _("Use 8 to 128 characters, with at least one upper case letter, one lower case letter and one digit.")
NAME_RULE = _("Use lower case letters and digits, joined by dots, underscores or hyphens.")


class Form(forms.Form):
    """A form in Haven's dress, with the word that makes sending it twice harmless."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.once = once.fresh()
        self._dress()

    def _dress(self) -> None:
        for field in self.fields.values():
            _dress(field.widget)


def _dress(widget: Any) -> None:
    dress = "form-control"
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        dress = "form-check-input"
    elif isinstance(widget, forms.Select):
        dress = "form-select"
    widget.attrs.setdefault("class", dress)


def matching(pattern: re.Pattern[str], message: Any) -> Any:
    """A validator: the whole text matches `pattern`, or `message` is said."""

    def check(value: str) -> None:
        if not pattern.fullmatch(value):
            raise ValidationError(message)

    return check


def _secret(label: Any, purpose: str, **options: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": purpose})
    return forms.CharField(label=label, strip=False, max_length=128, widget=widget, **options)


def _new_secret(label: Any) -> forms.CharField:
    return _secret(label, "new-password", help_text=PASSWORD_RULE, validators=[matching(PASSWORD, PASSWORD_RULE)])


class _Twice(Form):
    """A new password, typed twice."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        again = cleaned.get("again")
        if again is not None and cleaned.get("password") not in (None, again):
            self.add_error("again", gettext("The two passwords differ."))
        return cleaned


class SignInForm(Form):
    username = forms.CharField(
        label=_("Username or e-mail"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = _secret(_("Password"), "current-password")


class PasswordForm(_Twice):
    old = _secret(_("Current password"), "current-password")
    password = _new_secret(_("New password"))
    again = _secret(_("New password again"), "new-password")


class ResetPasswordForm(_Twice):
    password = _new_secret(_("New password"))
    again = _secret(_("New password again"), "new-password")


class UserForm(_Twice):
    username = forms.CharField(
        label=_("Username"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        validators=[matching(USER_NAME, _('Leave out the characters , " ~ # % $ and the colon.'))],
    )
    email = forms.EmailField(label=_("E-mail"), max_length=255, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    realname = forms.CharField(label=_("First and last name"), max_length=255)
    password = _new_secret(_("Password"))
    again = _secret(_("Password again"), "new-password")


class AccessForm(Form):
    public = forms.BooleanField(
        label=_("Public"), required=False, help_text=_("Anybody may pull from a public project, signed in or not.")
    )


def _role_field() -> forms.TypedChoiceField:
    order = (Role.LIMITED_GUEST, Role.GUEST, Role.DEVELOPER, Role.MAINTAINER, Role.PROJECT_ADMIN)
    return forms.TypedChoiceField(label=_("Role"), coerce=int, choices=[(int(role), role_name(role)) for role in order])


class MemberForm(Form):
    kind = forms.ChoiceField(label=_("Who"), choices=[("user", _("A user")), ("group", _("A group"))], required=False)
    username = forms.CharField(
        label=_("Name"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    role = _role_field()


class RoleForm(Form):
    role = _role_field()


class TagForm(Form):
    name = forms.CharField(
        label=_("New tag"),
        max_length=128,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not is_tag(name):
            raise ValidationError(
                gettext("Use letters, digits, dots, underscores and hyphens; do not begin with a dot or a hyphen.")
            )
        return name


class DescriptionForm(Form):
    description = forms.CharField(
        label=_("Description"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 5})
    )
