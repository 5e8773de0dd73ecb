"""How a page answers a form and a question: one way for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.errors import BadRequest, Conflict, Denied, DomainError, PreconditionFailed
from portal import kept, once
from portal.forms import Form
from portal.sentences import said

Refusals = Mapping[type[DomainError], tuple[str | None, str]]
"""What a form says to an error of the domain: the field it stands beside (None: above the form), and the sentence."""
EACH_FIELD = "*"
"""In `Refusals`: beside the field that the error itself names."""
UNPROCESSABLE = 422


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, be it nothing, or what was kept of it over signing in; None where none was sent."""
    return request.POST if request.method == "POST" else kept.found(request)


def submit(
    request: HttpRequest, form: Form, act: Callable[[dict[str, Any]], str | HttpResponse], refusals: Refusals
) -> HttpResponseBase | None:
    """Let `act` do what a valid form asks; its address or page is the answer. None: show the form (again)."""
    if request.method != "POST":
        return None
    if (done := once.outcome(request)) is not None:
        return redirect(done)
    if not form.is_valid():
        return None
    try:
        answer = act(form.cleaned_data)
    except DomainError as error:
        if isinstance(error, Conflict) and (done := once.outcome(request)) is not None:
            return redirect(done)
        _explain(form, error, refusals)
        return None
    if isinstance(answer, str):
        once.remember(request, answer)
        return redirect(answer)
    return answer


def _explain(form: Form, error: DomainError, refusals: Refusals) -> None:
    for kind, (field, sentence) in refusals.items():
        if isinstance(error, kind):
            named = error.field if isinstance(error, BadRequest) and error.field in form.fields else None
            form.add_error(named if field == EACH_FIELD else field, sentence)
            return
    if not isinstance(error, BadRequest | Conflict | PreconditionFailed | Denied):
        raise error
    field = error.field if isinstance(error, BadRequest) and error.field in form.fields else None
    form.add_error(field, said(error.message))


def show_form(request: HttpRequest, template: str, form: Form, **context: Any) -> HttpResponse:
    """The page with the form; 422 where it says what is wrong."""
    status = UNPROCESSABLE if request.method == "POST" and form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


@dataclass(frozen=True)
class Question:
    """Asked before something is done that cannot be undone: names the object, and what will follow."""

    title: str
    effects: Sequence[str]
    verb: str
    back: str
    """Where the reader goes who thinks better of it."""
    action: str = ""
    refusal: str = ""
    gentle: bool = False
    """It can be undone, or nothing is lost."""
    once: str = ""


def ask(
    request: HttpRequest,
    question: Question,
    act: Callable[[], str | HttpResponse],
    refusals: Mapping[type[DomainError], str],
) -> HttpResponseBase:
    """Ask on GET, a fragment for the dialog where htmx wants one; do it on POST: `act` gives the address or page."""
    question = replace(question, action=request.path, once=once.fresh())
    if request.method != "POST":
        return _show(request, question, 200)
    if (done := once.outcome(request)) is not None:
        return redirect(done)
    try:
        answer = act()
    except DomainError as error:
        for kind, sentence in refusals.items():
            if isinstance(error, kind):
                return _show(request, replace(question, refusal=sentence), 409)
        if isinstance(error, BadRequest | PreconditionFailed | Conflict | Denied):
            status = UNPROCESSABLE if isinstance(error, BadRequest) else 409
            return _show(request, replace(question, refusal=said(error.message)), status)
        raise
    if isinstance(answer, str):
        once.remember(request, answer)
        return redirect(answer)
    return answer


def _show(request: HttpRequest, question: Question, status: int) -> HttpResponse:
    in_dialog = bool(getattr(request, "htmx", False)) and request.method == "GET"
    template = "portal/components/confirm.html" if in_dialog else "portal/confirm.html"
    response = render(request, template, {"confirm": question, "in_dialog": in_dialog}, status=status)
    response["Vary"] = "HX-Request"
    return response
