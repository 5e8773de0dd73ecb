"""The signatures that the clouds' APIs ask for: relatives of AWS's fourth, each by its vendor's documentation.

A signer is given a request that is otherwise ready and adds headers to it. All are HMAC-SHA256 over a canonical form of
the request; they differ in names, in what is signed beside it, and in how the key is derived.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from registry import http
from replication.adapters.calling import encoded, host_of


@dataclass(frozen=True)
class Key:
    """An access key: its public id and its secret."""

    id: str
    secret: str = field(repr=False)


def aws(request: http.Request, key: Key, region: str, service: str, now: datetime) -> None:
    """Signature version 4 (AWS, "Create a signed AWS API request"), for services other than S3."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    request.headers |= {"Host": host_of(request.url), "X-Amz-Date": stamp}
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    names, canonical = _canonical(request)
    secret = _derived(f"AWS4{key.secret}", stamp[:8], region, service, "aws4_request")
    signature = _hex(secret, "\n".join(("AWS4-HMAC-SHA256", stamp, scope, _digest(canonical))))
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )


def volcengine(request: http.Request, key: Key, region: str, service: str, now: datetime) -> None:
    """Volcengine's HMAC-SHA256 (documentation 6369/67269): AWS's with words of its own."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    content = _digest(request.data)
    request.headers |= {"Host": host_of(request.url), "X-Date": stamp, "X-Content-Sha256": content}
    scope = f"{stamp[:8]}/{region}/{service}/request"
    names, canonical = _canonical(request, ("content-type", "host", "x-content-sha256", "x-date"))
    secret = _derived(key.secret, stamp[:8], region, service, "request")
    signature = _hex(secret, "\n".join(("HMAC-SHA256", stamp, scope, _digest(canonical))))
    request.headers["Authorization"] = (
        f"HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )


def tencent(request: http.Request, key: Key, service: str, now: datetime) -> None:
    """TC3-HMAC-SHA256 (Tencent Cloud API 3.0, "Signature v3")."""
    stamp, day = str(int(now.timestamp())), f"{now.astimezone(UTC):%Y-%m-%d}"
    request.headers["Host"] = host_of(request.url)
    scope = f"{day}/{service}/tc3_request"
    names, canonical = _canonical(request, ("content-type", "host"))
    secret = _derived(f"TC3{key.secret}", day, service, "tc3_request")
    signature = _hex(secret, "\n".join(("TC3-HMAC-SHA256", stamp, scope, _digest(canonical))))
    request.headers |= {
        "X-TC-Timestamp": stamp,
        "Authorization": f"TC3-HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


def alibaba(request: http.Request, key: Key, action: str, version: str, now: datetime, nonce: str) -> None:
    """ACS3-HMAC-SHA256 (Alibaba Cloud, "V3 request syntax and signature"), for RPC and ROA alike."""
    request.headers |= {
        "Host": host_of(request.url),
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": _digest(request.data),
    }
    signed = [name.lower() for name in request.headers if name.lower().startswith("x-acs-")]
    names, canonical = _canonical(request, ("content-type", "host", *signed))
    signature = _hex(key.secret.encode(), f"ACS3-HMAC-SHA256\n{_digest(canonical)}")
    request.headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={key.id},SignedHeaders={names},Signature={signature}"
    )


def huawei(request: http.Request, key: Key, now: datetime) -> None:
    """SDK-HMAC-SHA256 (Huawei Cloud, "AK/SK-based authentication"): no key is derived, the path ends with a slash."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    request.headers |= {"Host": host_of(request.url), "X-Sdk-Date": stamp}
    names, canonical = _canonical(request, ("content-type", "host", "x-sdk-date"), slash=True)
    signature = _hex(key.secret.encode(), f"SDK-HMAC-SHA256\n{stamp}\n{_digest(canonical)}")
    request.headers["Authorization"] = f"SDK-HMAC-SHA256 Access={key.id}, SignedHeaders={names}, Signature={signature}"


def _canonical(request: http.Request, only: Iterable[str] | None = None, slash: bool = False) -> tuple[str, str]:
    """The names of the signed headers (all, or those of `only` that are there), and the request's canonical form."""
    given = {name.lower(): " ".join(str(value).split()) for name, value in request.headers.items()}
    signed = sorted(given if only is None else given.keys() & set(only))
    parts = urlsplit(request.url)
    path = parts.path or "/"
    names = ";".join(signed)
    headers = "".join(f"{name}:{given[name]}\n" for name in signed)
    path = path if not slash or path.endswith("/") else f"{path}/"
    return names, "\n".join((request.method, path, _query(parts.query), headers, names, _digest(request.data)))


def _query(query: str) -> str:
    """The query with its parameters in order."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return encoded(sorted((unquote(name), unquote(value)) for name, _, value in pairs))


def _derived(secret: str, *parts: str) -> bytes:
    """The key that signs: the secret, carried through date, region and so on."""
    key = secret.encode()
    for part in parts:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _hex(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _digest(content: str | bytes | None) -> str:
    content = content or b""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
