"""The configuration: every key that may be read, with whether it may be changed; no secret among them."""

from __future__ import annotations

import json
from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.actors import actor_of
from accounts.permissions import refuse, require_system
from api.operations import operation
from api.shapes import Flag, Map, Number, Property, Shape, Text
from api.views import Endpoint, authenticated, done
from configuration import values
from configuration.keys import KEYS, Key


class StringConfigItem(Shape):
    value = Text(always=True)
    editable = Flag(always=True)


class BoolConfigItem(Shape):
    value = Flag(always=True)
    editable = Flag(always=True)


class IntegerConfigItem(Shape):
    value = Number(always=True)
    editable = Flag(always=True)


class ScanAllParameter(Shape):
    daily_time = Number()


class ScanAllPolicy(Shape):
    type = Text()
    parameter = ScanAllParameter()


def _item(key: Key) -> Shape:
    kinds: dict[type, type[Shape]] = {bool: BoolConfigItem, int: IntegerConfigItem}
    return ScanAllPolicy() if key.name == "scan_all_policy" else kinds.get(type(key.default), StringConfigItem)()


def _property(key: Key) -> Property:
    kinds: dict[type, type[Property]] = {bool: Flag, int: Number}
    return kinds.get(type(key.default), Text)(nullable=key.name == "primary_auth_mode")


class ConfigurationsResponse(Shape):
    locals().update({key.name: _item(key) for key in KEYS.values() if key.readable})
    uaa_client_secret = StringConfigItem()  # Harbor shows this one; it has its place here and is left out


class Configurations(Shape):
    locals().update({key.name: _property(key) for key in KEYS.values() if key.writable})


class Configuration(Endpoint):
    heeds_read_only = False

    @operation("getConfigurations", ConfigurationsResponse)
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), "configuration", "read")
        return Response(ConfigurationsResponse.of(shown()))

    @operation("updateConfigurations", body=Configurations)
    def put(self, request: Request) -> Response:
        asked = Configurations.read(request, "configurations")
        require_system(actor_of(request), "configuration", "update")
        actions.configure(actor_of(request), asked)
        return done()


class InternalConfigurationValue(Shape):
    value = Map()
    editable = Flag(always=True)


class Internal(Endpoint):
    """For Harbor's own parts, which ask each other by HTTP. Haven's do not, so nobody may."""

    @operation("getInternalconfig", Map(InternalConfigurationValue()))
    def get(self, request: Request) -> Response:
        refuse(authenticated(request))


def shown() -> dict[str, dict[str, Any]]:
    """Every key as Harbor shows it. A map is text; the mode of signing in stays once there are users."""
    items: dict[str, dict[str, Any]] = {}
    for name, item in values.get_all().items():
        value = json.dumps(item.value) if isinstance(item.value, dict) else item.value
        items[name] = {"value": value, "editable": item.editable}
    items["auth_mode"]["editable"] = items["auth_mode"]["editable"] and actions.may_change_auth_mode()
    return items | {"scan_all_policy": {"type": "none"}}


routes = [
    path("configurations", Configuration.as_view()),
    path("internalconfig", Internal.as_view()),
]
