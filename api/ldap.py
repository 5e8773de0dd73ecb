"""The directory, for who administers it: a connection tried, people and groups searched and taken over."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.actors import actor_of
from accounts.errors import BadRequest, NotFound
from accounts.ldap import directory
from accounts.ldap.directory import DirectoryError
from accounts.ldap.settings import Settings
from accounts.models import Group
from accounts.permissions import require_system
from api import parameters
from api.members import UserGroup
from api.operations import operation
from api.shapes import Flag, ListOf, Number, Shape, Text
from api.views import Endpoint, done
from configuration.keys import KEYS, InvalidValue


class LdapConf(Shape):
    ldap_url = Text()
    ldap_search_dn = Text()
    ldap_search_password = Text()
    ldap_base_dn = Text()
    ldap_filter = Text()
    ldap_uid = Text()
    ldap_scope = Number()
    ldap_connection_timeout = Number()
    ldap_verify_cert = Flag()


class LdapPingResult(Shape):
    success = Flag()
    message = Text()


class LdapUser(Shape):
    username = Text()
    realname = Text()
    email = Text()


class LdapImportUsers(Shape):
    ldap_uid_list = ListOf(Text())


class LdapFailedImportUser(Shape):
    uid = Text()
    error = Text()


class Ping(Endpoint):
    heeds_read_only = False

    @operation("pingLdap", LdapPingResult, body=LdapConf, body_required=False)
    def post(self, request: Request) -> Response:
        asked = LdapConf.read(request, "ldapconf", required=False)
        require_system(actor_of(request), "configuration", "read")
        settings = settings_of(asked)
        try:
            with directory.opened(settings):
                return Response(LdapPingResult.of({"success": True}))
        except DirectoryError as error:
            return Response(LdapPingResult.of({"success": False, "message": f"error: {error.message}"}))


class People(Endpoint):
    @operation("searchLdapUser", [LdapUser], query={"username": Text()}, errors=(412,))
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), "ldap-user", "list")
        with directory.configured() as found:
            people = found.people(parameters.text(request, "username") or "")
        return Response(LdapUser.each(people))


class Import(Endpoint):
    @operation("importLdapUser", body=LdapImportUsers, errors=(404, 412))
    def post(self, request: Request) -> Response:
        names = LdapImportUsers.read(request, "uid_list").get("ldap_uid_list", [])
        failures = actions.import_people(actor_of(request), names)
        return Response(LdapFailedImportUser.each(failures), status=404) if failures else done()


class Groups(Endpoint):
    @operation("searchLdapGroup", [UserGroup], query={"groupname": Text(), "groupdn": Text()}, errors=(404, 412))
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), "ldap-user", "list")
        name, dn = parameters.text(request, "groupname") or "", parameters.text(request, "groupdn") or ""
        with directory.configured() as found:
            groups = found.groups(name) if name or not dn else [group for group in [found.group(dn)] if group]
        if not groups:
            raise NotFound(f"group name:{name}, group DN:{dn}")
        shown = [{"group_name": group.name, "ldap_group_dn": group.dn} for group in groups]
        return Response(UserGroup.each([{**group, "group_type": Group.Type.LDAP} for group in shown]))


def settings_of(asked: dict[str, Any]) -> Settings:
    """What is configured, changed as the form says.

    The configured password goes to the configured server alone, checked no less than it is: a form that names another
    needs its own.
    """
    stored, known = Settings.configured(), {field.name for field in fields(Settings)}
    given = {name.removeprefix("ldap_"): value for name, value in asked.items()}
    if "connection_timeout" in given:
        given["timeout"] = given.pop("connection_timeout")
    changes = {name: checked(name, value) for name, value in given.items() if name in known}
    if not changes.get("search_password"):
        changes.pop("search_password", None)
        wanted = replace(stored, **changes)
        same = (wanted.url, wanted.search_dn) == (stored.url, stored.search_dn)
        if not same or wanted.verify_cert < stored.verify_cert:
            changes["search_password"] = ""
    return replace(stored, **changes)


def checked(name: str, value: Any) -> Any:
    """`value`, if the key of this name would take it."""
    if name == "timeout" and value == 0:
        return Settings.configured().timeout
    try:
        return KEYS[f"ldap_{name}"].parse(value)
    except InvalidValue as error:
        raise BadRequest(str(error), error.key) from None


routes = [
    path("ldap/ping", Ping.as_view()),
    path("ldap/users/search", People.as_view()),
    path("ldap/users/import", Import.as_view()),
    path("ldap/groups/search", Groups.as_view()),
]
