import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.errors import RegistryError
from tokens.keys import Key
from tokens.signing import key_folder
from tokens.upstream import accepts


class Command(BaseCommand):
    help = (
        "Sign tokens with a new key from now on. Nothing is interrupted: the new key has been published since the last "
        "rotation, tokens signed with the old one stay valid until they end, and a key for the next time is published."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--unchecked",
            action="store_true",
            help="do not ask the registry whether it knows the new key: every replica has been restarted since",
        )

        parser.add_argument(
            "--wait",
            type=float,
            default=10.0,
            metavar="SECONDS",
            help="give the registry so long to learn the new key; in the embedded run it is started anew by itself",
        )

    def handle(self, *, unchecked: bool, wait: float, **options: Any) -> None:
        folder = key_folder()
        key = folder.prepare().next
        if not unchecked:
            self._check(key, wait)
        ring = folder.rotate()
        self.stdout.write(f"signing with {ring.signing.kid}; the registry learns {ring.next.kid} when it next starts")

    def _check(self, key: Key, wait: float) -> None:
        give_up = time.monotonic() + wait
        try:
            while not accepts(key):
                if time.monotonic() >= give_up:
                    raise CommandError(
                        "The registry does not know the new key yet, for it reads its keys when it starts: "
                        "restart it, then run this again."
                    )
                time.sleep(0.2)
        except RegistryError as error:
            raise CommandError(f"The registry cannot be asked whether it knows the new key: {error}.") from error
