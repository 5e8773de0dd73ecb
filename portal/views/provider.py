"""Signing in at the OpenID Connect provider, at Harbor's addresses: there, back, a name for a newcomer, and out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions
from accounts.actors import actor_of
from accounts.errors import BadRequest, Conflict, Forbidden, PreconditionFailed, Unavailable
from accounts.models import User
from accounts.oidc import sessions
from accounts.oidc.provider import NotProven
from accounts.permissions import require_authenticated
from accounts.sessions import keep
from configuration import values
from portal.answers import Question, ask, posted, show_form, submit
from portal.commands import login_command
from portal.forms_account import NewcomerForm
from portal.views.account import destination


@require_safe
def login(request: HttpRequest) -> HttpResponseBase:
    """Send the browser to the provider."""
    _require_provider()
    goal = destination(request.GET.get("redirect_url") or request.GET.get("next") or "")
    if request.user.is_authenticated:
        return redirect(goal)
    try:
        return redirect(sessions.begin(request, goal))
    except Unavailable:
        return _failed(request, 503, _("The provider does not answer. Try again later, or tell your administrator."))


@require_safe
def callback(request: HttpRequest) -> HttpResponseBase:
    """Take the browser back from the provider."""
    _require_provider()
    try:
        user, goal = sessions.finish(request)
    except NotProven:
        return _failed(request, 401, _("The login at the provider could not be verified. Begin it again."))
    except Unavailable:
        return _failed(request, 503, _("The provider does not answer. Try again later, or tell your administrator."))
    except Conflict:
        return _failed(request, 409, _("Somebody has your username here already. Ask your administrator."))
    except Forbidden:
        return _failed(request, 403, _("Your account is disabled."))
    except BadRequest:
        return _failed(request, 400, _("Your username at the provider cannot be one here. Ask your administrator."))
    return redirect(goal if user else "portal:provider-onboard")


@require_http_methods(["GET", "HEAD", "POST"])
def onboard(request: HttpRequest) -> HttpResponseBase:
    """Ask a newcomer what to be called; once, for a name stays."""
    _require_provider()
    login = sessions.newcomer(request)
    if login is None:
        return redirect("portal:sign-in")
    form = NewcomerForm(posted(request), initial={"username": login.person.username})

    def act(given: dict[str, Any]) -> str:
        user, goal = sessions.settle(request, given["username"])
        messages.success(request, _("Welcome, %(name)s.") % {"name": user.username})
        return goal

    taken = ("username", _("Somebody has this username already."))
    unfit = ("username", _("This cannot be a username here."))
    answer = submit(request, form, act, {Conflict: taken, BadRequest: unfit})
    return answer or show_form(request, "portal/account/onboard.html", form)


@require_safe
def logout(request: HttpRequest) -> HttpResponseBase:
    """Lead the browser to the provider, to end its session there too."""
    address = sessions.way_out(request)
    if not address:
        return redirect("portal:sign-in")
    response = render(request, "portal/account/leave.html", {"address": address})
    # Not a redirect: the browser is still sending the form by which one signs out, and may send it nowhere else.
    response["Refresh"] = f"0; url={address}"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def cli_secret(request: HttpRequest) -> HttpResponseBase:
    """Make the secret by which docker signs in; it is shown once."""
    actor = actor_of(request)
    require_authenticated(actor)
    user = User.objects.get(pk=actor.user_id)
    made: list[str] = []
    question = Question(
        title=_("Make a new CLI secret?"),
        effects=[_("docker and other clients that use the present one have to sign in again.")],
        verb=_("Make a secret"),
        back=reverse("portal:profile"),
        gentle=True,
    )

    def act() -> str:
        made.append(actions.set_cli_secret(actor, user))
        keep(request, user)
        return ""

    if request.method == "POST":
        act()
        shown = {"secret": made[0], "person": user, "login": login_command(user.username)}
        return render(request, "portal/account/secret.html", shown)
    return ask(request, question, act, {})


def _require_provider() -> None:
    if values.get("auth_mode") != "oidc_auth":
        raise PreconditionFailed(f"auth mode: {values.get('auth_mode')} is not OIDC based")


def _failed(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    context = {"sentence": sentence}
    return render(request, "portal/account/provider_failed.html", context, status=status)
