"""Harbor's cron strings: six fields, the seconds first and literally `0`, all times UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError


class CronInvalid(ValueError):
    """Not a cron string that Harbor takes; the message is for people."""


def next_after(cron: str, moment: datetime) -> datetime:
    """The first time after `moment` that `cron` means.

    Day of month and day of week are alternatives where both are given, as in Harbor. Raises CronInvalid.
    """
    fields = cron.split()
    if len(fields) != 6:
        raise CronInvalid(f"a cron string has 6 fields, seconds first: {cron[:64]!r}")
    if fields[0] != "0":
        raise CronInvalid("the first field of a cron string, the seconds, must be 0")
    try:
        return next(CronSim(" ".join(_five(fields[1:])), moment.astimezone(UTC)))
    except (CronSimError, StopIteration) as error:
        raise CronInvalid(f"not a cron string: {cron[:64]!r}") from error


def _five(fields: list[str]) -> list[str]:
    """The five fields as cronsim would be given what Harbor's parser reads: `?` is `*`, `*/2` is a list of days."""
    minute, hour, day, month, weekday = ("*" + field[1:] if field[0] == "?" else field for field in fields)
    if set(f"{day}{weekday}".upper()) & {"L", "#"}:
        raise CronInvalid("a cron string has no L and no #")
    return [minute, hour, re.sub(r"^\*/(?!1$)", "1-31/", day), month, re.sub(r"^\*/(?!1$)", "0-6/", weekday)]
