"""Amazon ECR: repositories and the docker login by signed calls of its API; no library of Amazon's is needed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from registry import http
from registry.auth import Auth
from registry.errors import Denied, TooManyRequests, Unauthorized, Unavailable, Unsupported
from replication.adapters.base import Adapter, Info, is_pattern, literal_prefix
from replication.adapters.calling import Answer, Api, host_of, marked, objects, refusal, texts
from replication.adapters.logins import Kept, Login, LoginAuth
from replication.adapters.signing import Key, aws

HOST = re.compile(
    r"(?:api\.ecr|(\d{12})\.dkr[.-]ecr)(-fips)?\.([a-z0-9-]+)"
    r"\.(amazonaws\.com(?:\.cn)?|on\.aws|sc2s\.sgov\.gov|c2s\.ic\.gov)",
    re.ASCII,
)
TARGET = "AmazonEC2ContainerRegistry_V20150921"
LIFETIME = 12 * 3600
"""Seconds that a login is good for."""
REFUSED = frozenset(
    [
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "MissingAuthenticationTokenException",
        "ExpiredTokenException",
        "SignatureDoesNotMatch",
    ]
)
DENIED = frozenset(("AccessDeniedException", "AccessDenied"))
THROTTLED = frozenset(("ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"))
REGIONS = (
    "us-east-2 us-east-1 us-west-1 us-west-2 af-south-1 ap-east-1 ap-south-1 ap-northeast-3 ap-northeast-2"
    " ap-southeast-1 ap-southeast-2 ap-northeast-1 ca-central-1 cn-north-1 cn-northwest-1 eu-central-1 eu-west-1"
    " eu-west-2 eu-south-1 eu-west-3 eu-north-1 me-south-1 sa-east-1"
)


class AwsEcr(Adapter):
    """An account's private registry in one region, with an access key's id and secret.

    The address is `https://<account>.dkr.ecr.<region>.amazonaws.com`, the one that speaks IPv6, too
    (`https://<account>.dkr-ecr.<region>.on.aws`), or Harbor's `https://api.ecr.<region>...`: then
    the key's own account is meant.
    """

    info = Info(
        "aws-ecr",
        has_pattern=True,
        endpoint_type="EndpointPatternTypeList",
        endpoints=tuple((region, f"https://api.ecr.{region}.amazonaws.com") for region in REGIONS.split()),
    )

    @cached_property
    def registry_url(self) -> str:
        """Where images are; the API tells it to who gave the API's address."""
        if self._place[1]:
            return self.access.url
        named = self._authorization().get("proxyEndpoint")
        there = HOST.fullmatch(host_of(named)) if isinstance(named, str) and named.startswith("https://") else None
        if there is None or not there[1] or there.groups()[2:] != self._place.groups()[2:]:
            raise Unavailable("ECR does not say where the account's registry is")
        return str(named)

    def auth(self) -> Auth:
        return LoginAuth(self.registry_url, self.access.session, self._logins)

    def check(self) -> None:
        """The API gives a login for this key, and the registry takes it."""
        self._logins.get()
        self.registry.ping()

    def repositories(self, pattern: str) -> Iterator[str]:
        """By DescribeRepositories."""
        if pattern and not is_pattern(pattern):
            yield pattern
            return

        def read(mark: str) -> tuple[list[str], str]:
            body = {**self._account, "maxResults": 1000, **({"nextToken": mark} if mark else {})}
            answer = self._call("DescribeRepositories", body)
            return list(texts(answer.entries("repositories"), "repositoryName")), answer.text("nextToken")

        literal = literal_prefix(pattern)
        yield from (name for name in marked(read) if name.startswith(literal))

    def prepare(self, repository: str, public: bool = False) -> None:
        """The repository is there afterwards, made by CreateRepository if it was not; ECR's are always private."""
        what = f"the repository {repository} could not be created in ECR"
        found = self._call(
            "DescribeRepositories", {**self._account, "repositoryNames": [repository]}, "RepositoryNotFoundException"
        )
        if not found.is_good:
            body = {**self._account, "repositoryName": repository}
            self._call("CreateRepository", body, "RepositoryAlreadyExistsException", what=what)

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """By BatchDeleteImage: a tag goes alone."""
        image = {"imageTag": tag} if tag else {"imageDigest": digest}
        body = {**self._account, "repositoryName": repository, "imageIds": [image]}
        answer = self._call("BatchDeleteImage", body, "RepositoryNotFoundException")
        if not answer.is_good:
            return False
        failed = answer.entries("failures")
        if failed and failed[0].get("failureCode") != "ImageNotFound":
            raise Denied(f"ECR does not delete from {repository}: another image refers to it, or it is held")
        return not failed

    @property
    def _account(self) -> dict[str, str]:
        return {"registryId": self._place[1]} if self._place[1] else {}

    @cached_property
    def _place(self) -> re.Match[str]:
        """Account (if the address names one), FIPS or not, region, and domain."""
        found = HOST.fullmatch(host_of(self.access.url))
        if found is None:
            raise Unsupported("this is no address of ECR: give https://<account>.dkr.ecr.<region>.amazonaws.com")
        return found

    def _authorization(self) -> dict[str, Any]:
        """ECR's login for docker; it is good for all registries that the key may use."""
        ids = [self._account["registryId"]] if self._account else []
        answer = self._call("GetAuthorizationToken", {"registryIds": ids} if ids else {})
        found = objects(answer.get("authorizationData"))
        return found[0] if found else {}

    @cached_property
    def _logins(self) -> Kept:
        def fetch() -> Login:
            token = self._authorization().get("authorizationToken")
            try:
                pair = base64.b64decode(token if isinstance(token, str) else "", validate=True).decode()
            except ValueError:
                pair = ""
            username, _, secret = pair.partition(":")
            if not secret:
                raise Unavailable("ECR's answer holds no login")
            return Login(secret, LIFETIME, username)

        return Kept(fetch)

    @cached_property
    def _api(self) -> Api:
        _, fips, region, domain = self._place.groups()
        key = Key(self.access.username, self.access.secret)

        def sign(request: http.Request) -> None:
            aws(request, key, region, "ecr", datetime.now(UTC))

        if domain == "on.aws":
            return Api(f"https://ecr{fips or ''}.{region}.api.aws", self.access.session, sign)
        return Api(f"https://{'ecr-fips' if fips else 'api.ecr'}.{region}.{domain}", self.access.session, sign)

    def _call(self, action: str, body: dict[str, Any], fine: str = "", what: str = "") -> Answer:
        """The answer to an action, or the refusal `fine`."""
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{TARGET}.{action}"}
        answer = self._api.send("POST", "/", body=body, headers=headers)
        code = answer.text("__type").rpartition("#")[2]
        if answer.is_good or (fine and code == fine):
            return answer
        if code in REFUSED:
            raise Unauthorized("the registry refuses these credentials")
        if code in DENIED:
            raise Denied(f"the key may not call {action} in ECR")
        if code in THROTTLED:
            raise TooManyRequests("ECR takes no more calls for the moment")
        raise refusal(answer, what or f"ECR answers {action} with an error")
