from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from accounts.errors import NotFound
from artifacts.books import place_anew, put_right
from audit import checking
from projects.models import Project


class Command(BaseCommand):
    help = (
        "Count anew what each project uses, and let its quota say so; find out anew which artifacts lists show; "
        "count the audit log anew. Prints a line for each project that was wrong, and one for the log. "
        "Can be run at any time; pushes to a project wait while it is counted."
    )

    def handle(self, **options: Any) -> None:
        wrong = 0
        for pk, name in Project.objects.order_by("pk").values_list("pk", "name").iterator():
            with suppress(NotFound):  # the project has gone meanwhile
                booked, real = put_right(pk)
                if booked != real:
                    wrong += 1
                    self.stdout.write(f"{name}: {real} bytes are used, not {booked}")
                if count := place_anew(pk):
                    wrong += 1
                    self.stdout.write(f"{name}: lists knew {count} artifacts wrongly")
        if count := checking.put_right():
            wrong += 1
            self.stdout.write(f"audit log: {count} of its tallies were wrong")
        self.stdout.write(f"{wrong} put right" if wrong else "everything is as it should be")
