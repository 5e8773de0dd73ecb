import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.errors import RegistryError
from tokens.keys import REREAD, Key, KeyFolder
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

        parser.add_argument(
            "--distrust",
            action="store_true",
            help="a key has leaked: drop all keys and every token signed so far, at the price of an interruption",
        )

    def handle(self, *, unchecked: bool, wait: float, distrust: bool, **options: Any) -> None:
        folder = key_folder()
        if distrust:
            self._distrust(folder, unchecked, wait)
            return
        key = folder.prepare().next
        if not unchecked:
            self._check(key, wait)
        ring = folder.rotate()
        self.stdout.write(f"signing with {ring.signing.kid}; the registry learns {ring.next.kid} when it next starts")

    def _distrust(self, folder: KeyFolder, unchecked: bool, wait: float) -> None:
        ring = folder.replace()
        if not unchecked:
            self._check(ring.signing, wait, "It still accepts the old ones: restart it now.")
        self.stdout.write(f"signing with {ring.signing.kid}; every token signed before is refused within {REREAD:g} s")

    def _check(self, key: Key, wait: float, advice: str = "Restart it, then run this again.") -> None:
        give_up = time.monotonic() + wait
        try:
            while not accepts(key):
                if time.monotonic() >= give_up:
                    raise CommandError(
                        f"The registry does not know the new key yet, for it reads its keys when it starts. {advice}"
                    )
                time.sleep(0.2)
        except RegistryError as error:
            raise CommandError(
                f"The registry cannot be asked whether it knows the new key: {error}. {advice}"
            ) from error
