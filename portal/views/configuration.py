"""The configuration: a page for the system, one for signing in, and whether the directory or the provider answers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.actors import actor_of
from accounts.errors import BadRequest, Conflict, PreconditionFailed, Unavailable
from accounts.ldap import directory
from accounts.oidc import provider
from accounts.permissions import require_system
from configuration import values
from portal.answers import EACH_FIELD, posted, show_form, submit
from portal.forms_settings import SettingsForm
from portal.sentences import said
from portal.settings import SECTIONS, tabs


@sensitive_post_parameters("ldap_search_password", "oidc_client_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def section(request: HttpRequest, name: str) -> HttpResponseBase:
    """A page of the configuration."""
    actor = actor_of(request)
    require_system(actor, "configuration", "update" if request.method == "POST" else "read")
    if name not in SECTIONS:
        raise Http404
    form = SettingsForm(posted(request), name)

    def act(given: dict[str, Any]) -> str:
        changed = actions.configure(actor, form.changes())
        messages.success(request, _("The configuration is saved.") if changed else _("Nothing was changed."))
        return reverse("portal:configuration", args=[name])

    unfit = (EACH_FIELD, _("This value does not fit here."))
    taken = ("robot_name_prefix", _("There are users whose names begin like this."))
    answer = submit(request, form, act, {BadRequest: unfit, Conflict: taken})
    return answer or show_form(request, "portal/configuration/section.html", form, tabs=tabs(), section=name)


@require_POST
def test_directory(request: HttpRequest) -> HttpResponse:
    """Ask the directory as it is configured."""
    require_system(actor_of(request), "configuration", "update")
    try:
        with directory.configured():
            messages.success(request, _("The directory answers."))
    except (PreconditionFailed, Unavailable) as error:
        messages.error(request, _("The directory does not answer: %(reason)s") % {"reason": said(error.message)})
    return redirect("portal:configuration", "authentication")


@require_POST
def test_provider(request: HttpRequest) -> HttpResponse:
    """Ask the provider as it is configured."""
    require_system(actor_of(request), "configuration", "update")
    try:
        provider.check(str(values.get("oidc_endpoint")), bool(values.get("oidc_verify_cert")))
        messages.success(request, _("The provider answers."))
    except Unavailable as error:
        messages.error(request, _("The provider does not answer: %(reason)s") % {"reason": said(error.message)})
    return redirect("portal:configuration", "authentication")
