"""A project's robots. A secret is in the answer to the form that made it, and nowhere else ever again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actors import Permission
from accounts.errors import Conflict, NotFound
from configuration import values
from portal import once
from portal.answers import Question, ask, posted, show_form, submit
from portal.commands import login_command
from portal.finding import Place, place
from portal.forms import RobotForm
from portal.listing import listing, query_of
from portal.names import permission_name
from projects.permissions import ROBOT_PERMISSIONS
from robots import actions
from robots.models import Robot
from robots.permissions import Grant

ORDERS = {"name": ["name", "pk"], "created": ["creation_time", "pk"], "expires": ["expires_at", "pk"]}
NEVER = -1


@require_safe
def index(request: HttpRequest, project: str) -> HttpResponse:
    """The project's robots."""
    found = place(request, project)
    found.require("robot", "list")
    rows = found.project.robots.all()
    if query := query_of(request):
        rows = rows.filter(name__icontains=query)
    shown = listing(request, rows, ORDERS, default="name")
    context = {"listing": shown, "tab": "robots", **found.context}
    return render(request, "portal/projects/robots.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, project: str) -> HttpResponseBase:
    """A new robot; the answer shows its secret."""
    found = place(request, project)
    found.require("robot", "create")
    grantable = ROBOT_PERMISSIONS["project"] & found.permissions
    initial = {"duration": _default_duration(), "permissions": ["repository:pull"]}
    form = RobotForm(posted(request), grantable=grantable, initial=initial)

    def act(given: dict[str, Any]) -> HttpResponse:
        robot, secret = actions.create_robot(
            found.actor,
            name=given["name"],
            level=Robot.Level.PROJECT,
            project=found.project,
            description=given["description"],
            duration=given["duration"] or NEVER,
            permissions=[
                Grant("project", found.project.name, tuple(_permissions([*given["permissions"], *given["more"]])))
            ],
        )
        return _secret(request, found, robot, secret)

    taken = ("name", _("This project has a robot of this name already."))
    answer = submit(request, form, act, {Conflict: taken})
    return answer or show_form(request, "portal/projects/robot_new.html", form, tab="robots", **found.context)


@require_safe
def show(request: HttpRequest, project: str, robot: int) -> HttpResponse:
    """What a robot may do, and until when."""
    found = place(request, project)
    found.require("robot", "read")
    row = _robot(found, robot)
    granted = row.permissions.get("projects", {}).get(str(found.project.pk), [])
    names = [permission_name(permission) for permission in _permissions(sorted(granted))]
    full_name = row.display_name()
    context = {"robot": row, "full_name": full_name, "granted": names, "login": login_command(full_name)}
    return render(request, "portal/projects/robot.html", {**context, "tab": "robots", **found.context})


@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, project: str, robot: int) -> HttpResponseBase:
    """Disable a robot, or enable it again."""
    found = place(request, project)
    found.require("robot", "update")
    row = _robot(found, robot)
    words = {"name": row.name}
    disabling = not row.disabled
    if disabling:
        title, verb = _("Disable the robot %(name)s?") % words, _("Disable")
        effects = [_("Its secret and the tokens it holds are refused at once."), _("You can enable it again.")]
    else:
        title, verb = _("Enable the robot %(name)s?") % words, _("Enable")
        effects = [_("Its secret is accepted again.")]
    back = reverse("portal:robot", args=[project, robot])
    question = Question(title=title, effects=effects, verb=verb, back=back, gentle=True)

    def act() -> str:
        actions.update_robot(found.actor, row, disabled=disabling)
        done = _("The robot %(name)s is disabled.") if disabling else _("The robot %(name)s is enabled.")
        messages.success(request, done % words)
        return back

    return ask(request, question, act, {})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def refresh(request: HttpRequest, project: str, robot: int) -> HttpResponseBase:
    """A new secret in place of the old one; the answer shows it."""
    found = place(request, project)
    found.require("robot", "update")
    row = _robot(found, robot)
    if request.method == "POST":
        return _secret(request, found, row, actions.refresh_secret(found.actor, row))
    question = Question(
        title=_("Make a new secret for the robot %(name)s?") % {"name": row.name},
        effects=[
            _("The old secret is refused at once: whatever uses it stops working until it has the new one."),
            _("The new secret is shown once."),
        ],
        verb=_("Make a new secret"),
        back=reverse("portal:robot", args=[project, robot]),
    )
    return ask(request, question, lambda: "", {})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, project: str, robot: int) -> HttpResponseBase:
    """Delete a robot."""
    found = place(request, project)
    found.require("robot", "delete")
    row = _robot(found, robot)
    words = {"name": row.name}
    question = Question(
        title=_("Delete the robot %(name)s?") % words,
        effects=[_("Its secret and the tokens it holds are refused at once."), _("This cannot be undone.")],
        verb=_("Delete the robot"),
        back=reverse("portal:robots", args=[project]),
    )

    def act() -> str:
        actions.delete_robot(found.actor, row)
        messages.success(request, _("The robot %(name)s is deleted.") % words)
        return reverse("portal:robots", args=[project])

    return ask(request, question, act, {})


def _robot(found: Place, pk: int) -> Robot:
    row = found.project.robots.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def _permissions(words: Iterable[str]) -> list[Permission]:
    return [Permission(*word.split(":", 1)) for word in words]


def _default_duration() -> int | None:
    days = int(values.get("robot_token_duration"))
    return days if days > 0 else None


def _secret(request: HttpRequest, found: Place, robot: Robot, secret: str) -> HttpResponse:
    full_name = robot.display_name()
    once.remember(request, reverse("portal:robot", args=[found.project.name, robot.pk]))
    download = json.dumps({"name": full_name, "secret": secret}, indent=2)
    context = {
        "robot": robot,
        "full_name": full_name,
        "secret": secret,
        "download": download,
        "login": login_command(full_name),
    }
    return render(request, "portal/projects/robot_secret.html", {**context, "tab": "robots", **found.context})
