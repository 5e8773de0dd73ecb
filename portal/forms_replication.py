"""The forms of replication: an endpoint of a certain kind, and a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from jobs.cron import CronInvalid, next_after
from portal.forms import Form
from portal.names import TYPES
from portal.providers import provider_of
from portal.sentences import said
from projects.models import Project
from registry.references import is_name
from replication.actions import LONGEST_NAME, Change
from replication.adapters import KINDS, Info
from replication.endpoints import LARGEST_CERTIFICATE, LONGEST_URL, Address, address_of
from replication.models import Endpoint, Policy
from replication.patterns import PatternInvalid, pattern
from replication.rules import FASTEST, Rule

PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
FILE_SECRET = "AccessSecretTypeFile"
FIXED_KEY = "AccessKeyTypeFix"
DEEPEST = 5
"""Levels that the form offers to replace; the API knows more."""


class HiddenText(forms.Textarea):
    """Lines that are never shown again."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class EndpointForm(Form):
    """A registry of the kind `kind`; `stored` is the row that it changes."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME, widget=forms.TextInput(attrs=PLAIN))
    description = forms.CharField(label=_("Description"), required=False, max_length=1024)
    url = forms.CharField(label=_("Address"), max_length=LONGEST_URL, widget=forms.TextInput(attrs=PLAIN))
    access_key = forms.CharField(required=False, max_length=255, widget=forms.TextInput(attrs=PLAIN))
    access_secret = forms.CharField(
        required=False,
        strip=False,
        max_length=16_384,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget = forms.BooleanField(label=_("Forget the secret that is kept"), required=False)
    verify = forms.BooleanField(
        label=_("Check the server's certificate"),
        required=False,
        help_text=_("Switch this off for a test at most: whoever stands in between could read and change everything."),
    )
    ca_certificate = forms.CharField(
        label=_("Certificate of a private authority (PEM)"),
        required=False,
        max_length=LARGEST_CERTIFICATE,
        help_text=_("Only where the registry's certificate was issued by an authority of your own."),
        widget=forms.Textarea(attrs={**PLAIN, "rows": 3}),
    )
    shared = forms.BooleanField(
        label=_("Shared with project administrators"),
        required=False,
        help_text=_("They may use it in rules of their projects. They do not see its credentials."),
    )

    def __init__(self, data: Any, kind: str, stored: Endpoint | None = None) -> None:
        super().__init__(data, initial=_initial_endpoint(kind, stored))
        self.kind, self.stored = kind, stored
        provider, fields = provider_of(kind), self.fields
        fields["url"].widget.attrs |= {"placeholder": provider.address, "list": "hv-addresses"}
        fields["access_key"].label, fields["access_secret"].label = provider.key, provider.secret
        self._fit_credentials()

    def _fit_credentials(self) -> None:
        info = KINDS[self.kind].info if self.kind in KINDS else None
        secret = self.fields["access_secret"]
        if info and info.access_secret_type == FILE_SECRET:
            secret.widget = HiddenText(attrs={**PLAIN, "rows": 4, "class": "form-control", "id": "id_access_secret"})
        if info and _has_fixed_key(info):
            self.fields["access_key"].widget = forms.HiddenInput()
        if self.stored and self.stored.sealed_secret:
            secret.help_text = _("A secret is kept. Leave this empty to go on with it; a new address forgets it.")
        else:
            del self.fields["forget"]

    @property
    def addresses(self) -> Sequence[tuple[str, str]]:
        """Names and addresses to choose from."""
        return KINDS[self.kind].info.endpoints if self.kind in KINDS else ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("forget") and cleaned.get("access_secret"):
            self.add_error("forget", gettext("Either a new secret or none: clear the one or the other."))
        return cleaned

    def change(self) -> Change:
        """What to keep. A secret that was left empty stays as it is."""
        given = self.cleaned_data
        return Change(
            name=given["name"],
            description=given["description"],
            url=given["url"],
            credential_type="basic" if given["access_key"] else "",
            access_key=given["access_key"],
            access_secret="" if given.get("forget") else given["access_secret"] or None,
            insecure=not given["verify"],
            ca_certificate=given["ca_certificate"],
            shared=given["shared"],
        )

    def address(self) -> Address:
        """What is typed, to be tried. The secret that is kept goes to the address for which it is kept, no other."""
        given = self.cleaned_data
        secret = given.get("access_secret") or ""
        if not secret and self.stored and not given.get("forget") and given["url"].rstrip("/") == self.stored.url:
            secret = address_of(self.stored).secret
        return Address(
            self.kind,
            given["url"],
            given.get("access_key", ""),
            secret,
            not given.get("verify"),
            given.get("ca_certificate", ""),
        )


def _initial_endpoint(kind: str, stored: Endpoint | None) -> dict[str, Any]:
    if stored is not None:
        names = ("name", "description", "url", "access_key", "ca_certificate", "shared")
        return {**{name: getattr(stored, name) for name in names}, "verify": not stored.insecure}
    info = KINDS[kind].info
    url = info.endpoints[0][1] if len(info.endpoints) == 1 else ""
    return {"verify": True, "url": url, "access_key": info.access_key_data if _has_fixed_key(info) else ""}


def _has_fixed_key(info: Info) -> bool:
    """Whether there is but one name to sign in with. Quay's may be a robot's as well."""
    return info.access_key_type == FIXED_KEY and info.access_key_data.startswith("_")


EVERY_TYPE = ("", _("Everything"))
HOW = [("matches", _("only those that match")), ("excludes", _("all but those that match"))]


class PolicyForm(Form):
    """A rule. Errors of the domain name its fields by `FIELDS`."""

    name = forms.CharField(label=_("Name"), max_length=256, widget=forms.TextInput(attrs=PLAIN))
    description = forms.CharField(label=_("Description"), required=False, max_length=1024)
    direction = forms.ChoiceField(
        label=_("Direction"),
        choices=[("push", _("Push: from Haven to the endpoint")), ("pull", _("Pull: from the endpoint into Haven"))],
        widget=forms.RadioSelect,
    )
    endpoint = forms.TypedChoiceField(label=_("Endpoint"), coerce=int)
    name_filter = forms.CharField(
        label=_("Repositories"),
        required=False,
        max_length=512,
        help_text=_("A name or a pattern: * is any text within a level, ** any levels. Empty is every repository."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "library/**"}),
    )
    tag_filter = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=512,
        help_text=_("A pattern such as v* or {latest,stable}. Empty is every tag."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "v*"}),
    )
    tag_how = forms.ChoiceField(label=_("Of the tags"), choices=HOW)
    labels = forms.CharField(
        label=_("Labels"),
        required=False,
        max_length=13_000,
        help_text=_("One name on a line; an artifact must carry all of them. Other registries than Haven have none."),
        widget=forms.Textarea(attrs={**PLAIN, "rows": 2}),
    )
    label_how = forms.ChoiceField(label=_("Of the labelled artifacts"), choices=HOW)
    resource = forms.ChoiceField(label=_("Kind of artifact"), required=False)
    dest_namespace = forms.CharField(
        label=_("Namespace at the target"),
        required=False,
        max_length=255,
        help_text=_("What the names begin with there. Empty keeps every name as it is."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "mirror"}),
    )
    replace_count = forms.TypedChoiceField(label=_("Levels that the namespace replaces"), coerce=int)
    trigger = forms.ChoiceField(
        label=_("It runs"),
        choices=[
            (Policy.Trigger.MANUAL, _("When somebody starts it")),
            (Policy.Trigger.SCHEDULED, _("By the clock")),
            (Policy.Trigger.EVENT, _("As soon as something is pushed here (rules that push)")),
        ],
        widget=forms.RadioSelect,
    )
    cron = forms.CharField(
        label=_("Times"),
        required=False,
        max_length=128,
        help_text=_("By the clock: second minute hour day month weekday, in UTC. 0 30 2 * * * is 2:30 every day."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "0 30 2 * * *"}),
    )
    override = forms.BooleanField(
        label=_("Override"),
        required=False,
        help_text=_("A tag that means something else at the target is moved. Otherwise it stays as it is."),
    )
    deletion = forms.BooleanField(
        label=_("Delete at the target too"),
        required=False,
        help_text=_("For rules that follow events: what is deleted here is deleted there, if it still is the same."),
    )
    speed = forms.IntegerField(
        label=_("Bandwidth limit (KiB a second)"),
        required=False,
        min_value=0,
        max_value=FASTEST,
        help_text=_("Of the whole rule, over all workers. Empty or 0 is no limit."),
    )
    copy_by_chunk = forms.BooleanField(
        label=_("Copy by chunk"),
        required=False,
        help_text=_("Large layers go in pieces: slower, and a cut costs one piece at most. Haven always gets it so."),
    )
    single_active = forms.BooleanField(
        label=_("One run at a time"),
        required=False,
        help_text=_("A run that would start while another goes on is skipped. Not for rules that follow events."),
    )
    enabled = forms.BooleanField(
        label=_("Enabled"), required=False, help_text=_("A rule that is switched off is not started by anything.")
    )

    FIELDS = {
        "src_registry": "endpoint",
        "dest_registry": "endpoint",
        "dest_namespace_replace_count": "replace_count",
        "trigger": "cron",
    }
    SECTIONS = (
        (_("The rule"), ("name", "description", "direction", "endpoint")),
        (_("Which artifacts"), ("name_filter", "tag_filter", "tag_how", "labels", "label_how", "resource")),
        (_("What they are called at the target"), ("dest_namespace", "replace_count")),
        (_("When"), ("trigger", "cron", "enabled")),
        (_("How"), ("override", "deletion", "single_active", "copy_by_chunk", "speed")),
    )

    WIDE = ("direction", "name_filter", "trigger")
    """Fields that stand alone on a line, where the window is wide enough for two."""

    def __init__(
        self, data: Any, endpoints: Iterable[tuple[int, str]], project: Project | None, stored: Policy | None = None
    ) -> None:
        super().__init__(data, initial=_initial_policy(project, stored))
        self.project = project
        self._offer("endpoint", list(endpoints))
        kinds = [(kind.lower(), name) for kind, name in TYPES.items() if kind != "INDEX"]
        self._offer("resource", _with([EVERY_TYPE, *kinds], self.initial["resource"]))
        self._offer("replace_count", _with(_levels(), self.initial["replace_count"]))
        if project is not None:
            told = _("A rule of this project pulls into it: the namespace is %(project)s, or begins with %(project)s/.")
            self.fields["dest_namespace"].help_text = str(told) % {"project": project.name}

    def _offer(self, field: str, choices: Sequence[tuple[Any, Any]]) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def sections(self) -> list[tuple[Any, list[BoundField]]]:
        """The groups of the page, each with its fields."""
        return [(title, [self[name] for name in names]) for title, names in self.SECTIONS]

    def clean_name_filter(self) -> str:
        return _pattern(self.cleaned_data["name_filter"])

    def clean_tag_filter(self) -> str:
        return _pattern(self.cleaned_data["tag_filter"])

    def clean_labels(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["labels"].splitlines() if line.strip()]

    def clean_dest_namespace(self) -> str:
        namespace: str = self.cleaned_data["dest_namespace"]
        if namespace and not is_name(namespace):
            raise ValidationError(gettext("Use lower case letters and digits, joined by dots, hyphens or slashes."))
        return namespace

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        trigger = cleaned.get("trigger")
        if trigger == Policy.Trigger.SCHEDULED and "cron" in cleaned:
            self._check_times(cleaned["cron"])
        if trigger == Policy.Trigger.EVENT and cleaned.get("direction") == "pull":
            self.add_error("trigger", gettext("Only a rule that pushes can follow events."))
        if trigger == Policy.Trigger.EVENT and cleaned.get("single_active"):
            self.add_error("single_active", gettext("A rule that follows events cannot wait: events would be lost."))
        return cleaned

    def _check_times(self, cron: str) -> None:
        try:
            next_after(cron, datetime.now(UTC))
        except CronInvalid:
            self.add_error("cron", gettext("Write six fields, the first of them 0, such as 0 30 2 * * *."))
            return
        if cron.split()[1] == "*":
            self.add_error("cron", gettext("A rule runs at certain minutes of the hour: the minute cannot be *."))

    def rule(self) -> Rule:
        """What was asked for, as the action takes it."""
        given = self.cleaned_data
        same = ("description", "dest_namespace", "replace_count", "trigger", "cron", "deletion", "override")
        also = ("enabled", "copy_by_chunk", "single_active")
        side = "target_id" if given["direction"] == "push" else "source_id"
        fields = {name: given[name] for name in (*same, *also) if name in given}
        return Rule(
            name=given.get("name", ""),
            filters=_filters(given),
            speed=given.get("speed") or 0,
            **{side: given["endpoint"]},
            **fields,
        )


def _filters(given: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "name", "value": given["name_filter"]},
        {"type": "tag", "value": given["tag_filter"], "decoration": given["tag_how"]},
        {"type": "label", "value": given["labels"], "decoration": given["label_how"]},
        {"type": "resource", "value": given["resource"]},
    ]


def _initial_policy(project: Project | None, stored: Policy | None) -> dict[str, Any]:
    if stored is None:
        return {"direction": "push", "trigger": "manual", "enabled": True, "replace_count": -1, "resource": ""}
    kept = {entry["type"]: entry for entry in stored.filters}
    same = ("name", "description", "dest_namespace", "replace_count", "trigger", "cron", "deletion", "override")
    also = ("enabled", "copy_by_chunk", "single_active")
    return {
        **{name: getattr(stored, name) for name in (*same, *also)},
        "speed": stored.speed or None,
        "direction": "push" if stored.is_push else "pull",
        "endpoint": stored.endpoint.pk,
        "name_filter": kept.get("name", {}).get("value", ""),
        "tag_filter": kept.get("tag", {}).get("value", ""),
        "tag_how": kept.get("tag", {}).get("decoration", "matches"),
        "labels": "\n".join(kept.get("label", {}).get("value", ())),
        "label_how": kept.get("label", {}).get("decoration", "matches"),
        "resource": kept.get("resource", {}).get("value", ""),
    }


def _levels() -> list[tuple[int, str]]:
    first = [
        (-1, gettext("All levels: only the last part of the name stays")),
        (0, gettext("No level: the whole name is kept")),
    ]
    return first + [
        (number, ngettext("The first level", "The first %(count)s levels", number) % {"count": number})
        for number in range(1, DEEPEST + 1)
    ]


def _with(choices: Sequence[tuple[Any, Any]], value: Any) -> list[tuple[Any, Any]]:
    """`choices`, and what is chosen already though it is none of them."""
    known = any(choice == value for choice, _name in choices)
    return list(choices) if known else [*choices, (value, str(value))]


def _pattern(text: str) -> str:
    try:
        pattern(text)
    except PatternInvalid as error:
        raise ValidationError(gettext("This is no pattern: %(reason)s") % {"reason": said(str(error))}) from error
    return text
