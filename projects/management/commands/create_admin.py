from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.actions import create_first_admin
from accounts.actors import SYSTEM
from accounts.errors import BadRequest, Conflict, DomainError
from accounts.passwords import check_rules
from projects.actions import create_project
from projects.models import Project

LIBRARY = "library"


class Command(BaseCommand):
    help = (
        "Gives a fresh installation its administrator `admin` and the public project `library`. The password is that "
        "of HARBOR_ADMIN_PASSWORD, or made up and printed this once. Does nothing where there is an administrator."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        given = settings.ADMIN_PASSWORD
        password = given or _random_password()
        try:
            admin = create_first_admin(password)
        except Conflict:
            admin = None  # another process was faster
        except DomainError as error:
            raise CommandError(f"HARBOR_ADMIN_PASSWORD cannot be used: {error.message}.") from None
        if admin is None:
            return
        if not Project.objects.filter(name=LIBRARY).exists():
            create_project(SYSTEM, name=LIBRARY, public=True)
        if not given:
            self.stdout.write(f"The administrator is admin, password: {password} (shown this once)")


def _random_password() -> str:
    """20 characters that a person can type, and that have what the rules ask for."""
    while True:
        password = secrets.token_urlsafe(15)
        with suppress(BadRequest):
            check_rules(password)
            return password
