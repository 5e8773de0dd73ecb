from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from artifacts import collecting
from configuration import values
from registry.objects import heap_for
from registry.storage import StorageError


class Command(BaseCommand):
    help = (
        "Free the space of what has been deleted: remove from the registry's storage what no artifact references and "
        "no push touched for two hours, and what unfinished uploads left. Works in read-only mode alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed; in any mode")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        storage = settings.REGISTRY_STORAGE
        try:
            heap = heap_for(storage["driver"], storage["root"], storage["options"])
            if not dry_run:
                self._settle()
            found = collecting.find(heap, timezone.now())
            if not dry_run:
                self._check_mode()  # finding took its time, and somebody may have let pushes in again
                collecting.remove(heap, found)
        except StorageError as error:
            raise CommandError(f"{error}.") from error
        self.stdout.write(
            f"{'would free' if dry_run else 'freed'} {found.freed} bytes: {len(found.blobs)} blobs, "
            f"{len(found.uploads)} files of unfinished uploads; "
            f"{len(found.links)} links {'would be' if dry_run else ''} forgotten".replace("  ", " ")
        )

    def _settle(self) -> None:
        self._check_mode()
        time.sleep(settings.COLLECT_SETTLING)

    def _check_mode(self) -> None:
        values.forget()
        if not values.get("read_only"):
            raise CommandError(
                "Set the system to read-only mode first (configuration key read_only), so that no push relies on what "
                "is being removed; --dry-run works in any mode."
            )
