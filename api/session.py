"""Signing in and out as Harbor's own portal does: `/c/login`, `/c/log_out`, `/c/userExists`."""

from __future__ import annotations

from django.conf import settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import sessions
from accounts.actors import actor_of
from accounts.errors import BadRequest, PreconditionFailed, Unauthenticated
from accounts.models import User
from api import parameters
from api.views import Endpoint, done
from configuration import values

TOKEN = "CSRF_COOKIE"
"""Where Django keeps the secret behind the tokens of a request."""


class Form(Endpoint):
    """An operation that takes a form, always with the token that a page was given."""

    heeds_read_only = False

    def needs_token(self, request: Request) -> bool:
        return True


class Login(Form):
    def post(self, request: Request) -> Response:
        form, given = request._request.POST, request.META.get(TOKEN)
        try:
            user = sessions.sign_in(request._request, form.get("principal", ""), form.get("password", ""))
        except sessions.SignInElsewhere:
            return elsewhere("/c/oidc/login")
        if user is None:
            raise Unauthenticated
        request.META[TOKEN] = given  # programs go on with the token they began with; our own pages give a new one
        return done()


class LogOut(Form):
    def get(self, request: Request) -> Response:
        leave = sessions.sign_out(request._request)
        return elsewhere(leave) if leave else done()


def elsewhere(path: str) -> Response:
    """403, as a page of Harbor's expects it where it has to go on to the provider by itself."""
    return Response({"redirect_location": f"{settings.EXTERNAL_URL}{path}"}, status=403)


class UserExists(Form):
    def post(self, request: Request) -> Response:
        if not values.get("self_registration") and not actor_of(request).is_admin:
            raise PreconditionFailed("self registration is disabled")
        form = request._request.POST
        value = parameters.clean(form.get("value"), "value", "formData")
        match form.get("target"):
            case "username":
                found = User.objects.named(value)
            case "email":
                found = User.objects.reached_at(value)
            case _:
                raise BadRequest("unknown target")
        return Response(found.exists())


urlpatterns = [
    path("login", Login.as_view()),
    path("log_out", LogOut.as_view()),
    path("userExists", UserExists.as_view()),
]
