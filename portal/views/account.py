"""Signing in and out, and the password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions, sessions
from accounts.actors import actor_of
from accounts.errors import BadRequest, Conflict, Forbidden, Locked, NotFound, Unavailable
from accounts.models import User
from accounts.permissions import require_authenticated
from accounts.sessions import SignInElsewhere
from configuration import values
from portal import kept
from portal.answers import posted, show_form, submit
from portal.forms import PasswordForm, SignInForm, UserForm


def destination(asked: str) -> str:
    """`asked` if it is a path of ours, else the overview: nobody is sent to another host, or two lines of a header."""
    safe = asked.startswith("/") and asked.isprintable() and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if safe else reverse("portal:overview")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in with a name or an e-mail address, and go on to where one was going, with what one had typed there."""
    goal = destination(request.POST.get("next") or request.GET.get("next") or "")
    waiting = request.POST.get(kept.FIELD, "")
    if request.user.is_authenticated:
        return redirect(goal)
    form = SignInForm(request.POST if request.method == "POST" else None)
    status, wait = 422 if form.is_bound else 200, 0
    if request.method == "POST" and form.is_valid():
        try:
            if sessions.sign_in(request, form.cleaned_data["username"], form.cleaned_data["password"]):
                kept.give_back(request, waiting)
                return redirect(destination(kept.path_of(waiting) or goal))
            status = 401
            form.add_error(None, _("The name or the password is wrong."))
        except SignInElsewhere:
            status = 403
            form.add_error(None, _("You have no password here: sign in with your provider."))
        except Unavailable:
            status = 503
            form.add_error(None, _("The directory that knows you does not answer. Try again later."))
        except Locked as locked:
            status, wait = 429, locked.retry_after
            form.add_error(None, _patience(wait))
    context = {"form": form, "next": goal, "kept": waiting if kept.path_of(waiting) else ""}
    response = render(request, "portal/account/sign_in.html", context, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _patience(seconds: int) -> str:
    return ngettext(
        "Too many attempts. Try again in %(seconds)d second.",
        "Too many attempts. Try again in %(seconds)d seconds.",
        seconds,
    ) % {"seconds": seconds}


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    leave = sessions.sign_out(request)
    messages.success(request, _("You are signed out."))
    return redirect(leave or "portal:sign-in")


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Register oneself, where that is allowed; and be signed in."""
    if values.get("auth_mode") != "db_auth" or not values.get("self_registration"):
        raise NotFound
    if request.user.is_authenticated:
        return redirect("portal:overview")
    form = UserForm(posted(request))

    def act(given: dict[str, Any]) -> str:
        chosen = {name: given[name] for name in ("username", "password", "email", "realname")}
        actions.create_user(actor_of(request), **chosen, address=request.META.get("REMOTE_ADDR", ""))
        sessions.sign_in(request, given["username"], given["password"])
        messages.success(request, _("Welcome, %(name)s.") % {"name": given["username"]})
        return reverse("portal:overview")

    taken = ("username", _("Somebody has this username or e-mail address already."))
    answer = submit(request, form, act, {Conflict: taken})
    return answer or show_form(request, "portal/account/sign_up.html", form)


@sensitive_post_parameters("old", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponseBase:
    """Change one's own password; this session goes on, all others end."""
    actor = actor_of(request)
    require_authenticated(actor)
    user = User.objects.get(pk=actor.user_id)
    form = PasswordForm(posted(request))

    def act(given: dict[str, Any]) -> str:
        address = request.META.get("REMOTE_ADDR", "")
        actions.set_password(actor, user, given["password"], given["old"], address)
        sessions.keep(request, user)
        messages.success(request, _("Your password is changed. Your other sessions have ended."))
        return reverse("portal:profile")

    wrong = ("old", _("This is not your current password."))
    unfit = ("password", _("Choose a password that is neither the present one nor known to everybody."))
    answer = submit(request, form, act, {Forbidden: wrong, BadRequest: unfit})
    return answer or show_form(request, "portal/account/password.html", form)
