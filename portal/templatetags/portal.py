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
from portal import clock, names, words, working
from portal.health import Part
from portal.listing import Listing
from portal.markdown import excerpt
from projects.labels import COLOR
from projects.models import Label
from robots.models import Robot

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


@register.simple_tag(takes_context=True)
def carried(context: dict[str, Any], listing: Listing) -> list[tuple[str, str]]:
    """What the address holds beside the filters of `listing`, for their form to carry along."""
    own = {"q", "page", *(choice.name for choice in listing.choices)}
    return [(key, value) for key, value in context["request"].GET.items() if key not in own]


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


@register.simple_tag
def sick(parts: list[Part]) -> int:
    """How many parts of Haven do not answer."""
    return sum(not part.is_well for part in parts)


@register.simple_tag
def robot_url(robot: Robot, view: str) -> str:
    """The page `view` of a robot, wherever it lives."""
    if robot.project is None:
        return reverse(f"portal:system-{view}", args=[robot.pk])
    return reverse(f"portal:{view}", args=[robot.project.name, robot.pk])


@register.filter
def says_more(entry: Entry) -> bool:
    """Whether the description says more than the event and the resource do."""
    plain = f"{entry.operation} {entry.resource_type}: {entry.resource}"
    said = entry.operation_description
    return bool(said) and said.replace("_", " ") != plain.replace("_", " ")


@register.simple_tag
def lasted(start: datetime | None, end: datetime | None) -> str:
    """How long something took, or has taken until now; a dash for what has not begun."""
    return working.took((end or timezone.now()) - start) if start else "—"


@register.filter
def moment(when: datetime) -> SafeString:
    """A `<time>` that shows day and time of day, and exactly when on hovering."""
    shown = formats.date_format(timezone.localtime(when), "SHORT_DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', when.isoformat(), words.exact(when), shown)


register.filter("excerpt", excerpt)
register.filter("clock", clock.clock)
register.filter("work", working.kind_name)
register.filter("state", working.state_of)
register.filter("trigger", working.trigger_name)
register.filter("span", working.took)
register.simple_tag(working.progress_of, name="progress")


@register.simple_tag
def label_url(label: Label, view: str) -> str:
    """The page `view` of a label, wherever it is kept."""
    if label.project is None:
        return reverse(f"portal:system-{view}", args=[label.pk])
    return reverse(f"portal:{view}", args=[label.project.name, label.pk])


@register.simple_tag
def swatch(color: str) -> SafeString:
    """A dot of that colour. It is painted by an attribute: the policy lets no page set a style."""
    fill = color if COLOR.fullmatch(color) and color else "currentColor"
    return format_html(
        '<svg class="hv-swatch" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="{}"/></svg>',
        fill,
    )


@register.simple_tag
def value_of(table: dict[int, int], key: int) -> int:
    """What `table` says of `key`; 0 where it says nothing."""
    return table.get(key, 0)


register.filter("group_type", names.group_type)
