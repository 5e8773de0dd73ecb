from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actions import configure
from accounts.actors import SYSTEM
from accounts.errors import DomainError
from configuration import values
from configuration.keys import KEYS


class Command(BaseCommand):
    help = "Shows the configuration, or changes it: `configure read_only=true`. Secrets are never shown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("changes", nargs="*", metavar="key=value", help="nothing shows every key and its value")

    def handle(self, *args: Any, changes: list[str], **options: Any) -> None:
        if not changes:
            for name, shown in values.get_all().items():
                self.stdout.write(f"{name}={shown.value}{'' if shown.editable else '  (fixed)'}")
            return
        try:
            changed = configure(SYSTEM, dict(self._read(change) for change in changes))
        except DomainError as error:
            raise CommandError(f"Not changed: {error.message}.") from None
        self.stdout.write(f"changed: {', '.join(changed)}" if changed else "nothing to change")

    def _read(self, change: str) -> tuple[str, str]:
        name, equals, value = change.partition("=")
        if not equals or name not in KEYS:
            raise CommandError(f"Not changed: {change} is not key=value with a key of the configuration.")
        return name, value
