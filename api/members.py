"""The members of a project: users and groups, each with a role."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions as accounts
from accounts.actors import Actor, actor_of
from accounts.errors import BadRequest, NotFound
from accounts.models import Group, User
from api import parameters
from api.operations import PAGED, operation
from api.paging import Page, counted
from api.shapes import Number, Shape, Text
from api.views import Endpoint, created, done, project_of
from projects import actions, models
from projects.models import Role


class UserEntity(Shape):
    user_id = Number()
    username = Text()


class UserGroup(Shape):
    id = Number()
    group_name = Text()
    group_type = Number()
    ldap_group_dn = Text()


class ProjectMember(Shape):
    role_id = Number()
    member_user = UserEntity()
    member_group = UserGroup()


class ProjectMemberEntity(Shape):
    id = Number()
    project_id = Number()
    entity_name = Text()
    role_name = Text()
    role_id = Number()
    entity_id = Number()
    entity_type = Text()


class RoleRequest(Shape):
    role_id = Number()


def show(member: models.Member) -> dict[str, Any]:
    """`member`, as `listed`, in Harbor's words; the type is `u` for a user and `g` for a group."""
    return ProjectMemberEntity.of(
        {
            "id": member.pk,
            "project_id": member.project_id,
            "entity_name": str(member),
            "role_name": Role(member.role).label,
            "role_id": member.role,
            "entity_id": member.user_id or member.group_id,
            "entity_type": "u" if member.user_id else "g",
        }
    )


def asked_user(actor: Actor, asked: dict[str, Any]) -> User | None:
    """The user that a body names, by id or by name, be it one whom only the directory knows; NotFound if there is none.

    For an actor who may give them a role.
    """
    if not asked.get("user_id") and not asked.get("username"):
        return None
    pk, users = asked.get("user_id"), User.objects.all()
    user: User | None = (users.filter(pk=pk) if pk else users.named(asked["username"])).first()
    if user is None and not pk:
        return accounts.import_person(actor, asked["username"])
    if user is None:
        raise NotFound(f"user {pk} not found")
    return user


def asked_group(actor: Actor, asked: dict[str, Any]) -> Group | None:
    """The group that a body names, by id, distinguished name or name; NotFound if there is none.

    For an actor who may give it a role: one that Haven has not heard of is taken over from where people come from.
    """
    pk, dn, name = asked.get("id"), asked.get("ldap_group_dn", ""), asked.get("group_name", "")
    if not pk and not dn and not name:
        return None
    if pk:
        where = {"pk": pk}
    else:
        where = {"ldap_group_dn__iexact": dn, "type": Group.Type.LDAP} if dn else {"name": name}
        if not dn and asked.get("group_type"):
            where["type"] = asked["group_type"]
    group = Group.objects.filter(**where).order_by("pk").first()
    if group is None and pk:
        raise NotFound(f"group {pk} not found")
    return group or accounts.import_group(actor, dn=dn, name=name)


class Members(Endpoint):
    @operation("listProjectMembers", [ProjectMemberEntity], query=PAGED | {"entityname": Text()})
    def get(self, request: Request, project_name_or_id: str) -> Response:
        page = Page.of(request)
        project = project_of(request, project_name_or_id, "member", "list")
        members = project.members.listed()
        total = members.count()  # of all members, as in Harbor, whatever name is asked for
        if name := parameters.text(request, "entityname"):
            members = members.search(name)
        start, end = page.bounds(total)
        return counted(request, [show(member) for member in members[start:end]], total, page)

    @operation("createProjectMember", status=201, body=ProjectMember, body_required=False, errors=(409,))
    def post(self, request: Request, project_name_or_id: str) -> Response:
        asked = ProjectMember.read(request, "project_member", required=False)
        project = project_of(request, project_name_or_id, "member", "create")
        actor = actor_of(request)
        user = asked_user(actor, asked.get("member_user", {}))
        group = asked_group(actor, asked.get("member_group", {})) if user is None else None
        if user is None and group is None:
            raise BadRequest("the project member should provide")
        role = asked.get("role_id", 0)
        return created(request, actions.set_member(actor, project, user=user, group=group, role=role).pk)


class OneMember(Endpoint):
    @operation("getProjectMember", ProjectMemberEntity)
    def get(self, request: Request, project_name_or_id: str, mid: str) -> Response:
        return Response(show(self.find(request, project_name_or_id, mid, "read")))

    @operation("updateProjectMember", body=RoleRequest, body_required=False, errors=(412,))
    def put(self, request: Request, project_name_or_id: str, mid: str) -> Response:
        asked = RoleRequest.read(request, "role", required=False)
        member = self.find(request, project_name_or_id, mid, "update")
        if "role_id" not in asked:
            raise BadRequest("role can not be empty")
        actions.change_member(actor_of(request), member.project, member, asked["role_id"])
        return done()

    @operation("deleteProjectMember", errors=(412,))
    def delete(self, request: Request, project_name_or_id: str, mid: str) -> Response:
        member = self.find(request, project_name_or_id, mid, "delete")
        actions.remove_member(actor_of(request), member.project, member)
        return done()

    def find(self, request: Request, project_name_or_id: str, mid: str, action: str) -> models.Member:
        """The member of this project, and of no other, that the path names."""
        pk = parameters.integer(mid, "mid")
        project = project_of(request, project_name_or_id, "member", action)
        member = project.members.listed().select_related("project").filter(pk=pk).first()
        if member is None:
            raise NotFound(f"the project member {pk} not found")
        return member


routes = [
    path("projects/<project_name_or_id>/members", Members.as_view()),
    path("projects/<project_name_or_id>/members/<mid>", OneMember.as_view()),
]
