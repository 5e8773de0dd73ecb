"""People: oneself, and all of them for who manages them."""

from __future__ import annotations

from django.conf import settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions, models, sessions
from accounts.actors import Kind, actor_of
from accounts.errors import Forbidden, NotFound, PreconditionFailed
from accounts.models import UserQuerySet
from accounts.permissions import require_system
from api import parameters, query
from api.operations import LISTED, PAGED, operation
from api.paging import Listing
from api.shapes import Flag, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, created, done
from configuration import values


class OIDCUserInfo(Shape):
    id = Number()
    user_id = Number()
    subiss = Text()
    secret = Text()
    creation_time = Moment()
    update_time = Moment()


class UserResp(Shape):
    email = Text()
    realname = Text()
    comment = Text()
    user_id = Number(source="pk")
    username = Text()
    sysadmin_flag = Flag(source="is_admin", always=True)
    admin_role_in_auth = Flag(source="admin_by_group", always=True)
    oidc_user_meta = OIDCUserInfo()
    creation_time = Moment()
    update_time = Moment()


class UserSearchRespItem(Shape):
    user_id = Number(source="pk")
    username = Text()


class UserCreationReq(Shape):
    email = Text(max_length=255)
    realname = Text()
    comment = Text()
    password = Text()
    username = Text(max_length=255)


class UserProfile(Shape):
    email = Text()
    realname = Text()
    comment = Text()


class PasswordReq(Shape):
    old_password = Text()
    new_password = Text()


class UserSysAdminFlag(Shape):
    sysadmin_flag = Flag()


class OIDCCliSecretReq(Shape):
    secret = Text()


USERS = Listing(
    default=("username",),
    filters={
        "user_id": query.number("pk"),
        "username": query.text("username"),
        "email": query.text("email"),
        "realname": query.text("realname"),
        "comment": query.text("comment"),
        **dict.fromkeys(("sysadmin_flag", "sys_admin_flag"), query.flag("is_admin")),
        "creation_time": query.when("creation_time"),
        "update_time": query.when("update_time"),
    },
    sorts={
        "user_id": "pk",
        "username": "username",
        "email": "email",
        "realname": "realname",
        "creation_time": "creation_time",
        "update_time": "update_time",
    },
)


def listed() -> UserQuerySet:
    """All users but the first administrator, whom Harbor hides from its lists."""
    users: UserQuerySet = models.User.objects.exclude(pk=actions.INITIAL_ADMIN)
    return users


def user_of(request: Request, user_id: str, action: str) -> models.User:
    """The user that a path names, for that user or for who may do this to any. Others learn not even who exists."""
    pk = parameters.integer(user_id, "user_id")
    actor = authenticated(request)
    if actor.user_id != pk:
        require_system(actor, "user", action)
    user: models.User | None = models.User.objects.filter(pk=pk).first()
    if user is None:
        raise NotFound(f"user {pk} not found")
    return user


def shown(user: models.User) -> dict[str, object]:
    """`user` alone, with who they are to the provider; lists leave that out, as Harbor's do."""
    facts: dict[str, object] = UserResp.of(user)
    account = models.OidcAccount.objects.filter(user=user).first()
    if account is not None:
        told = {"id": account.pk, "user_id": user.pk, "subiss": f"{account.subject}{account.issuer}"}
        times = {"creation_time": account.creation_time, "update_time": account.update_time}
        facts["oidc_user_meta"] = OIDCUserInfo.of({**told, **times})
    return facts


class Users(Endpoint):
    @operation("listUsers", [UserResp], query=LISTED)
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), "user", "list")
        rows = listed()
        if username := parameters.text(request, "username"):
            rows = rows.search(username)
        if email := parameters.text(request, "email"):
            rows = rows.filter(email__icontains=email)
        return USERS.answer(request, rows, UserResp.each)

    @operation("createUser", status=201, body=UserCreationReq, errors=(409,))
    def post(self, request: Request) -> Response:
        asked = UserCreationReq.read(request, "userReq")
        actor = actor_of(request)
        if not actor.is_authenticated and values.get("self_registration") and not carries_session(request):
            raise Forbidden("self-registration cannot be triggered via API")
        fields = {name: asked.get(name, "") for name in ("username", "password", "email", "realname", "comment")}
        address = request.META.get("REMOTE_ADDR", "")
        return created(request, actions.create_user(actor, **fields, address=address).pk)


def carries_session(request: Request) -> bool:
    """Whether `request` comes from a page of ours: a program has no session."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES


class Search(Endpoint):
    @operation("searchUsers", [UserSearchRespItem], query=PAGED | {"username": Text(required=True)})
    def get(self, request: Request) -> Response:
        username = parameters.required(request, "username")
        authenticated(request)
        return USERS.answer(request, listed().search(username), UserSearchRespItem.each)


class Current(Endpoint):
    @operation("getCurrentUserInfo", UserResp, errors=(412,))
    def get(self, request: Request) -> Response:
        actor = authenticated(request)
        if actor.kind is not Kind.USER:
            raise PreconditionFailed(f"get current user not available for security context: {actor.kind}")
        return Response(shown(models.User.objects.get(pk=actor.user_id)))


class OneUser(Endpoint):
    @operation("getUser", UserResp)
    def get(self, request: Request, user_id: str) -> Response:
        return Response(shown(user_of(request, user_id, "read")))

    @operation("updateUserProfile", body=UserProfile, errors=(409,))
    def put(self, request: Request, user_id: str) -> Response:
        asked = UserProfile.read(request, "profile")
        user = user_of(request, user_id, "update")
        fields = {name: asked.get(name, "") for name in ("email", "realname", "comment")}
        actions.update_user(actor_of(request), user, **fields)
        return done()

    @operation("deleteUser", errors=(412,))
    def delete(self, request: Request, user_id: str) -> Response:
        actions.delete_user(actor_of(request), user_of(request, user_id, "delete"))
        return done()


class SysAdmin(Endpoint):
    @operation("setUserSysAdmin", body=UserSysAdminFlag, errors=(412,))
    def put(self, request: Request, user_id: str) -> Response:
        asked = UserSysAdminFlag.read(request, "sysadmin_flag")
        user = user_of(request, user_id, "update")
        actions.set_admin(actor_of(request), user, asked.get("sysadmin_flag", False))
        return done()


class Password(Endpoint):
    @operation("updateUserPassword", body=PasswordReq, errors=(409,))
    def put(self, request: Request, user_id: str) -> Response:
        asked = PasswordReq.read(request, "password")
        user = user_of(request, user_id, "update")
        address = request.META.get("REMOTE_ADDR", "")
        new, old = asked.get("new_password", ""), asked.get("old_password", "")
        actions.set_password(actor_of(request), user, new, old, address)
        return done()


class CliSecret(Endpoint):
    @operation("setCliSecret", body=OIDCCliSecretReq, errors=(412,))
    def put(self, request: Request, user_id: str) -> Response:
        asked = OIDCCliSecretReq.read(request, "secret")
        mode = values.get("auth_mode")
        if mode != "oidc_auth":
            raise PreconditionFailed(f"unable to update CLI secret under authmode: {mode}")
        user, secret = user_of(request, user_id, "update"), asked.get("secret", "")
        made = actions.set_cli_secret(actor_of(request), user, secret)
        if getattr(request._request, "actor_from_session", False) and request._request.user.pk == user.pk:
            sessions.keep(request._request, user)
        return done() if secret else Response({"secret": made})


routes = [
    path("users", Users.as_view()),
    path("users/current", Current.as_view()),
    path("users/search", Search.as_view()),
    path("users/<user_id>", OneUser.as_view()),
    path("users/<user_id>/sysadmin", SysAdmin.as_view()),
    path("users/<user_id>/password", Password.as_view()),
    path("users/<user_id>/cli_secret", CliSecret.as_view()),
]
