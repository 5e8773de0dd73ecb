"""Subscribers that remember what they heard."""

from __future__ import annotations

from typing import Any

heard: list[dict[str, Any]] = []
broken = False


class Deaf(Exception):
    """The subscriber does not get it, this time."""


def listen(event: dict[str, Any]) -> None:
    heard.append(event)


def listen_if_well(event: dict[str, Any]) -> None:
    if broken:
        raise Deaf("line one\nline two")
    heard.append(event)
