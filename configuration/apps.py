from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks


class ConfigurationConfig(AppConfig):
    name = "configuration"

    def ready(self) -> None:
        checks.register(environment_fits)


def environment_fits(**_: Any) -> list[checks.CheckMessage]:
    """A value in the environment that its key does not take stops the start, with a sentence."""
    from configuration.keys import InvalidValue
    from configuration.values import fixed

    try:
        fixed()
    except InvalidValue as error:
        return [checks.Error(f"The environment's {error}.", id="configuration.E001")]
    return []
