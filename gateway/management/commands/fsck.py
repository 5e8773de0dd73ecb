from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from artifacts import fsck
from registry.objects import Heap, heap_for
from registry.storage import StorageError
from tokens.upstream import registry


class Command(BaseCommand):
    help = (
        "Check that database, registry and storage agree. Prints a line for each thing that is wrong, and fails then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="do not read the blobs, only ask how large they are")

    def handle(self, *, quick: bool, **options: Any) -> None:
        client = registry()
        wrong = chain(
            fsck.manifests(client),
            fsck.blobs(client, whole=not quick),
            fsck.tags(),
            fsck.quotas(),
            fsck.jobs(),
            fsck.lists(),
            fsck.tallies(),
        )
        count = 0
        for sentence in chain(wrong, self._storage()):
            count += 1
            self.stdout.write(sentence)
        self.stdout.write(f"{count} problems" if count else "everything is as it should be")
        if count:
            raise SystemExit(1)

    def _storage(self) -> Iterator[str]:
        place = settings.REGISTRY_STORAGE
        try:
            heap: Heap = heap_for(place["driver"], place["root"], place["options"])
        except StorageError:
            self.stdout.write(f"the storage ({place['driver']}) cannot be looked at from here")
            return
        yield from fsck.registry_tags(heap)
        yield from fsck.storage(heap)
