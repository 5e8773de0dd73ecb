"""Machine accounts, of a project and of the system: what they may do, their secrets, their end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actors import Actor, Permission, actor_of
from accounts.errors import Conflict, NotFound
from accounts.permissions import refuse, system_allowed
from configuration import values
from portal import once
from portal.answers import Question, Refusals, ask, posted, show_form, submit
from portal.commands import login_command
from portal.finding import place
from portal.forms_robots import RobotForm, SystemRobotForm
from portal.listing import listing, query_of
from portal.names import permission_name
from portal.rights import rights
from projects.models import Project
from projects.permissions import ROBOT_PERMISSIONS
from robots import actions
from robots.models import Robot, RobotQuerySet

ORDERS = {"name": ["name", "pk"], "created": ["creation_time", "pk"], "expires": ["expires_at", "pk"]}
NEVER = -1
SYSTEM_FRAME, PROJECT_FRAME = "portal/robots/system.html", "portal/projects/base.html"


@dataclass(frozen=True)
class House:
    """Where robots live: a project, or the system for None; with what the reader may do to them there."""

    actor: Actor
    project: Project | None
    permissions: frozenset[Permission]
    context: dict[str, Any]

    @property
    def robots(self) -> RobotQuerySet:
        return Robot.objects.filter(project=self.project).select_related("project")

    def url(self, view: str, *robot: int) -> str:
        """The page `view`, as of a project's robots: `robot-new`."""
        if self.project is None:
            return reverse(f"portal:system-{view}", args=robot)
        return reverse(f"portal:{view}", args=[self.project.name, *robot])


def house(request: HttpRequest, project: str | None, action: str) -> House:
    """The project's house or the system's, for who may do this to its robots."""
    if project is not None:
        found = place(request, project)
        found.require("robot", action)
        context = {"frame": PROJECT_FRAME, "tab": "robots", **found.context}
        return House(found.actor, found.project, found.permissions, {**context, "new": _new(found.project)})
    actor = actor_of(request)
    permissions = system_allowed(actor)
    if Permission("robot", action) not in permissions:
        refuse(actor)
    return House(actor, None, permissions, {"frame": SYSTEM_FRAME, "may": rights(permissions), "new": _new(None)})


def _new(project: Project | None) -> str:
    return reverse("portal:robot-new", args=[project.name]) if project else reverse("portal:system-robot-new")


@require_safe
def index(request: HttpRequest, project: str | None = None) -> HttpResponse:
    """The robots that live here."""
    home = house(request, project, "list")
    rows = home.robots
    if query := query_of(request):
        rows = rows.filter(name__icontains=query)
    context = {"listing": listing(request, rows, ORDERS, default="name"), **home.context}
    return render(request, "portal/robots/index.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, project: str | None = None) -> HttpResponseBase:
    """A new robot; the answer shows its secret."""
    home = house(request, project, "create")
    form = _form(request, home)

    def act(given: dict[str, Any]) -> HttpResponse:
        robot, secret = actions.create_robot(
            home.actor,
            name=given["name"],
            level=Robot.Level.PROJECT if home.project else Robot.Level.SYSTEM,
            project=home.project,
            description=given["description"],
            duration=given["duration"] or NEVER,
            permissions=form.grants(home.project.name if home.project else ""),
        )
        return _secret(request, home, robot, secret)

    refusals: Refusals = {
        Conflict: ("name", _("There is a robot of this name already.")),
        NotFound: ("projects" if home.project is None else None, _("One of these projects does not exist.")),
    }
    answer = submit(request, form, act, refusals)
    return answer or show_form(request, "portal/robots/new.html", form, index=home.url("robots"), **home.context)


def _form(request: HttpRequest, home: House) -> RobotForm:
    days = int(values.get("robot_token_duration"))
    initial = {"duration": days if days > 0 else None, "permissions": ["repository:pull"]}
    grantable = ROBOT_PERMISSIONS["project"]
    if home.project is None:
        return SystemRobotForm(posted(request), grantable=grantable, initial={**initial, "everywhere": True})
    return RobotForm(posted(request), grantable=grantable & home.permissions, initial=initial)


@require_safe
def show(request: HttpRequest, robot: int, project: str | None = None) -> HttpResponse:
    """What a robot may do, and until when."""
    home = house(request, project, "read")
    row = _robot(home, robot)
    full_name = row.display_name()
    context = {
        "robot": row,
        "full_name": full_name,
        "granted": _granted(row),
        "login": login_command(full_name),
        **home.context,
    }
    return render(request, "portal/robots/show.html", context)


def _granted(robot: Robot) -> list[tuple[str, list[Any]]]:
    """What the robot may do, by where: in the system, in every project, in this one and that."""
    by_project: dict[str, list[str]] = robot.permissions.get("projects") or {}
    names = dict(Project.objects.filter(pk__in=[int(pk) for pk in by_project]).values_list("pk", "name"))
    found = [(_("In the system"), list(robot.permissions.get("system") or []))]
    for pk, held in by_project.items():
        where = _("In every project") if pk == "0" else names.get(int(pk), _("In a project that is gone"))
        found.append((where, held))
    return [(where, [permission_name(each) for each in _permissions(sorted(held))]) for where, held in found if held]


@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, robot: int, project: str | None = None) -> HttpResponseBase:
    """Disable a robot, or enable it again."""
    home = house(request, project, "update")
    row = _robot(home, robot)
    words = {"name": row.name}
    disabling = not row.disabled
    if disabling:
        title, verb = _("Disable the robot %(name)s?") % words, _("Disable")
        effects = [_("Its secret and the tokens it holds are refused at once."), _("You can enable it again.")]
    else:
        title, verb = _("Enable the robot %(name)s?") % words, _("Enable")
        effects = [_("Its secret is accepted again.")]
    back = home.url("robot", robot)
    question = Question(title=title, effects=effects, verb=verb, back=back, gentle=True)

    def act() -> str:
        actions.update_robot(home.actor, row, disabled=disabling)
        done = _("The robot %(name)s is disabled.") if disabling else _("The robot %(name)s is enabled.")
        messages.success(request, done % words)
        return back

    return ask(request, question, act, {})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def refresh(request: HttpRequest, robot: int, project: str | None = None) -> HttpResponseBase:
    """A new secret in place of the old one; the answer shows it."""
    home = house(request, project, "update")
    row = _robot(home, robot)
    question = Question(
        title=_("Make a new secret for the robot %(name)s?") % {"name": row.name},
        effects=[
            _("The old secret is refused at once: whatever uses it stops working until it has the new one."),
            _("The new secret is shown once."),
        ],
        verb=_("Make a new secret"),
        back=home.url("robot", robot),
    )
    return ask(request, question, lambda: _secret(request, home, row, actions.refresh_secret(home.actor, row)), {})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, robot: int, project: str | None = None) -> HttpResponseBase:
    """Delete a robot."""
    home = house(request, project, "delete")
    row = _robot(home, robot)
    words = {"name": row.name}
    question = Question(
        title=_("Delete the robot %(name)s?") % words,
        effects=[_("Its secret and the tokens it holds are refused at once."), _("This cannot be undone.")],
        verb=_("Delete the robot"),
        back=home.url("robots"),
    )

    def act() -> str:
        actions.delete_robot(home.actor, row)
        messages.success(request, _("The robot %(name)s is deleted.") % words)
        return home.url("robots")

    return ask(request, question, act, {})


def _robot(home: House, pk: int) -> Robot:
    row = home.robots.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def _permissions(words: Iterable[str]) -> list[Permission]:
    return [Permission(*word.split(":", 1)) for word in words]


def _secret(request: HttpRequest, home: House, robot: Robot, secret: str) -> HttpResponse:
    full_name = robot.display_name()
    once.remember(request, home.url("robot", robot.pk))
    context = {
        "robot": robot,
        "full_name": full_name,
        "secret": secret,
        "download": json.dumps({"name": full_name, "secret": secret}, indent=2),
        "login": login_command(full_name),
        "index": home.url("robots"),
        **home.context,
    }
    return render(request, "portal/robots/secret.html", context)
