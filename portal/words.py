"""Small things said in the reader's language: sizes, digests, how long ago."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
SHORT_DIGEST = 12


def number(value: int) -> str:
    """A whole number with the thousands marked as the reader's language does."""
    return str(formats.number_format(value, 0, use_l10n=True, force_grouping=True))


def size(octets: int) -> str:
    """Bytes in the largest fitting binary unit, one decimal: `55.0 MiB`."""
    amount = float(octets)
    for unit in UNITS:
        if amount < 1024 or unit == UNITS[-1]:
            break
        amount /= 1024
    return f"{formats.number_format(amount, 0 if unit == 'B' else 1, use_l10n=True)} {unit}"


def short(digest: str) -> str:
    """The first twelve characters of a digest's hash: `216fdaeeb975`."""
    return digest.partition(":")[2][:SHORT_DIGEST]


def exact(moment: datetime) -> str:
    """The moment to the second, in the current time zone, which is named."""
    local = timezone.localtime(moment)
    return f"{formats.date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"


def ago(moment: datetime) -> str:
    """How long ago it was, in the largest whole unit: "2 hours ago"."""
    seconds = (timezone.now() - moment).total_seconds()
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return _("just now")
    if hours < 1:
        return ngettext("%d minute ago", "%d minutes ago", minutes) % minutes
    if days < 1:
        return ngettext("%d hour ago", "%d hours ago", hours) % hours
    if days < 14:
        return ngettext("%d day ago", "%d days ago", days) % days
    if days < 60:
        return ngettext("%d week ago", "%d weeks ago", days // 7) % (days // 7)
    if days < 730:
        return ngettext("%d month ago", "%d months ago", days // 30) % (days // 30)
    return ngettext("%d year ago", "%d years ago", days // 365) % (days // 365)


def span(seconds: int) -> str:
    """A length of time in its two largest units: `40 s`, `3 min 20 s`, `2 h 5 min`."""
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds % 60}
    return _("%(seconds)d s") % {"seconds": seconds}
