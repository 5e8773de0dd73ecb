"""Registries elsewhere: where they are, whether they answer, and how Haven signs in there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actors import Actor, actor_of
from accounts.errors import BadRequest, Conflict, NotFound
from accounts.permissions import require_system, system_allowed
from portal import words
from portal.answers import Question, Refusals, ask, posted, show_form, submit
from portal.forms_replication import EndpointForm
from portal.listing import listing, query_of
from portal.providers import offered, provider_of
from portal.replicating import spoken
from portal.rights import rights
from portal.sentences import said
from replication import actions
from replication.adapters import KINDS
from replication.models import Endpoint, Policy

ORDERS = {"name": ["name"], "kind": ["type", "name"], "state": ["-status", "name"]}
NAMED = 5
"""Rules that a question names."""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The endpoints, and how each was found at the last look."""
    actor = _require(request, "list")
    rows = Endpoint.objects.with_counts()
    if query := query_of(request):
        rows = rows.search(query)
    context = {"listing": listing(request, rows, ORDERS, default="name"), "may": rights(system_allowed(actor))}
    return render(request, "portal/replication/endpoints.html", context)


@sensitive_post_parameters("access_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponseBase:
    """A new endpoint: first its kind (`?type=`), then the form for it."""
    actor = _require(request, "create")
    kind = request.GET.get("type", "")
    if kind not in KINDS:
        return render(request, "portal/replication/kinds.html", {"kinds": offered()})
    form = EndpointForm(posted(request), kind)

    def act(given: dict[str, Any]) -> str:
        with spoken():
            endpoint = actions.create_endpoint(
                actor, name=given["name"], type=kind, url=given["url"], change=form.change()
            )
        messages.success(request, _("The endpoint %(name)s has been created.") % {"name": endpoint.name})
        return reverse("portal:endpoints")

    return submit(request, form, act, _refusals()) or _page(request, form)


@sensitive_post_parameters("access_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, endpoint: int) -> HttpResponseBase:
    """Another name, address or secret."""
    actor = _require(request, "update")
    row = _endpoint(endpoint)
    form = EndpointForm(posted(request), row.type, row)

    def act(given: dict[str, Any]) -> str:
        with spoken():
            actions.update_endpoint(actor, row, form.change())
        messages.success(request, _("The endpoint %(name)s is saved.") % {"name": given["name"]})
        return reverse("portal:endpoints")

    return submit(request, form, act, _refusals()) or _page(request, form)


@sensitive_post_parameters("access_secret")
@require_POST
def test(request: HttpRequest, endpoint: int = 0) -> HttpResponse:
    """Try what is typed: in place for htmx, else on the form's page."""
    actor = _require(request, "update" if endpoint else "create")
    row = _endpoint(endpoint) if endpoint else None
    kind = row.type if row else request.POST.get("type", "")
    if kind not in KINDS:
        raise NotFound
    form = EndpointForm(request.POST, kind, row)
    tested = {"tested": True, "problem": _tried(actor, form)}
    if getattr(request, "htmx", False):
        return render(request, "portal/replication/tested.html", tested)
    form.fields["name"].required = False
    form.full_clean()
    return _page(request, form, **tested)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, endpoint: int) -> HttpResponseBase:
    """Delete an endpoint that no rule uses."""
    actor = _require(request, "delete")
    row = _endpoint(endpoint)
    users = Policy.objects.filter(Q(source=row) | Q(target=row)).order_by("name")
    count = users.count()
    names = ", ".join(users.values_list("name", flat=True)[:NAMED])
    told = {"count": words.number(count), "names": names}
    refusal = ngettext(
        "%(count)s rule uses it: delete it first (%(names)s).",
        "%(count)s rules use it: delete them first (%(names)s).",
        count,
    )
    question = Question(
        title=_("Delete the endpoint %(name)s?") % {"name": row.name},
        effects=[
            _("Haven forgets its address and its secret. Nothing is changed at %(url)s.") % {"url": row.url},
            _("This cannot be undone."),
        ],
        verb=_("Delete the endpoint"),
        back=reverse("portal:endpoints"),
        refusal=refusal % told if count else "",
    )

    def act() -> str:
        actions.delete_endpoint(actor, row)
        messages.success(request, _("The endpoint %(name)s is deleted.") % {"name": row.name})
        return question.back

    return ask(request, question, act, {})


def _tried(actor: Actor, form: EndpointForm) -> str:
    """Why the registry that is typed cannot be used; empty where it can."""
    form.is_valid()
    if "url" not in form.cleaned_data:
        return _("Write its address first.")
    try:
        actions.ping(actor, form.address())
    except BadRequest as error:
        return said(error.message)
    return ""


def _page(request: HttpRequest, form: EndpointForm, **context: Any) -> HttpResponse:
    row = form.stored
    told = {"endpoint": row, "kind": form.kind, "provider": provider_of(form.kind), **context}
    test_url = reverse("portal:endpoint-test", args=[row.pk]) if row else reverse("portal:endpoint-new-test")
    action = reverse("portal:endpoint", args=[row.pk]) if row else f"{reverse('portal:endpoint-new')}?type={form.kind}"
    return show_form(request, "portal/replication/endpoint.html", form, test=test_url, action=action, **told)


def _refusals() -> Refusals:
    return {Conflict: ("name", _("There is an endpoint of this name already."))}


def _require(request: HttpRequest, action: str) -> Actor:
    actor = actor_of(request)
    require_system(actor, "registry", action)
    return actor


def _endpoint(pk: int) -> Endpoint:
    row = Endpoint.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row
