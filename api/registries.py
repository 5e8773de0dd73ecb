"""Registries elsewhere: what replication copies to and from. A secret is never shown."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.errors import BadRequest, NotFound
from accounts.permissions import require_system
from api import parameters, query
from api.operations import LISTED, PAGED, operation
from api.paging import Listing
from api.shapes import Flag, ListOf, Map, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, created, done, project_of
from projects.models import Label
from replication import actions, models
from replication.actions import Change
from replication.adapters import KINDS, Info
from replication.adapters.base import LABEL, NAME, RESOURCE, TAG
from replication.endpoints import Address, address_of
from replication.permissions import require_project_rules

HIDDEN = "*****"
"""Stands where a secret is; sent back it changes nothing."""
MOST_LABELS = 100


class RegistryCredential(Shape):
    type = Text()
    access_key = Text()
    access_secret = Text()


class Registry(Shape):
    id = Number(always=True)
    url = Text()
    name = Text()
    credential = RegistryCredential()
    type = Text()
    insecure = Flag()
    ca_certificate = Text(nullable=True)
    description = Text()
    status = Text()
    creation_time = Moment()
    update_time = Moment()


class RegistryUpdate(Shape):
    name = Text(nullable=True)
    description = Text(nullable=True)
    url = Text(nullable=True)
    credential_type = Text(nullable=True)
    access_key = Text(nullable=True)
    access_secret = Text(nullable=True)
    insecure = Flag(nullable=True)
    ca_certificate = Text(nullable=True)


class RegistryPing(Shape):
    id = Number(nullable=True)
    type = Text(nullable=True)
    url = Text(nullable=True)
    credential_type = Text(nullable=True)
    access_key = Text(nullable=True)
    access_secret = Text(nullable=True)
    insecure = Flag(nullable=True)
    ca_certificate = Text(nullable=True)


class FilterStyle(Shape):
    type = Text()
    style = Text()  # type: ignore[assignment]  # what else REST framework means by it is not used here
    values = ListOf(Text())


class RegistryInfo(Shape):
    type = Text()
    description = Text()
    supported_resource_filters = ListOf(FilterStyle())
    supported_triggers = ListOf(Text())
    supported_copy_by_chunk = Flag()


class RegistryEndpoint(Shape):
    key = Text()
    value = Text()


class RegistryProviderEndpointPattern(Shape):
    endpoint_type = Text()
    endpoints = ListOf(RegistryEndpoint())


class RegistryProviderCredentialPattern(Shape):
    access_key_type = Text()
    access_key_data = Text()
    access_secret_type = Text()
    access_secret_data = Text()


class RegistryProviderInfo(Shape):
    endpoint_pattern = RegistryProviderEndpointPattern()
    credential_pattern = RegistryProviderCredentialPattern()


class Sharing(Shape):
    """Ours: whether project administrators may use the endpoint, and what the last look at it found."""

    shared = Flag(always=True)
    problem = Text()
    checked_at = Moment(nullable=True)


class SharedRegistry(Shape):
    """Ours: an endpoint as project administrators see it."""

    id = Number(source="pk")
    name = Text()
    type = Text()
    url = Text()
    description = Text()
    status = Text()


REGISTRIES = Listing(
    default=("name",),
    filters={
        "id": query.number("id"),
        "name": query.text("name"),
        "type": query.text("type"),
        "url": query.text("url"),
        "description": query.text("description"),
        "insecure": query.flag("insecure"),
        **dict.fromkeys(("status", "health"), query.text("status")),
        "creation_time": query.when("creation_time"),
        "update_time": query.when("update_time"),
    },
    sorts={name: name for name in ("id", "name", "type", "url", "status", "creation_time", "update_time")},
)


def show(endpoint: models.Endpoint) -> dict[str, Any]:
    """`endpoint` in Harbor's words."""
    return Registry.of(facts_of(endpoint))


def facts_of(endpoint: models.Endpoint | None) -> dict[str, Any]:
    """What a `Registry` shows of `endpoint`; None is Haven itself, as a side of a rule."""
    if endpoint is None:
        return {"id": 0, "name": "Local", "type": "harbor", "url": settings.EXTERNAL_URL, "status": "healthy"}
    credential = None
    if endpoint.access_key or endpoint.sealed_secret:
        credential = {
            "type": endpoint.credential_type or "basic",
            "access_key": endpoint.access_key,
            "access_secret": HIDDEN if endpoint.sealed_secret else "",
        }
    return {
        "id": endpoint.pk,
        "url": endpoint.url,
        "name": endpoint.name,
        "credential": credential,
        "type": endpoint.type,
        "insecure": endpoint.insecure,
        "ca_certificate": endpoint.ca_certificate or None,
        "description": endpoint.description,
        "status": endpoint.status,
        "creation_time": endpoint.creation_time,
        "update_time": endpoint.update_time,
    }


def show_info(info: Info, triggers: tuple[str, ...] = ()) -> dict[str, Any]:
    """What rules with this kind of registry can have."""
    return RegistryInfo.of(
        {
            "type": info.type,
            "description": info.description,
            "supported_resource_filters": [filter_style(kind) for kind in info.filters],
            "supported_triggers": list(triggers or info.triggers),
            "supported_copy_by_chunk": info.copy_by_chunk,
        }
    )


def filter_style(kind: str) -> dict[str, Any]:
    match kind:
        case "resource":
            return {"type": RESOURCE, "style": "radio", "values": ["image", "artifact"]}
        case "label":
            names = Label.objects.everywhere().order_by("name").values_list("name", flat=True)
            return {"type": LABEL, "style": "list", "values": list(names[:MOST_LABELS])}
    return {"type": TAG if kind == TAG else NAME, "style": "input"}


def provider(info: Info) -> dict[str, Any]:
    """How a form for this kind of registry looks; what is as usual is left out."""
    named = [{"key": key, "value": value} for key, value in info.endpoints]
    return {
        "endpoint_pattern": {"endpoint_type": info.endpoint_type, "endpoints": named} if info.endpoint_type else None,
        "credential_pattern": {
            "access_key_type": info.access_key_type,
            "access_key_data": info.access_key_data,
            "access_secret_type": info.access_secret_type,
            "access_secret_data": info.access_secret_data,
        }
        if info.access_key_type
        else None,
    }


def endpoint_of(actor: Actor, pk: int, action: str) -> models.Endpoint:
    """The endpoint of that id, for who may do this with endpoints."""
    require_system(actor, "registry", action)
    endpoint = models.Endpoint.objects.filter(pk=pk).first()
    if endpoint is None:
        raise NotFound(f"registry {pk} not found")
    return endpoint


def secret_in(body: dict[str, Any]) -> str | None:
    """The secret that a body sets; None where it sets none."""
    secret: str | None = body.get("access_secret")
    return None if secret == HIDDEN else secret


class Registries(Endpoint):
    @operation("listRegistries", [Registry], query={**LISTED, "name": Text()})
    def get(self, request: Request) -> Response:
        require_system(authenticated(request), "registry", "list")
        rows = models.Endpoint.objects.all()
        if name := parameters.text(request, "name"):
            rows = rows.search(name)
        return REGISTRIES.answer(request, rows, lambda found: [show(endpoint) for endpoint in found])

    @operation("createRegistry", status=201, body=Registry, errors=(409,))
    def post(self, request: Request) -> Response:
        asked = Registry.read(request, "registry")
        credential = asked.get("credential") or {}
        endpoint = actions.create_endpoint(
            authenticated(request),
            name=asked.get("name", ""),
            type=asked.get("type", ""),
            url=asked.get("url", ""),
            change=Change(
                description=asked.get("description", ""),
                credential_type=credential.get("type", ""),
                access_key=credential.get("access_key", ""),
                access_secret=secret_in(credential) or "",
                insecure=asked.get("insecure", False),
                ca_certificate=asked.get("ca_certificate", ""),
            ),
        )
        return created(request, endpoint.pk)


class OneRegistry(Endpoint):
    @operation("getRegistry", Registry)
    def get(self, request: Request, id: str) -> Response:
        return Response(show(endpoint_of(authenticated(request), parameters.integer(id, "id"), "read")))

    @operation("updateRegistry", body=RegistryUpdate, errors=(409,))
    def put(self, request: Request, id: str) -> Response:
        asked = RegistryUpdate.read(request, "registry")
        actor = authenticated(request)
        endpoint = endpoint_of(actor, parameters.integer(id, "id"), "update")
        change = Change(**{**asked, "access_secret": secret_in(asked)})
        actions.update_endpoint(actor, endpoint, change)
        return done()

    @operation("deleteRegistry", errors=(412,))
    def delete(self, request: Request, id: str) -> Response:
        actor = authenticated(request)
        actions.delete_endpoint(actor, endpoint_of(actor, parameters.integer(id, "id"), "delete"))
        return done()


class Ping(Endpoint):
    heeds_read_only = False

    @operation("pingRegistry", body=RegistryPing, errors=(404,))
    def post(self, request: Request) -> Response:
        asked = RegistryPing.read(request, "registry")
        actor = authenticated(request)
        address = Address(
            asked.get("type", ""),
            asked.get("url", ""),
            insecure=asked.get("insecure", False),
            ca_certificate=asked.get("ca_certificate", ""),
        )
        key, secret = asked.get("access_key"), secret_in(asked)
        if pk := asked.get("id"):
            # What is stored goes to where it is stored for, and nowhere else.
            address = address_of(endpoint_of(actor, pk, "read"))
        if not address.type or not address.url:
            raise BadRequest("type or url cannot be empty")
        actions.ping(actor, address.signed_in(key, secret))
        return done()


class Information(Endpoint):
    @operation("getRegistryInfo", RegistryInfo)
    def get(self, request: Request, id: str) -> Response:
        pk, actor = parameters.integer(id, "id"), authenticated(request)
        if pk == 0:
            require_system(actor, "registry", "read")
            return Response(show_info(KINDS["harbor"].info, ("manual", "scheduled", "event_based")))
        kind = KINDS.get(endpoint_of(actor, pk, "read").type)
        if kind is None:
            raise NotFound(f"there is no adapter for registry {pk}")
        return Response(show_info(kind.info))


class OneSharing(Endpoint):
    """Ours: whether project administrators may use an endpoint."""

    @operation("getRegistrySharing", Sharing)
    def get(self, request: Request, id: str) -> Response:
        return Response(Sharing.of(endpoint_of(authenticated(request), parameters.integer(id, "id"), "read")))

    @operation("updateRegistrySharing", body=Sharing)
    def put(self, request: Request, id: str) -> Response:
        asked, actor = Sharing.read(request, "sharing"), authenticated(request)
        endpoint = endpoint_of(actor, parameters.integer(id, "id"), "update")
        actions.update_endpoint(actor, endpoint, Change(shared=asked.get("shared", False)))
        return done()


class ProjectRegistries(Endpoint):
    """Ours: the endpoints that rules of a project may use."""

    @operation("listProjectReplicationRegistries", [SharedRegistry], query=PAGED)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        actor = authenticated(request)
        require_project_rules(actor, project_of(request, project_name_or_id, "project", "update"))
        rows: QuerySet[models.Endpoint] = models.Endpoint.objects.visible_to(actor)
        return REGISTRIES.answer(request, rows, SharedRegistry.each)


class ProviderTypes(Endpoint):
    @operation("listRegistryProviderTypes", ListOf(Text()))
    def get(self, request: Request) -> Response:
        require_system(authenticated(request), "replication-adapter", "list")
        return Response(sorted(KINDS))


class ProviderInfos(Endpoint):
    @operation("listRegistryProviderInfos", Map(RegistryProviderInfo()))
    def get(self, request: Request) -> Response:
        require_system(authenticated(request), "replication-adapter", "list")
        infos = {name: kind.info for name, kind in sorted(KINDS.items()) if kind.info.has_pattern}
        return Response({name: RegistryProviderInfo.of(provider(info)) for name, info in infos.items()})


routes = [
    path("registries", Registries.as_view()),
    path("registries/ping", Ping.as_view()),
    path("registries/<id>", OneRegistry.as_view()),
    path("registries/<id>/info", Information.as_view()),
    path("registries/<id>/sharing", OneSharing.as_view()),
    path("replication/adapters", ProviderTypes.as_view()),
    path("replication/adapterinfos", ProviderInfos.as_view()),
    path("projects/<project_name_or_id>/replication/registries", ProjectRegistries.as_view()),
]
