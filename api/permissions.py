"""What a robot can be given: the dictionary that fills the portal's and other clients' forms."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actors
from accounts.errors import Forbidden
from api.operations import operation
from api.shapes import ListOf, Shape, Text
from api.views import Endpoint, authenticated
from projects.models import Member, Role
from projects.permissions import ROBOT_PERMISSIONS


class Permission(Shape):
    resource = Text()
    action = Text()


class Permissions(Shape):
    system = ListOf(Permission())
    project = ListOf(Permission())


class Dictionary(Endpoint):
    @operation("getPermissions", Permissions)
    def get(self, request: Request) -> Response:
        actor = authenticated(request)
        if not actor.is_admin and not Member.objects.of(actor).filter(role=Role.PROJECT_ADMIN).exists():
            raise Forbidden("only admins(system and project) can access permissions")
        project = listed(ROBOT_PERMISSIONS["project"])
        return Response(
            Permissions.of(
                {"system": listed(ROBOT_PERMISSIONS["system"]) if actor.is_admin else None, "project": project}
            )
        )


def listed(permissions: frozenset[actors.Permission]) -> list[actors.Permission]:
    """`permissions` in an order that does not change."""
    return sorted(permissions)


routes = [path("permissions", Dictionary.as_view())]
