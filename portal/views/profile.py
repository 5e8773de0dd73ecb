"""What people say about themselves, and how they want the pages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.actions.preferences import THEMES
from accounts.actors import actor_of
from accounts.errors import Conflict
from accounts.models import User
from accounts.permissions import require_authenticated
from portal import preferences
from portal.answers import posted, show_form, submit
from portal.forms_account import PreferencesForm, ProfileForm
from portal.views.account import destination


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponseBase:
    """One's own name and address."""
    user = _oneself(request)
    form = ProfileForm(posted(request), initial=_said(user))

    def act(given: dict[str, Any]) -> str:
        actions.update_user(actor_of(request), user, **given)
        messages.success(request, _("Your profile is saved."))
        return reverse("portal:profile")

    taken = ("email", _("Somebody has this e-mail address already."))
    answer = submit(request, form, act, {Conflict: taken})
    return answer or _show(request, user, form, PreferencesForm(initial=_chosen(request)))


@require_http_methods(["GET", "HEAD", "POST"])
def prefer(request: HttpRequest) -> HttpResponseBase:
    """One's language, theme and time zone."""
    user = _oneself(request)
    form = PreferencesForm(posted(request), initial=_chosen(request))

    def act(given: dict[str, Any]) -> HttpResponse:
        response = redirect("portal:profile")
        preferences.remember(request, response, **given)
        with override(given["language"]):
            messages.success(request, _("Your preferences are saved."))
        return response

    answer = submit(request, form, act, {})
    return answer or _show(request, user, ProfileForm(initial=_said(user)), form)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or as the system has it, and go back."""
    response = redirect(destination(request.POST.get("next", "")))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        preferences.remember(request, response, theme=chosen)
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language, and go back."""
    response = redirect(destination(request.POST.get("next", "")))
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        preferences.remember(request, response, language=chosen)
    return response


def _oneself(request: HttpRequest) -> User:
    actor = actor_of(request)
    require_authenticated(actor)
    user: User = User.objects.get(pk=actor.user_id)
    return user


def _said(user: User) -> dict[str, str]:
    return {"email": user.email, "realname": user.realname, "comment": user.comment}


def _chosen(request: HttpRequest) -> dict[str, str]:
    chosen = preferences.preferences_of(request)
    language = chosen.language or getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE)
    return {"language": language, "theme": chosen.theme, "time_zone": chosen.time_zone or "UTC"}


def _show(request: HttpRequest, user: User, form: ProfileForm, chosen: PreferencesForm) -> HttpResponse:
    failed = next((each for each in (form, chosen) if each.is_bound), form)
    shown = {"profile": form, "preferences": chosen, "person": user}
    return show_form(request, "portal/account/profile.html", failed, **shown)
