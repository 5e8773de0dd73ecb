"""What an artifact's config says, in words: how an image starts, what a chart is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from artifacts.models import Artifact

LONGEST = 4000
MOST = 200
"""Characters of a value, and values of a kind, that are shown."""


@dataclass(frozen=True)
class Fact:
    """A line of the configuration: `values` is one or several, each as the config has it."""

    label: str
    values: list[str]


def configuration_of(artifact: Artifact) -> list[Fact]:
    """What the config of an image or a chart tells, as far as it has the shape that it should have."""
    attributes = artifact.extra_attrs if isinstance(artifact.extra_attrs, dict) else {}
    told = _image(attributes) if artifact.type == "IMAGE" else _chart(attributes) if artifact.type == "CHART" else ()
    return [fact for fact in told if fact.values]


def _image(attributes: Mapping[str, Any]) -> Iterator[Fact]:
    config = attributes.get("config")
    config = config if isinstance(config, dict) else {}
    yield Fact(_("Entrypoint"), _command(config.get("Entrypoint")))
    yield Fact(_("Command"), _command(config.get("Cmd")))
    yield Fact(_("Working directory"), _text(config.get("WorkingDir")))
    yield Fact(_("User"), _text(config.get("User")))
    yield Fact(_("Ports"), _keys(config.get("ExposedPorts")))
    yield Fact(_("Volumes"), _keys(config.get("Volumes")))
    yield Fact(_("Environment"), _list(config.get("Env")))
    yield Fact(_("Stop signal"), _text(config.get("StopSignal")))
    yield Fact(_("Labels of the image"), _pairs(config.get("Labels")))


def _chart(attributes: Mapping[str, Any]) -> Iterator[Fact]:
    yield Fact(_("Description"), _text(attributes.get("description")))
    yield Fact(_("Version of the chart"), _text(attributes.get("version")))
    yield Fact(_("Version of the application"), _text(attributes.get("appVersion")))
    yield Fact(_("Kubernetes version"), _text(attributes.get("kubeVersion")))
    yield Fact(_("Home page"), _text(attributes.get("home")))
    yield Fact(_("Keywords"), _list(attributes.get("keywords")))
    maintainers = attributes.get("maintainers")
    people = [person for person in maintainers if isinstance(person, dict)] if isinstance(maintainers, list) else []
    yield Fact(_("Maintainers"), [str(person.get("name") or "") for person in people[:MOST] if person.get("name")])


def _text(value: Any) -> list[str]:
    return [value[:LONGEST]] if isinstance(value, str) and value else []


def _list(value: Any) -> list[str]:
    return [str(item)[:LONGEST] for item in value[:MOST]] if isinstance(value, list) else _text(value)


def _command(value: Any) -> list[str]:
    """As it is written in a Dockerfile: a list in brackets."""
    return [json.dumps(value, ensure_ascii=False)[:LONGEST]] if isinstance(value, list) and value else _text(value)


def _keys(value: Any) -> list[str]:
    return [str(key)[:LONGEST] for key in list(value)[:MOST]] if isinstance(value, dict) else []


def _pairs(value: Any) -> list[str]:
    return [f"{key}={text}"[:LONGEST] for key, text in list(value.items())[:MOST]] if isinstance(value, dict) else []
