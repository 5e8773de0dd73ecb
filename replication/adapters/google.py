"""Google's Container Registry (gcr.io) and Artifact Registry (pkg.dev).

Images go by the v2 protocol with the key file as the password. gcr.io has a catalog; what pkg.dev holds, Artifact
Registry's API tells, for an access token that the key file is good for.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from registry import http
from registry.errors import NameInvalid, Unauthorized, Unsupported
from replication.adapters.base import Adapter, Info, ensure, is_pattern, literal_prefix
from replication.adapters.calling import Api, bearing, host_of, marked, part, texts
from replication.adapters.logins import Kept, Login

API, REALM = "https://artifactregistry.googleapis.com", "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600
PAGE = 1000
HOSTS = ("gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io")
ARTIFACT_REGISTRY = re.compile(r"([a-z0-9-]+)-docker\.pkg\.dev", re.ASCII)


class Google(Adapter):
    """`https://gcr.io` or `https://<location>-docker.pkg.dev`, with `_json_key` and a service account's key file, with
    `_json_key_base64` and the same in base64, or with `oauth2accesstoken` and a token that ends within the hour.
    """

    info = Info(
        "google-gcr",
        one_piece=True,  # Artifact Registry takes no upload in chunks
        has_pattern=True,
        endpoint_type="EndpointPatternTypeList",
        endpoints=tuple((host, f"https://{host}") for host in HOSTS),
        access_key_type="AccessKeyTypeFix",
        access_key_data="_json_key",
        access_secret_type="AccessSecretTypeFile",
        access_secret_data="No Change",
    )

    def check(self) -> None:
        """The registry takes these credentials, and Artifact Registry's API does. There is no anonymous use."""
        if not self.access.secret:
            raise Unauthorized("Google's registries take no one without credentials")
        self.registry.ping()
        if self._location:
            self._tokens.get()

    def repositories(self, pattern: str) -> Iterator[str]:
        """By the catalog of gcr.io; by Artifact Registry's API: `project/repository/image`."""
        if not self._location or (pattern and not is_pattern(pattern)):
            yield from super().repositories(pattern)
            return
        literal = literal_prefix(pattern).split("/")
        project = literal[0] if len(literal) > 1 else str(self._key.get("project_id") or "")
        if not project:
            raise Unsupported("begin the name filter with the project: the credentials do not name one")
        for name in self._listed(self._parent(project), "repositories", ("format", "DOCKER")):
            repository = name.rpartition("/")[2]
            if len(literal) < 3 or repository == literal[1]:
                for package in self._listed(f"{self._parent(project)}/{part(repository)}", "packages"):
                    yield f"{project}/{repository}/{unquote(package.rpartition('/')[2])}"

    def prepare(self, repository: str, public: bool = False) -> None:
        """At pkg.dev the repository (the name's second component) is there afterwards; gcr.io needs nothing."""
        if not self._location:
            return
        project, _, rest = repository.partition("/")
        name, _, image = rest.partition("/")
        if not image:
            raise NameInvalid("names in Artifact Registry are project/repository/image")
        parent = self._parent(project)
        what = f"the repository {project}/{name} could not be created in Artifact Registry"
        body = {"format": "DOCKER"}
        ensure(
            lambda: self._api.ask("GET", f"{parent}/{part(name)}", also=(404,)).is_good,
            lambda: self._api.ask("POST", parent, (("repositoryId", name),), body, what=what),
        )

    @property
    def _location(self) -> str:
        """Of pkg.dev: `europe-west1`, `us`; empty elsewhere."""
        found = ARTIFACT_REGISTRY.fullmatch(host_of(self.access.url))
        return found[1] if found else ""

    def _parent(self, project: str) -> str:
        return f"/v1/projects/{part(project)}/locations/{self._location}/repositories"

    def _listed(self, parent: str, kind: str, only: tuple[str, str] | None = None) -> Iterator[str]:
        """The full names of a list's entries, page by page."""
        path = parent if kind == "repositories" else f"{parent}/{kind}"

        def read(mark: str) -> tuple[list[str], str]:
            query = [("pageSize", str(PAGE)), *([("pageToken", mark)] if mark else [])]
            answer = self._api.ask("GET", path, query, also=(404,))
            entries = (entry for entry in answer.entries(kind) if only is None or entry.get(only[0]) == only[1])
            return list(texts(entries, "name")), answer.text("nextPageToken")

        return marked(read)

    @cached_property
    def _key(self) -> dict[str, Any]:
        """The service account's key file; empty where the secret is none."""
        try:
            is_packed = self.access.username == "_json_key_base64"
            found = json.loads(base64.b64decode(self.access.secret) if is_packed else self.access.secret)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def _api(self) -> Api:
        def sign(request: http.Request) -> None:
            bearing(f"Bearer {self._tokens.get().secret}")(request)

        return Api(API, self.access.session, sign)

    @cached_property
    def _tokens(self) -> Kept:
        return Kept(self._token)

    def _token(self) -> Login:
        """An access token for the key file (OAuth 2.0 for server to server applications); or the secret is one."""
        if self.access.username == "oauth2accesstoken":
            return Login(self.access.secret, LIFETIME)
        body = urlencode({"grant_type": GRANT, "assertion": _assertion(self._key)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        realm = urlsplit(REALM)
        api = Api(f"{realm.scheme}://{realm.netloc}", self.access.session)
        answer = api.send("POST", realm.path, body=body, headers=headers)
        if not answer.text("access_token"):
            raise Unauthorized("Google gives no token for this key file")
        return Login(answer.text("access_token"), LIFETIME)


def _assertion(key: dict[str, Any]) -> str:
    """The signed claim to be the service account. Raises Unauthorized for what is no key file."""
    try:
        private = load_pem_private_key(str(key["private_key"]).encode(), None)
        account = str(key["client_email"])
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm):
        raise Unauthorized("the secret is no service account's key file") from None
    if not isinstance(private, RSAPrivateKey):
        raise Unauthorized("the secret is no service account's key file")
    now = int(time.time())
    header = {"alg": "RS256", "typ": "JWT", "kid": str(key.get("private_key_id") or "")}
    claims = {"iss": account, "scope": SCOPE, "aud": REALM, "iat": now, "exp": now + LIFETIME}
    signed = b".".join(_packed(json.dumps(part).encode()) for part in (header, claims))
    return b".".join((signed, _packed(private.sign(signed, PKCS1v15(), SHA256())))).decode()


def _packed(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
