"""The clouds' signatures once more, from what came over the wire: straight from the documentations, sharing no code."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime

from tests.replication.adapters.vendors import Call


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def parts(call: Call, pattern: str) -> dict[str, str]:
    """The parts of the Authorization header; the time in it must be now."""
    found = re.fullmatch(pattern, call.headers.get("authorization", ""))
    return found.groupdict() if found else {}


def canonical(call: Call, signed: str, path: str = "") -> bytes:
    query = "&".join(sorted(call.raw_query.split("&")))
    headers = "".join(f"{name}:{call.headers[name].strip()}\n" for name in signed.split(";"))
    return "\n".join((call.method, path or call.path, query, headers, signed, sha(call.body))).encode()


def is_now(stamp: str, form: str = "%Y%m%dT%H%M%SZ") -> bool:
    return abs((datetime.strptime(stamp, form).replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()) < 300


SCOPED = r" Credential=(?P<id>\w+)/(?P<scope>[^,]+), SignedHeaders=(?P<signed>[^,]+), Signature=(?P<signature>\w+)"


def is_aws(call: Call, key: str, secret: str, scope: str) -> bool:
    """AWS, "Create a signed AWS API request". `scope` is `region/service`."""
    found = parts(call, f"AWS4-HMAC-SHA256{SCOPED}")
    stamp = call.headers["x-amz-date"]
    whole = f"{stamp[:8]}/{scope}/aws4_request"
    signing = f"AWS4{secret}".encode()
    for step in whole.split("/"):
        signing = mac(signing, step)
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{whole}\n{sha(canonical(call, found['signed']))}"
    needed = {"host", "x-amz-date", "x-amz-target", "content-type"} <= set(found["signed"].split(";"))
    right = mac(signing, text).hex() == found["signature"]
    return found["id"] == key and found["scope"] == whole and needed and right and is_now(stamp)


def is_volcengine(call: Call, key: str, secret: str, scope: str) -> bool:
    """Volcengine, 6369/67269. `scope` is `region/service`."""
    found = parts(call, f"HMAC-SHA256{SCOPED}")
    stamp = call.headers["x-date"]
    whole = f"{stamp[:8]}/{scope}/request"
    signing = secret.encode()
    for step in whole.split("/"):
        signing = mac(signing, step)
    text = f"HMAC-SHA256\n{stamp}\n{whole}\n{sha(canonical(call, found['signed']))}"
    right = mac(signing, text).hex() == found["signature"] and call.headers["x-content-sha256"] == sha(call.body)
    named = found["signed"] == "content-type;host;x-content-sha256;x-date"
    return found["id"] == key and found["scope"] == whole and named and right and is_now(stamp)


def is_tencent(call: Call, key: str, secret: str, service: str) -> bool:
    """Tencent Cloud API 3.0, signature v3."""
    found = parts(call, f"TC3-HMAC-SHA256{SCOPED}")
    stamp = call.headers["x-tc-timestamp"]
    moment = datetime.fromtimestamp(int(stamp), UTC)
    whole = f"{moment:%Y-%m-%d}/{service}/tc3_request"
    signing = f"TC3{secret}".encode()
    for step in whole.split("/"):
        signing = mac(signing, step)
    text = f"TC3-HMAC-SHA256\n{stamp}\n{whole}\n{sha(canonical(call, found['signed']))}"
    right = mac(signing, text).hex() == found["signature"] and abs((moment - datetime.now(UTC)).total_seconds()) < 300
    return found["id"] == key and found["scope"] == whole and found["signed"] == "content-type;host" and right


def is_alibaba(call: Call, key: str, secret: str) -> bool:
    """Alibaba Cloud, V3 request syntax and signature: every x-acs- header and host are signed."""
    pattern = r"ACS3-HMAC-SHA256 Credential=(?P<id>\w+),SignedHeaders=(?P<signed>[^,]+),Signature=(?P<signature>\w+)"
    found = parts(call, pattern)
    right = mac(secret.encode(), f"ACS3-HMAC-SHA256\n{sha(canonical(call, found['signed']))}").hex()
    needed = {"host", *(name for name in call.headers if name.startswith("x-acs-"))}
    return (
        found["id"] == key
        and right == found["signature"]
        and needed <= set(found["signed"].split(";"))
        and call.headers["x-acs-content-sha256"] == sha(call.body)
        and is_now(call.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ")
    )


def is_huawei(call: Call, key: str, secret: str) -> bool:
    """Huawei Cloud, AK/SK-based authentication: the secret key signs itself, the canonical path ends with a slash."""
    pattern = r"SDK-HMAC-SHA256 Access=(?P<id>\w+), SignedHeaders=(?P<signed>[^,]+), Signature=(?P<signature>\w+)"
    found = parts(call, pattern)
    stamp = call.headers["x-sdk-date"]
    text = f"SDK-HMAC-SHA256\n{stamp}\n{sha(canonical(call, found['signed'], call.path.rstrip('/') + '/'))}"
    return found["id"] == key and mac(secret.encode(), text).hex() == found["signature"] and is_now(stamp)
