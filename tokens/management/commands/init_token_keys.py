from typing import Any

from django.core.management.base import BaseCommand

from tokens.signing import key_folder


class Command(BaseCommand):
    help = "Make the keys that tokens are signed with, where they are missing. Running it again changes nothing."

    def handle(self, **options: Any) -> None:
        ring = key_folder().prepare()
        self.stdout.write(f"{len(ring.keys)} token keys in {key_folder().path}; signing with {ring.signing.kid}")
