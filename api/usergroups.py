"""Groups of users: their members come from LDAP or from the OpenID Connect provider, their roles from projects."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.actors import actor_of
from accounts.errors import BadRequest, NotFound
from accounts.models import Group
from accounts.permissions import require_system
from api import parameters
from api.members import UserGroup
from api.operations import PAGED, operation
from api.paging import Listing
from api.shapes import Number, Shape, Text
from api.views import Endpoint, authenticated, created, done
from configuration import values
from projects.actions import delete_group

TYPES = {"ldap_auth": Group.Type.LDAP, "http_auth": Group.Type.HTTP}
"""The groups that a mode of signing in lists; any other lists all."""


class UserGroupSearchItem(Shape):
    id = Number()
    group_name = Text()
    group_type = Number()


GROUPS = Listing(default=("name", "pk"), filters={}, sorts={})


def show(group: Group) -> dict[str, object]:
    return UserGroup.of(words(group))


def words(group: Group) -> dict[str, object]:
    """`group` in Harbor's words."""
    return {
        "id": group.pk,
        "group_name": group.name,
        "group_type": group.type,
        "ldap_group_dn": group.ldap_group_dn,
    }


class Groups(Endpoint):
    @operation("listUserGroups", [UserGroup], query=PAGED | {"ldap_group_dn": Text(), "group_name": Text()})
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), "user-group", "list")
        rows = Group.objects.all()
        if kind := TYPES.get(values.get("auth_mode")):
            rows = rows.filter(type=kind)
        if name := parameters.text(request, "group_name"):
            rows = rows.filter(name__icontains=name)
        if dn := parameters.text(request, "ldap_group_dn"):
            rows = rows.filter(ldap_group_dn__iexact=dn)
        return GROUPS.answer(request, rows, lambda groups: [show(group) for group in groups])

    @operation("createUserGroup", status=201, body=UserGroup, body_required=False, errors=(409,))
    def post(self, request: Request) -> Response:
        asked = UserGroup.read(request, "usergroup", required=False)
        require_system(actor_of(request), "user-group", "create")
        group = actions.create_group(
            actor_of(request),
            name=asked.get("group_name", ""),
            type=asked.get("group_type", 0),
            ldap_group_dn=asked.get("ldap_group_dn", ""),
        )
        return created(request, group.pk)


class Search(Endpoint):
    @operation("searchUserGroups", [UserGroupSearchItem], query=PAGED | {"groupname": Text(required=True)})
    def get(self, request: Request) -> Response:
        name = parameters.required(request, "groupname")
        authenticated(request)
        if not name:
            raise BadRequest("need to provide groupname to search user group")
        rows = Group.objects.filter(name__icontains=name)
        return GROUPS.answer(request, rows, lambda groups: [UserGroupSearchItem.of(words(group)) for group in groups])


class OneGroup(Endpoint):
    @operation("getUserGroup", UserGroup)
    def get(self, request: Request, group_id: str) -> Response:
        return Response(show(self.find(request, group_id, "read")))

    @operation("updateUserGroup", body=UserGroup, body_required=False, errors=(409,))
    def put(self, request: Request, group_id: str) -> Response:
        asked = UserGroup.read(request, "usergroup", required=False)
        group = self.find(request, group_id, "update")
        actions.rename_group(actor_of(request), group, asked.get("group_name", ""))
        return done()

    @operation("deleteUserGroup")
    def delete(self, request: Request, group_id: str) -> Response:
        delete_group(actor_of(request), self.find(request, group_id, "delete"))
        return done()

    def find(self, request: Request, group_id: str, action: str) -> Group:
        """The group that the path names, for who may do this to any."""
        pk = parameters.integer(group_id, "group_id")
        require_system(actor_of(request), "user-group", action)
        if pk <= 0:
            raise BadRequest("the group id should be provided")
        group = Group.objects.filter(pk=pk).first()
        if group is None:
            raise NotFound(f"the user group with id {pk} is not found")
        return group


routes = [
    path("usergroups", Groups.as_view()),
    path("usergroups/search", Search.as_view()),
    path("usergroups/<group_id>", OneGroup.as_view()),
]
