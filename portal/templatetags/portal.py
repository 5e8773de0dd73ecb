"""What Haven's templates need beside Django's own tags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from artifacts.models import Repository
from audit.models import Entry
from portal import names, words

register = template.Library()

register.filter("number", words.number)
register.filter("size", words.size)
register.filter("short", words.short)


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """The icon `name` of the sprite, hidden from screen readers; `size` is "sm" or "lg"."""
    extra = f" hv-icon-{size}" if size else ""
    return format_html(
        '<svg class="hv-icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra,
        static("vendor/tabler/icons.svg"),
        name,
    )


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A `<time>` that says how long ago, and exactly when on hovering; nothing for None."""
    if moment is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), words.exact(moment), words.ago(moment)
    )


@register.filter
def kind(field: BoundField) -> str:
    """How the form field component draws `field`: "check", "choices" or "line"."""
    if isinstance(field.field.widget, CheckboxInput):
        return "check"
    return "choices" if isinstance(field.field.widget, RadioSelect | CheckboxSelectMultiple) else "line"


@register.simple_tag(takes_context=True)
def sort_of(context: dict[str, Any], name: str) -> dict[str, str]:
    """What the head of the sortable column `name` shows and where it leads: `aria`, `icon`, `next`."""
    current = context["listing"].sort
    if current == name:
        return {"aria": "ascending", "icon": "chevron-up", "next": f"-{name}"}
    if current == f"-{name}":
        return {"aria": "descending", "icon": "chevron-down", "next": name}
    return {"aria": "none", "icon": "selector", "next": name}


@register.filter
def role(value: int) -> Any:
    """A project role in the reader's language."""
    return names.role_name(value)


@register.filter
def url(repository: Repository) -> str:
    """The page of `repository`."""
    return reverse("portal:repository", args=[repository.name.partition("/")[0], repository.short_name])


@register.filter
def share(whole: int, percent: int) -> int:
    """So many percent of `whole`, rounded down."""
    return whole * percent // 100


@register.filter
def day(moment: datetime) -> SafeString:
    """A `<time>` that shows the day, and exactly when on hovering."""
    shown = formats.date_format(timezone.localtime(moment), "DATE_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), words.exact(moment), shown)


@register.filter
def event(entry: Entry) -> str:
    """What happened, in the reader's language: "Pulled: artifact"."""
    return names.event_name(entry.operation, entry.resource_type)
