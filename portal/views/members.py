"""Who belongs to a project, and as what."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.errors import Conflict, NotFound, PreconditionFailed
from accounts.models import Group, User
from portal.answers import Question, ask, posted, show_form, submit
from portal.finding import Place, place
from portal.forms import MemberForm, RoleForm
from portal.listing import listing, query_of
from portal.names import role_name
from projects import actions
from projects.models import Member, Role

ORDERS = {"name": ["entity_name", "pk"], "role": ["role", "entity_name", "pk"]}


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, project: str) -> HttpResponseBase:
    """The members, and the form that adds one."""
    found = place(request, project)
    found.require("member", "list")
    if request.method == "POST":
        found.require("member", "create")
    form = MemberForm(posted(request), initial={"role": int(Role.DEVELOPER)})

    def act(given: dict[str, Any]) -> str:
        member = _add(found, given["username"], given["role"], is_group=given["kind"] == "group")
        words = {"name": member, "role": role_name(given["role"])}
        messages.success(request, _("%(name)s is a member now: %(role)s.") % words)
        return request.path

    unknown = ("username", _("There is nobody of this name."))
    member = ("username", _("A member already. Change the role in the list."))
    answer = submit(request, form, act, {NotFound: unknown, Conflict: member})
    if answer is not None:
        return answer
    rows = found.project.members.listed()
    if query := query_of(request):
        rows = rows.search(query)
    shown = listing(request, rows, ORDERS, default="name")
    return show_form(request, "portal/projects/members.html", form, listing=shown, tab="members", **found.context)


def _add(found: Place, name: str, role: int, *, is_group: bool) -> str:
    """Make the user or the group of that name a member; its name as it is written."""
    if is_group:
        group = Group.objects.filter(name=name).order_by("pk").first()
        if group is None:
            raise NotFound
        actions.set_member(found.actor, found.project, group=group, role=Role(role))
        return group.name
    user = User.objects.named(name).first()
    if user is None:
        raise NotFound
    actions.set_member(found.actor, found.project, user=user, role=Role(role))
    return str(user.username)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, project: str, member: int) -> HttpResponseBase:
    """Give a member another role."""
    found = place(request, project)
    found.require("member", "update")
    row = _member(found, member)
    form = RoleForm(posted(request), initial={"role": row.role})

    def act(given: dict[str, Any]) -> str:
        actions.change_member(found.actor, found.project, row, Role(given["role"]))
        words = {"name": str(row), "role": role_name(given["role"])}
        messages.success(request, _("%(name)s has a new role: %(role)s.") % words)
        return reverse("portal:members", args=[project])

    last = ("role", _("The project needs an administrator: make somebody else one first."))
    answer = submit(request, form, act, {PreconditionFailed: last})
    return answer or show_form(request, "portal/projects/member.html", form, member=row, tab="members", **found.context)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, project: str, member: int) -> HttpResponseBase:
    """Take a member out of the project."""
    found = place(request, project)
    found.require("member", "delete")
    row = _member(found, member)
    words = {"name": str(row), "project": found.project.name}
    private = _("%(name)s no longer sees this private project.") % words
    public = _("%(name)s may still pull, as anybody may from a public project.") % words
    question = Question(
        title=_("Remove %(name)s from %(project)s?") % words,
        effects=[public if found.project.public else private, _("Pulls and pushes are refused at once.")],
        verb=_("Remove the member"),
        back=reverse("portal:members", args=[project]),
    )

    def act() -> str:
        actions.remove_member(found.actor, found.project, row)
        messages.success(request, _("%(name)s is no longer a member.") % words)
        return reverse("portal:members", args=[project])

    last = _("The project needs an administrator: make somebody else one first.")
    return ask(request, question, act, {PreconditionFailed: last})


def _member(found: Place, pk: int) -> Member:
    row = found.project.members.listed().filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row
