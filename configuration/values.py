"""The configuration as it stands: the environment first, then what an administrator set, then the default.

Each process remembers it for a few seconds, so that a hot path may ask for anything without a query. The time of a
file tells the others on this machine that it has changed; further ones know when they have forgotten.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction

from configuration.keys import KEYS, InvalidValue, Key
from configuration.models import Setting
from configuration.sealed import seal, unseal

OVERWRITE = "CONFIG_OVERWRITE_JSON"
"""The variable that fixes the whole configuration: what it names has its value, and nothing may be changed."""


class NotEditable(Exception):
    """A key that the environment fixes, or that is not the API's to change."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A key's value, and whether an administrator may change it."""

    value: Any
    editable: bool


_known: tuple[float, int, dict[str, Any]] = (0.0, 0, {})


def get(name: str) -> Any:
    """The value of the key `name`, in its own type; KeyError where there is no such key."""
    return _values()[name]


def get_all() -> dict[str, Shown]:
    """Every key that may be read, in the order of `keys`. Secrets are not among them."""
    values = _values()
    return {name: Shown(values[name], editable(key)) for name, key in KEYS.items() if key.readable}


def editable(key: Key) -> bool:
    """Whether an administrator may change it: not what the environment fixes."""
    return key.writable and OVERWRITE not in os.environ and key.name not in fixed()


def set_values(values: Mapping[str, Any]) -> list[str]:
    """Check all of `values`, then store them all; the names of the keys that changed.

    Unknown keys are ignored, as Harbor does. `InvalidValue` or `NotEditable` and nothing is stored.
    """
    known = {name: value for name, value in values.items() if name in KEYS}
    parsed = {name: _acceptable(KEYS[name], value) for name, value in known.items()}
    with transaction.atomic():
        before = _read()
        changed = [name for name, value in parsed.items() if before[name] != value]
        _check_together(before | parsed)
        for name in changed:
            text = json.dumps(parsed[name])
            Setting.objects.update_or_create(key=name, defaults={"value": seal(text) if KEYS[name].secret else text})
        transaction.on_commit(_tell)
    forget()
    return changed


def _acceptable(key: Key, value: Any) -> Any:
    """`value` as the key's type, if it may be set. What is may be said again, for clients send back all they are shown:
    what the environment fixes, and the empty text of what nobody has set, though it could not be set to that."""
    if not key.writable:
        raise NotEditable(f"{key.name} can not be changed")
    if value == "" == _values()[key.name]:
        return value
    parsed = key.parse(value)
    if not editable(key) and parsed != _values()[key.name]:
        raise NotEditable(f"{key.name} can not be changed: the environment fixes it")
    return parsed


def _check_together(values: Mapping[str, Any]) -> None:
    """What no key can say of itself alone."""
    if values["skip_audit_log_database"] and not values["audit_log_forward_endpoint"]:
        raise InvalidValue("skip_audit_log_database", "needs an audit_log_forward_endpoint first")


def forget() -> None:
    """Read the database again at the next question."""
    global _known
    _known = (0.0, 0, {})


def _tell() -> None:
    """Let every process on this machine forget. Where it cannot be told, it remembers to the end of its seconds."""
    forget()
    now = time.time_ns()
    with suppress(OSError):
        settings.CONFIGURATION_CHANGED.touch()
        os.utime(settings.CONFIGURATION_CHANGED, ns=(now, now))  # `touch` alone counts in ticks of some milliseconds


def _told() -> int:
    try:
        return os.stat(settings.CONFIGURATION_CHANGED).st_mtime_ns
    except OSError:
        return 0


@cache
def fixed() -> dict[str, Any]:
    """The values that the environment fixes; `InvalidValue` where one of them does not fit its key."""
    found = {key.name: key.parse(os.environ[key.env]) for key in KEYS.values() if os.environ.get(key.env)}
    if OVERWRITE in os.environ:
        try:
            given = json.loads(os.environ[OVERWRITE])
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise InvalidValue(OVERWRITE, "must be a JSON object")
        found |= {name: KEYS[name].parse(value) for name, value in given.items() if name in KEYS}
    return found


def _values() -> dict[str, Any]:
    global _known
    until, told, values = _known
    now = _told()
    if time.monotonic() >= until or told != now:
        values = _read()
        _known = (time.monotonic() + settings.CONFIGURATION_REMEMBERED, now, values)
    return values


def _read() -> dict[str, Any]:
    values = {name: key.default for name, key in KEYS.items()}
    for setting in Setting.objects.filter(key__in=KEYS):
        value = _stored(KEYS[setting.key], setting.value)
        if value is not None:
            values[setting.key] = value
    return values | fixed()


def _stored(key: Key, text: str) -> Any:
    """What was stored, or None where it can no longer be read: then the default holds."""
    opened = unseal(text) if key.secret else text
    return None if opened is None else json.loads(opened)
