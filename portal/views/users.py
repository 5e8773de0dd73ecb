"""The administrator's list of people."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions
from accounts.actors import Actor, actor_of
from accounts.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from accounts.models import User
from accounts.permissions import require_system, system_allowed
from portal.answers import Question, ask, posted, show_form, submit
from portal.forms import ResetPasswordForm, UserForm
from portal.listing import listing, query_of
from portal.rights import rights

ORDERS = {
    "name": ["username", "pk"],
    "email": ["email", "pk"],
    "created": ["creation_time", "pk"],
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everybody, filtered by name."""
    actor = _asking(request, "list")
    rows = User.objects.all()
    if query := query_of(request):
        rows = rows.search(query)
    context = {"listing": listing(request, rows, ORDERS, default="name"), "may": rights(system_allowed(actor))}
    return render(request, "portal/users/index.html", context)


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponseBase:
    """A new user."""
    actor = _asking(request, "create")
    form = UserForm(posted(request))

    def act(given: dict[str, Any]) -> str:
        wanted = {name: given[name] for name in ("username", "password", "email", "realname")}
        user = actions.create_user(actor, **wanted)
        messages.success(request, _("The user %(name)s has been created.") % {"name": user.username})
        return reverse("portal:users")

    taken = ("username", _("Somebody has this username or this e-mail address already."))
    answer = submit(request, form, act, {Conflict: taken})
    return answer or show_form(request, "portal/users/new.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
def administrator(request: HttpRequest, user: int) -> HttpResponseBase:
    """Make somebody an administrator, or an ordinary user again."""
    actor = _asking(request, "update")
    row = _user(user)
    words = {"name": row.username}
    raising = not row.is_admin
    if raising:
        title, verb = _("Make %(name)s an administrator?") % words, _("Make administrator")
        effects = [_("Administrators may do everything: read every project, change every setting, delete everybody.")]
    else:
        title, verb = _("Take the administrator's rights from %(name)s?") % words, _("Take the rights away")
        effects = [_("What remains are the roles that %(name)s has in projects.") % words]
    question = Question(title=title, effects=effects, verb=verb, back=reverse("portal:users"), gentle=raising)

    def act() -> str:
        actions.set_admin(actor, row, raising)
        done = _("%(name)s is an administrator now.") if raising else _("%(name)s is no longer an administrator.")
        messages.success(request, done % words)
        return reverse("portal:users")

    last = _("Haven needs an administrator: make somebody else one first.")
    return ask(request, question, act, {PreconditionFailed: last})


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest, user: int) -> HttpResponseBase:
    """Give somebody a new password."""
    actor = _asking(request, "update")
    row = _user(user)
    form = ResetPasswordForm(posted(request))

    def act(given: dict[str, Any]) -> str:
        actions.set_password(actor, row, given["password"])
        messages.success(request, _("%(name)s has a new password. All sessions ended.") % {"name": row.username})
        return reverse("portal:users")

    unfit = ("password", _("Choose a password that is neither the present one nor known to everybody."))
    answer = submit(request, form, act, {BadRequest: unfit})
    return answer or show_form(request, "portal/users/password.html", form, person=row)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, user: int) -> HttpResponseBase:
    """Delete somebody."""
    actor = _asking(request, "delete")
    row = _user(user)
    words = {"name": row.username}
    question = Question(
        title=_("Delete the user %(name)s?") % words,
        effects=[
            _("Signing in, pulling and pushing as %(name)s is refused at once.") % words,
            _("The projects stay; the log keeps the name."),
            _("This cannot be undone."),
        ],
        verb=_("Delete the user"),
        back=reverse("portal:users"),
    )

    def act() -> str:
        actions.delete_user(actor, row)
        messages.success(request, _("The user %(name)s is deleted.") % words)
        return reverse("portal:users")

    refusals = {
        Forbidden: _("Neither the first administrator nor you yourself can be deleted."),
        PreconditionFailed: _("Haven needs an administrator: make somebody else one first."),
    }
    return ask(request, question, act, refusals)


def _asking(request: HttpRequest, action: str) -> Actor:
    actor = actor_of(request)
    require_system(actor, "user", action)
    return actor


def _user(pk: int) -> User:
    row: User | None = User.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row
