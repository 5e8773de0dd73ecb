"""Azure Container Registry: the v2 protocol and two things of its own, the scope for lists and the deletion of tags."""

from __future__ import annotations

from registry import http
from registry.auth import Auth, Credentials, Flow, Need
from registry.errors import RegistryError
from registry.references import parse_name
from replication.adapters.base import Adapter, Info
from replication.adapters.calling import part


class AzureAcr(Adapter):
    """`https://<name>.azurecr.io` with the admin account, a service principal, a token, or the user name
    00000000-0000-0000-0000-000000000000 and a refresh token (`az acr login --expose-token`).
    """

    info = Info("azure-acr", copy_by_chunk=True)

    def auth(self) -> Auth:
        return _Scoped(self.registry_url, self.access.session, self.access.username, self.access.secret)

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """A tag goes alone, by ACR's own call; by digest as everywhere."""
        if not tag:
            return super().delete(repository, tag, digest)
        path = f"/acr/v1/{parse_name(repository)}/_tags/{part(tag)}"
        try:
            with self.registry.ask("DELETE", path, (Need(repository, ("delete",)),)):
                return True
        except RegistryError as error:
            if error.status != 404:
                raise
        return False


class _Scoped(Credentials):
    """Asks for `metadata_read` where tags are listed: `pull` is not enough there (ACR, "Tokens and scope maps")."""

    def flow(self, request: http.Request, needs: tuple[Need, ...]) -> Flow:
        if request.method == "GET" and request.url.partition("?")[0].endswith("/tags/list"):
            needs = tuple(Need(need.name, ("metadata_read",), need.type) for need in needs)
        return super().flow(request, needs)
