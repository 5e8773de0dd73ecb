"""Groups of people: those that LDAP, a provider or a proxy names."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions
from accounts.actors import Actor, actor_of
from accounts.errors import Conflict, NotFound
from accounts.models import Group, GroupMembership
from accounts.permissions import require_system, system_allowed
from portal import words
from portal.answers import Question, ask, posted, show_form, submit
from portal.forms_things import GroupForm, RenameGroupForm
from portal.listing import listing, query_of
from portal.rights import rights
from projects.actions import delete_group
from projects.models import Member

ORDERS = {"name": ["name", "pk"], "type": ["type", "name"], "created": ["creation_time", "pk"]}
PEOPLE = 100


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every group."""
    actor = _asking(request, "list")
    rows = Group.objects.all()
    if query := query_of(request):
        rows = rows.filter(name__icontains=query)
    shown = listing(request, rows, ORDERS, default="name")
    groups = [group.pk for group in shown.page]
    people = GroupMembership.objects.filter(group__in=groups, user__deleted=False).values("group")
    context = {
        "listing": shown,
        "people": dict(people.annotate(n=Count("pk")).values_list("group", "n")),
        "may": rights(system_allowed(actor)),
    }
    return render(request, "portal/groups/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponseBase:
    """A new group, as it is known elsewhere."""
    actor = _asking(request, "create")
    form = GroupForm(posted(request))

    def act(given: dict[str, Any]) -> str:
        group = actions.create_group(actor, **given)
        messages.success(request, _("The group %(name)s has been created.") % {"name": group.name})
        return reverse("portal:groups")

    taken = ("name", _("There is a group like this already."))
    answer = submit(request, form, act, {Conflict: taken})
    return answer or show_form(request, "portal/groups/form.html", form, form_title=_("New group"))


@require_safe
def show(request: HttpRequest, group: int) -> HttpResponse:
    """Who is in a group, and what it may do where."""
    actor = _asking(request, "read")
    row = _group(group)
    memberships = row.memberships.filter(user__deleted=False).select_related("user").order_by("user__username")
    roles = Member.objects.filter(group=row).select_related("project").order_by("project__name")
    context = {
        "group": row,
        "people": [membership.user for membership in memberships[:PEOPLE]],
        "people_total": memberships.count(),
        "roles": roles[:PEOPLE],
        "may": rights(system_allowed(actor)),
    }
    return render(request, "portal/groups/show.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, group: int) -> HttpResponseBase:
    """Another name for a group; who is in it and its roles stay."""
    actor = _asking(request, "update")
    row = _group(group)
    form = RenameGroupForm(posted(request), initial={"name": row.name})

    def act(given: dict[str, Any]) -> str:
        actions.rename_group(actor, row, given["name"])
        messages.success(request, _("The group is called %(name)s now.") % {"name": given["name"]})
        return reverse("portal:group", args=[group])

    taken = ("name", _("There is a group like this already."))
    answer = submit(request, form, act, {Conflict: taken})
    title = _("Rename the group %(name)s") % {"name": row.name}
    return answer or show_form(request, "portal/groups/form.html", form, form_title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, group: int) -> HttpResponseBase:
    """Delete a group, and the roles that it gave."""
    actor = _asking(request, "delete")
    row = _group(group)
    projects = Member.objects.filter(group=row).count()
    effect = ngettext(
        "Who is in it loses the role that it gave in %(count)s project.",
        "Who is in it loses the roles that it gave in %(count)s projects.",
        projects,
    ) % {"count": words.number(projects)}
    effects = [effect if projects else _("It gives no role in any project."), _("The people in it stay.")]
    title = _("Delete the group %(name)s?") % {"name": row.name}
    question = Question(title=title, effects=effects, verb=_("Delete the group"), back=reverse("portal:groups"))

    def act() -> str:
        delete_group(actor, row)
        messages.success(request, _("The group %(name)s is deleted.") % {"name": row.name})
        return question.back

    return ask(request, question, act, {})


def _asking(request: HttpRequest, action: str) -> Actor:
    actor = actor_of(request)
    require_system(actor, "user-group", action)
    return actor


def _group(pk: int) -> Group:
    row = Group.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row
