"""Amazon, Google and Azure, as their documentations tell of them."""

from __future__ import annotations

import base64
import json
import time
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from registry.errors import Denied, NameInvalid, TooManyRequests, Unavailable
from replication.adapters.aws_ecr import AwsEcr
from replication.adapters.azure import AzureAcr
from replication.adapters.google import Google
from replication.endpoints import look
from tests.replication.adapters.recomputed import is_aws
from tests.replication.adapters.vendors import Answer, Call, Route, Vendor

REFUSED = "the registry refuses these credentials: check access key and secret"


def tags(adapter: Any, repository: str) -> list[str]:
    return [tag for found in adapter.artifacts(repository) for tag in found.tags]


# Amazon ECR: docs.aws.amazon.com/AmazonECR/latest/APIReference

ACCOUNT = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
API = "api.ecr.eu-west-1.amazonaws.com"
KEY, SECRET = "AKIAHAVEN", "secret/of+amazon"


def ecr_page(asked: dict[str, Any]) -> Answer:
    if named := asked.get("repositoryNames"):
        if named == ["team/app"]:
            return 200, {"repositories": [{"repositoryName": "team/app"}]}
        return 400, {"__type": "com.amazonaws.ecr#RepositoryNotFoundException", "message": "does not exist"}
    if "nextToken" not in asked:
        names = [{"repositoryName": "alone"}, {"repositoryName": "team/app"}]
        return 200, {"repositories": names, "nextToken": "second=="}
    assert asked["nextToken"] == "second=="
    return 200, {"repositories": [{"repositoryName": "team/web"}]}


def ecr_token(_: dict[str, Any]) -> Answer:
    packed = base64.b64encode(b"AWS:password-for-docker").decode()
    data = {"authorizationToken": packed, "expiresAt": time.time() + 43200, "proxyEndpoint": f"https://{ACCOUNT}"}
    return 200, {"authorizationData": [data]}


def ecr_remove(asked: dict[str, Any]) -> Answer:
    [image] = asked["imageIds"]
    if image == {"imageTag": "gone"}:
        return 200, {"imageIds": [], "failures": [{"imageId": image, "failureCode": "ImageNotFound"}]}
    if image == {"imageTag": "held"}:
        code = "ImageReferencedByManifestList"
        return 200, {"imageIds": [], "failures": [{"imageId": image, "failureCode": code}]}
    return 200, {"imageIds": [image], "failures": []}


def ecr(vendor: Vendor, url: str = f"https://{ACCOUNT}", secret: str = SECRET) -> AwsEcr:
    actions = {
        "GetAuthorizationToken": ecr_token,
        "DescribeRepositories": ecr_page,
        "CreateRepository": lambda asked: (200, {"repository": {"repositoryName": asked["repositoryName"]}}),
        "BatchDeleteImage": ecr_remove,
    }

    def api(call: Call) -> Answer:
        if not is_aws(call, KEY, SECRET, "eu-west-1/ecr"):
            return 400, {"__type": "InvalidSignatureException", "message": f"not signed with {SECRET}"}
        assert call.headers["content-type"] == "application/x-amz-json-1.1"
        version, _, action = call.headers["x-amz-target"].partition(".")
        assert version == "AmazonEC2ContainerRegistry_V20150921"
        return actions[action](call.json)

    vendor.routes[f"POST {API}/"] = api
    vendor.registry(ACCOUNT, lambda: ("AWS", "password-for-docker"), tags={"team/app": ["1", "2", "3"]})
    vendor.secrets.append("password-for-docker")
    return vendor.adapter(AwsEcr, url, KEY, secret)  # type: ignore[no-any-return]


def asked(vendor: Vendor, action: str) -> list[Any]:
    return [call.json for call in vendor.called("POST", API) if call.headers["x-amz-target"].endswith(f".{action}")]


def test_ecr_lists_creates_and_deletes_by_signed_calls(vendor: Vendor) -> None:
    adapter = ecr(vendor)
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["alone", "team/app", "team/web"]
    assert list(adapter.repositories("team/*")) == ["team/app", "team/web"]
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    adapter.prepare("team/app")
    assert asked(vendor, "CreateRepository") == []
    adapter.prepare("team/new")
    assert asked(vendor, "CreateRepository") == [{"registryId": "123456789012", "repositoryName": "team/new"}]
    assert adapter.delete("team/app", "1", "") and not adapter.delete("team/app", "gone", "")
    with pytest.raises(Denied, match="another image refers to it"):
        adapter.delete("team/app", "held", "")
    assert asked(vendor, "GetAuthorizationToken") == [{"registryIds": ["123456789012"]}], "a login is kept"


def test_ecr_by_harbors_address_finds_the_accounts_registry(vendor: Vendor) -> None:
    adapter = ecr(vendor, f"https://{API}")
    assert look(adapter) == ""
    assert adapter.registry_url == f"https://{ACCOUNT}"
    assert tags(adapter, "team/app") == ["1", "2", "3"]


def test_ecr_by_the_address_that_speaks_ipv6_too(vendor: Vendor) -> None:
    ecr(vendor)
    host = "123456789012.dkr-ecr.eu-west-1.on.aws"
    vendor.routes["POST ecr.eu-west-1.api.aws/"] = vendor.routes.pop(f"POST {API}/")
    vendor.registry(host, lambda: ("AWS", "password-for-docker"), tags={"team/app": ["1"]})
    adapter = vendor.adapter(AwsEcr, f"https://{host}", KEY, SECRET)
    assert look(adapter) == ""
    assert list(adapter.repositories("team/*")) == ["team/app", "team/web"]
    assert tags(adapter, "team/app") == ["1"]


def test_ecr_is_not_led_elsewhere(vendor: Vendor) -> None:
    """Whatever answers may not send docker's login to a host of its choice."""
    adapter = ecr(vendor, f"https://{API}")
    data = {"authorizationToken": base64.b64encode(b"AWS:x").decode(), "proxyEndpoint": "https://elsewhere.example"}
    vendor.routes[f"POST {API}/"] = lambda call: (200, {"authorizationData": [data]})
    assert look(adapter) == "ECR does not say where the account's registry is"
    assert vendor.called("GET") == []


def test_ecr_refuses_clearly(vendor: Vendor) -> None:
    assert look(ecr(vendor, secret="not-the-secret")) == REFUSED
    assert "no address of ECR" in look(ecr(vendor, "https://elsewhere.example"))
    adapter = ecr(vendor)
    denied = {"__type": "AccessDeniedException", "message": f"{KEY} may not {SECRET}"}
    vendor.routes[f"POST {API}/"] = lambda call: (400, denied)
    assert look(adapter) == "the key may not call GetAuthorizationToken in ECR"
    vendor.routes[f"POST {API}/"] = lambda call: (400, {"__type": "ThrottlingException"})
    with pytest.raises(TooManyRequests) as throttled:
        list(adapter.repositories(""))
    assert throttled.value.temporary


# Google: cloud.google.com/artifact-registry/docs/reference/rest, developers.google.com/identity/protocols/oauth2


@cache
def key_pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def key_file() -> str:
    pem = key_pair().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"client_email": "haven@shop.iam.gserviceaccount.com", "private_key_id": "k1", "private_key": pem}
    return json.dumps({"type": "service_account", "project_id": "shop", **account})


def unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def google_token(call: Call) -> Answer:
    form = dict(pair.split("=", 1) for pair in call.body.decode().split("&"))
    assert form["grant_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
    head, claims, signature = form["assertion"].split(".")
    key_pair().public_key().verify(unpacked(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())
    told = json.loads(unpacked(claims))
    assert json.loads(unpacked(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert (told["iss"], told["aud"]) == (
        "haven@shop.iam.gserviceaccount.com",
        "https://oauth2.googleapis.com/token",
    )
    assert told["exp"] - told["iat"] == 3600 and told["scope"].endswith("/auth/cloud-platform")
    return 200, {"access_token": "ya29.google", "expires_in": 3599, "token_type": "Bearer"}


def artifact_registry(call: Call) -> Answer:
    full = "projects/shop/locations/europe/repositories"
    if "pageToken" not in call.query:
        found = [{"name": f"{full}/images", "format": "DOCKER"}, {"name": f"{full}/wheels", "format": "PYTHON"}]
        return 200, {"repositories": found, "nextPageToken": "p2"}
    return 200, {"repositories": [{"name": f"{full}/more", "format": "DOCKER"}]}


def google(vendor: Vendor, host: str, username: str = "_json_key", secret: str = "") -> Google:
    def api(answer: Answer | Route) -> Route:
        def route(call: Call) -> Answer:
            assert call.bears("ya29.google")
            return answer(call) if callable(answer) else answer

        return route

    at = "artifactregistry.googleapis.com/v1/projects/shop/locations/europe/repositories"

    packages = [{"name": "p/r/images/packages/app"}, {"name": "p/r/images/packages/team%2Fweb"}]
    vendor.routes |= {
        "POST oauth2.googleapis.com/token": google_token,
        f"GET {at}": api(artifact_registry),
        f"GET {at}/images": api((200, {"format": "DOCKER"})),
        f"GET {at}/new": api((404, {})),
        f"GET {at}/images/packages": api((200, {"packages": packages})),
        f"GET {at}/more/packages": api((200, {})),
        f"POST {at}": api((200, {"name": "an operation"})),
    }
    secret = secret or key_file()
    vendor.registry(
        host,
        lambda: ("_json_key", key_file()),
        realm=f"{host}/v2/token",
        service=host,
        tags={"shop/app": ["1", "2", "3"], "shop/images/app": ["1"]},
        catalog=["shop/app", "shop/other", "shop/third"],
    )
    return vendor.adapter(Google, f"https://{host}", username, secret)  # type: ignore[no-any-return]


def test_gcr_has_a_catalog_and_needs_no_preparation(vendor: Vendor) -> None:
    adapter = google(vendor, "gcr.io")
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["shop/app", "shop/other", "shop/third"]
    assert tags(adapter, "shop/app") == ["1", "2", "3"]
    adapter.prepare("shop/new")
    assert vendor.called("POST") == []


def test_artifact_registry_lists_and_creates_by_its_api(vendor: Vendor) -> None:
    adapter = google(vendor, "europe-docker.pkg.dev")
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["shop/images/app", "shop/images/team/web"]
    assert list(adapter.repositories("shop/images/**")) == ["shop/images/app", "shop/images/team/web"]
    assert tags(adapter, "shop/images/app") == ["1"]
    adapter.prepare("shop/images/app")
    adapter.prepare("shop/new/app")
    [made] = vendor.called("POST", "artifactregistry.")
    assert made.query == {"repositoryId": "new"} and made.json == {"format": "DOCKER"}
    with pytest.raises(NameInvalid):
        adapter.prepare("shop/app")
    assert len(vendor.called("POST", "oauth2.")) == 1, "a token is kept while it lasts"


def test_google_refuses_clearly(vendor: Vendor) -> None:
    assert look(google(vendor, "gcr.io", secret="not a key file")) == REFUSED
    assert look(vendor.adapter(Google, "https://gcr.io")) == REFUSED
    adapter = google(vendor, "europe-docker.pkg.dev")
    vendor.routes["POST oauth2.googleapis.com/token"] = lambda call: (400, {"error": "invalid_grant"})
    assert look(adapter) == REFUSED


# Azure: github.com/Azure/acr/blob/main/docs/AAD-OAuth.md, learn.microsoft.com/rest/api/containerregistry


def azure(vendor: Vendor, secret: str = "secret-of-azure") -> AzureAcr:
    vendor.registry(
        "haven.azurecr.io",
        lambda: ("haven", "secret-of-azure"),
        realm="haven.azurecr.io/oauth2/token",
        service="haven.azurecr.io",
        tags={"team/app": ["1", "2", "3"]},
        catalog=["alone", "team/app", "team/web"],
    )
    strict = vendor.below["GET haven.azurecr.io/v2/"]

    def v2(call: Call) -> Answer:
        """Lists of tags are for tokens with `metadata_read`; the others may not even look."""
        needs = "metadata_read" if call.path.endswith("/tags/list") else ""
        if "authorization" in call.headers and needs not in call.headers["authorization"]:
            return 401, {"errors": [{"code": "UNAUTHORIZED"}]}
        return strict(call)

    def untag(found: Answer) -> Route:
        def route(call: Call) -> Answer:
            if not call.headers.get("authorization", "").endswith(":delete"):
                challenge = 'Bearer realm="https://haven.azurecr.io/oauth2/token",service="haven.azurecr.io"'
                return 401, {}, {"WWW-Authenticate": challenge}
            return found

        return route

    vendor.below["GET haven.azurecr.io/v2/"] = v2
    vendor.routes |= {
        "DELETE haven.azurecr.io/acr/v1/team/app/_tags/1": untag((202, {})),
        "DELETE haven.azurecr.io/acr/v1/team/app/_tags/gone": untag((404, {"errors": [{"code": "TAG_UNKNOWN"}]})),
    }
    return vendor.adapter(AzureAcr, "https://haven.azurecr.io", "haven", secret)  # type: ignore[no-any-return]


def test_azure_lists_with_the_scope_that_it_wants(vendor: Vendor) -> None:
    adapter = azure(vendor)
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["alone", "team/app", "team/web"]
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    assert vendor.scopes == ["", "registry:catalog:*", "repository:team/app:metadata_read"]
    adapter.prepare("team/new")
    assert vendor.called("POST") == []


def test_azure_takes_a_tag_alone(vendor: Vendor) -> None:
    adapter = azure(vendor)
    assert adapter.delete("team/app", "1", "sha256:1") and not adapter.delete("team/app", "gone", "sha256:1")


def test_azure_refuses_clearly(vendor: Vendor) -> None:
    assert look(azure(vendor, "not-the-secret")) == REFUSED


# All of them


def test_what_stands_in_a_private_network_is_not_called(vendor: Vendor) -> None:
    """A vendor's host that resolves to loopback, which is not on the list."""
    vendor.allow = False
    for adapter in (ecr(vendor), google(vendor, "europe-docker.pkg.dev"), azure(vendor)):
        assert look(adapter).startswith("the address is in a private network")
    assert vendor.calls == []


def test_an_apis_redirect_is_not_followed(vendor: Vendor) -> None:
    adapter = ecr(vendor)
    vendor.routes[f"POST {API}/"] = lambda call: (307, {}, {"Location": "https://elsewhere.example/"})
    with pytest.raises(Unavailable, match="redirect"):
        adapter.check()
    assert {call.host for call in vendor.calls} == {API}


def test_a_list_that_does_not_end_is_left(vendor: Vendor) -> None:
    """A page that names itself as the next one."""
    adapter = google(vendor, "europe-docker.pkg.dev")
    at = "GET artifactregistry.googleapis.com/v1/projects/shop/locations/europe/repositories"
    entry = {"name": "p/l/r/images", "format": "DOCKER"}
    vendor.routes[at] = lambda call: (200, {"repositories": [entry], "nextPageToken": "same"})
    with pytest.raises(Unavailable, match="does not end"):
        list(adapter.repositories("shop/other/**"))
    assert len(vendor.called("GET", "artifactregistry.")) == 2
