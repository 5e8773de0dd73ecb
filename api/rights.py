"""`GET /users/current/permissions`: what the caller may do, in the system or in a project."""

from __future__ import annotations

import re

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, Permission
from accounts.permissions import system_allowed
from api import parameters
from api.operations import operation
from api.permissions import Permission as Shown
from api.shapes import Flag, Text
from api.views import Endpoint, authenticated
from projects.models import Project
from projects.permissions import allowed

SYSTEM = "/system"
PROJECT = re.compile(r"/project/([0-9]{1,18})/?", re.ASCII)


class Rights(Endpoint):
    @operation("getCurrentUserPermissions", [Shown], query={"scope": Text(), "relative": Flag()})
    def get(self, request: Request) -> Response:
        actor = authenticated(request)
        scope = (parameters.text(request, "scope") or "").rstrip("/")
        root = "" if parameters.flag(request, "relative") else scope
        found = [
            {"resource": resource_name(root, permission), "action": permission.action}
            for permission in sorted(permissions_in(actor, scope))
        ]
        return Response(Shown.each(found))


def permissions_in(actor: Actor, scope: str) -> frozenset[Permission]:
    """What `actor` may do in `scope`: `/system`, or `/project/7`; nothing in any other."""
    if scope == SYSTEM:
        return system_allowed(actor)
    named = PROJECT.fullmatch(scope)
    project = Project.objects.visible_to(actor).filter(pk=int(named[1])).first() if named else None
    return allowed(actor, project) if project else frozenset()


def resource_name(root: str, permission: Permission) -> str:
    """Harbor's path of a resource below `root`; a project itself is the scope's own path, or a dot."""
    if permission.resource == "project" and root != SYSTEM:
        return root or "."
    return f"{root}/{permission.resource}".lstrip("/") if not root else f"{root}/{permission.resource}"


routes = [path("users/current/permissions", Rights.as_view())]
