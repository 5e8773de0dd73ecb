"""The forms of projects, labels, quotas and groups."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from portal.forms import NAME_RULE, PROJECT_NAME, Form, matching
from portal.words import UNITS
from projects.labels import LONGEST_DESCRIPTION, LONGEST_NAME

COLOR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
SIZE = re.compile(r"(?P<number>\d{1,12}(?:[.,]\d{1,3})?)\s*(?P<unit>[KMGTP]?)(?:i?B)?", re.ASCII | re.IGNORECASE)
UNLIMITED = -1


class LabelForm(Form):
    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    color = forms.CharField(label=_("Colour"), max_length=7, widget=forms.TextInput(attrs={"type": "color"}))
    description = forms.CharField(label=_("Description"), required=False, max_length=LONGEST_DESCRIPTION)

    def clean_color(self) -> str:
        color: str = self.cleaned_data["color"]
        if not COLOR.fullmatch(color):
            raise ValidationError(gettext("Choose a colour."))
        return color


class SizeField(forms.CharField):
    """Bytes, written as people do: `10 GiB`. Empty is no limit."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("A number and a unit, such as 10 GiB. Leave it empty for no limit."))
        super().__init__(required=False, max_length=24, **options)

    def clean(self, value: Any) -> int:
        text = str(super().clean(value) or "").strip()
        if not text:
            return UNLIMITED
        found = SIZE.fullmatch(text)
        if found is None:
            raise ValidationError(gettext("Write a number and a unit: 500 MiB, 10 GiB, 2 TiB."))
        power = " KMGTP".index(found["unit"].upper() or " ")
        octets = int(float(found["number"].replace(",", ".")) * 1024**power)
        if not 0 < octets < 2**60:
            raise ValidationError(gettext("Choose a size between one byte and 1024 PiB."))
        return octets


def written(octets: int) -> str:
    """Bytes as `SizeField` reads them, without loss; empty for no limit."""
    if octets < 0:
        return ""
    power = next((power for power in range(len(UNITS) - 1, 0, -1) if octets and octets % 1024**power == 0), 0)
    return f"{octets // 1024**power} {UNITS[power]}"


class ProjectForm(Form):
    name = forms.CharField(
        label=_("Project name"),
        max_length=255,
        help_text=_("It becomes the first part of every image's address and cannot be changed later."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        validators=[matching(PROJECT_NAME, NAME_RULE)],
    )
    public = forms.BooleanField(
        label=_("Public"), required=False, help_text=_("Anybody may pull from a public project, signed in or not.")
    )
    limit = SizeField(label=_("Storage limit"))

    def __init__(self, data: Any, *, limit: str | None) -> None:
        """`limit` is what new projects have unless another one is chosen; None for who may not choose."""
        super().__init__(data, initial={"limit": limit})
        if limit is None:
            del self.fields["limit"]


class QuotaForm(Form):
    hard = SizeField(label=_("Storage limit"))


class GroupForm(Form):
    name = forms.CharField(label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    type = forms.TypedChoiceField(
        label=_("Where it comes from"),
        coerce=int,
        choices=[
            (int(Group.Type.OIDC), _("OpenID Connect: a group that the provider names")),
            (int(Group.Type.LDAP), _("LDAP: a group of the directory")),
            (int(Group.Type.HTTP), _("Authentication proxy")),
        ],
    )
    ldap_group_dn = forms.CharField(
        label=_("Distinguished name"),
        required=False,
        max_length=512,
        help_text=_("Of a group of LDAP alone, such as cn=team,ou=groups,dc=example,dc=com."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("type") == Group.Type.LDAP and not cleaned.get("ldap_group_dn"):
            self.add_error("ldap_group_dn", gettext("A group of LDAP needs its distinguished name."))
        return cleaned


class RenameGroupForm(Form):
    name = forms.CharField(label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"}))
