"""When work starts by itself, in the reader's words: "every day at 02:30 UTC" for `0 30 2 * * *`."""

from __future__ import annotations

import re

from django.utils.dates import WEEKDAYS
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
ANY = "*"
_STEP = re.compile(r"(?:\*|0)/(\d{1,2})")


def in_words(cron: str) -> str:
    """What the six fields of `cron` mean, where that is simple; else the fields themselves: "0 0 9-17 * * * (UTC)"."""
    return _in_words(cron) or _("%(cron)s (UTC)") % {"cron": cron}


def clock(cron: str) -> SafeString:
    """The words with the fields small beside them; the fields alone where there are no words."""
    if told := _in_words(cron):
        return format_html('{} <span class="hv-mono hv-small hv-quiet text-nowrap">{}</span>', capfirst(told), cron)
    return format_html('<span class="hv-mono">{}</span>', _("%(cron)s (UTC)") % {"cron": cron})


def _in_words(cron: str) -> str:
    fields = cron.upper().replace("?", ANY).split()
    if len(fields) != 6 or fields[0] not in ("0", "00") or fields[4] != ANY:
        return ""
    _second, minute, hour, day, _month, weekday = fields
    if day == weekday == ANY:
        return _within_a_day(minute, hour)
    if not minute.isdecimal() or not hour.isdecimal():
        return ""
    told = {"time": _time(hour, minute)}
    if day == ANY and (name := _weekday(weekday)):
        return _("every week on %(day)s at %(time)s UTC") % {**told, "day": name}
    if weekday == ANY and day.isdecimal():
        return _("every month on day %(day)s at %(time)s UTC") % {**told, "day": int(day)}
    return ""


def _within_a_day(minute: str, hour: str) -> str:
    if hour == ANY and (minutes := _step(minute, 60)):
        return _("every minute") if minutes == 1 else _("every %(n)d minutes") % {"n": minutes}
    if not minute.isdecimal():
        return ""
    if hour.isdecimal():
        return _("every day at %(time)s UTC") % {"time": _time(hour, minute)}
    told = {"n": _step(hour, 24), "m": int(minute)}
    if not told["n"]:
        return ""
    if told["n"] == 1:
        return _("every hour, %(m)d min past") % told if told["m"] else _("every hour")
    return (_("every %(n)d hours, %(m)d min past the hour") if told["m"] else _("every %(n)d hours")) % told


def _step(field: str, whole: int) -> int:
    """Every how many of `whole` the field means; 0 where they are not evenly apart."""
    if field == ANY:
        return 1
    found = _STEP.fullmatch(field)
    step = int(found[1]) if found else 0
    return step if 0 < step < whole and whole % step == 0 else 0


def _time(hour: str, minute: str) -> str:
    return f"{int(hour):02}:{int(minute):02}"


def _weekday(field: str) -> str:
    if field in DAYS:
        number = DAYS.index(field)
    elif field in tuple("01234567"):
        number = int(field)
    else:
        return ""
    return str(WEEKDAYS[(number - 1) % 7])
