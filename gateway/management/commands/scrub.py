from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from artifacts.damage import storage
from artifacts.scrubbing import scrub
from registry.errors import RegistryError
from tokens.upstream import registry


class Command(BaseCommand):
    help = (
        "Read every blob through the registry and hash it. Damaged ones are reported and, where the storage is a "
        "filesystem within reach, moved away, so that a new push heals them; elsewhere the object's name is printed."
    )

    def handle(self, **options: Any) -> None:
        try:
            registry().ping()
        except RegistryError as error:
            raise CommandError(f"The registry does not answer: {error}.") from error
        total = damaged = 0
        for digest, wrong in scrub(registry(), storage()):
            total += 1
            if wrong:
                damaged += 1
                self.stdout.write(f"{digest}: {wrong}")
        self.stdout.write(f"{total} blobs read, {damaged} damaged")
        if damaged:
            raise SystemExit(1)
