from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actions import set_password
from accounts.actors import SYSTEM
from accounts.errors import DomainError
from accounts.models import User


class Command(BaseCommand):
    help = "Gives a user a new password, asked for twice; without a terminal it is read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user's name or e-mail address")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = User.objects.named(name).first() or User.objects.reached_at(name).first()
        if user is None:
            raise CommandError(f"There is no user {name}.")
        try:
            set_password(SYSTEM, user, self._ask())
        except DomainError as error:
            raise CommandError(f"Not changed: {error.message}.") from None
        self.stdout.write(f"{user.username} has a new password; sessions and logins with the old one have ended.")

    def _ask(self) -> str:
        if not sys.stdin.isatty():
            new = sys.stdin.readline().rstrip("\n")
            again = sys.stdin.readline().rstrip("\n") or new
        else:
            new, again = getpass.getpass("New password: "), getpass.getpass("Once more: ")
        if new != again:
            raise CommandError("Not changed: the two passwords differ.")
        return new
