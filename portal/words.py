"""Small things said in the reader's language: sizes, digests, how long ago."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats, timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

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
    """How long ago it was, in one unit: "2 hours ago"."""
    if (timezone.now() - moment).total_seconds() < 60:
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, depth=1)}
