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
from api.views import Endpoint, done, refuse_forgery
from configuration import values


class Form(Endpoint):
    """An operation that takes a form, always with the token that a page was given."""

    heeds_read_only = False

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            refuse_forgery(request._request)


class Login(Form):
    def post(self, request: Request) -> Response:
        form = request._request.POST
        try:
            user = sessions.sign_in(request._request, form.get("principal", ""), form.get("password", ""))
        except sessions.SignInElsewhere:
            return elsewhere("/c/oidc/login")
        if user is None:
            raise Unauthenticated
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
        value = form.get("value", "")
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
