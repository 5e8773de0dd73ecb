"""What can go wrong when speaking to a registry, in the words of the OCI distribution specification.

Each error knows its OCI code and its HTTP status, so that the gateway can show it and a client can raise it again.
"""

from __future__ import annotations

from typing import Any


class RegistryError(Exception):
    """Something a registry refused or could not do.

    `code` is the OCI error code, `status` the HTTP status that goes with it, `detail` any JSON value for the client.
    `temporary` says that the same request may work later; `retry_after` (seconds) when.
    """

    code = "UNKNOWN"
    status = 500
    temporary = False
    message = "the registry failed"

    def __init__(self, message: str = "", detail: Any = None, *, retry_after: int | None = None) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.detail = detail
        self.retry_after = retry_after


class NameInvalid(RegistryError):
    code, status, message = "NAME_INVALID", 400, "invalid repository name"


class NameUnknown(RegistryError):
    code, status, message = "NAME_UNKNOWN", 404, "repository name not known to registry"


class TagInvalid(RegistryError):
    code, status, message = "TAG_INVALID", 400, "invalid tag name"


class DigestInvalid(RegistryError):
    code, status, message = "DIGEST_INVALID", 400, "provided digest did not match uploaded content"


class SizeInvalid(RegistryError):
    code, status, message = "SIZE_INVALID", 400, "provided length did not match content length"


class ManifestInvalid(RegistryError):
    code, status, message = "MANIFEST_INVALID", 400, "manifest invalid"


class TooLarge(ManifestInvalid):
    status, message = 413, "the content is larger than this registry accepts"


class ManifestUnknown(RegistryError):
    code, status, message = "MANIFEST_UNKNOWN", 404, "manifest unknown"


class ManifestBlobUnknown(RegistryError):
    code, status, message = "MANIFEST_BLOB_UNKNOWN", 400, "manifest references a manifest or blob unknown to registry"


class BlobUnknown(RegistryError):
    code, status, message = "BLOB_UNKNOWN", 404, "blob unknown to registry"


class BlobUploadUnknown(RegistryError):
    code, status, message = "BLOB_UPLOAD_UNKNOWN", 404, "blob upload unknown to registry"


class BlobUploadInvalid(RegistryError):
    code, status, message = "BLOB_UPLOAD_INVALID", 400, "blob upload invalid"


class RangeInvalid(RegistryError):
    code, status, message = "RANGE_INVALID", 416, "invalid content range"


class PaginationNumberInvalid(RegistryError):
    code, status, message = "PAGINATION_NUMBER_INVALID", 400, "invalid number of results requested"


class Unauthorized(RegistryError):
    # Docker drops a message that is word for word its own, and then takes the refusal for a passing fault: it would
    # try again for a minute. So neither here nor below is it its own.
    code, status, message = "UNAUTHORIZED", 401, "authentication is required: log in first"


class Denied(RegistryError):
    code, status, message = "DENIED", 403, "requested access to the repository is denied"


class Unsupported(RegistryError):
    code, status, message = "UNSUPPORTED", 405, "the operation is unsupported"


class TooManyRequests(RegistryError):
    code, status, message = "TOOMANYREQUESTS", 429, "too many requests"
    temporary = True


class Unavailable(RegistryError):
    """The registry cannot be reached, answered late, or answered with something that is not the protocol."""

    code, status, message = "UNAVAILABLE", 503, "the registry is not available"
    temporary = True


class Untrusted(Unavailable):
    """The server cannot prove who it is, which asking again would not mend."""

    temporary = False
    message = "the server's certificate is not trusted"


class Damaged(Unavailable):
    """The registry's bytes are not those of the digest: nothing that asking again would mend."""

    temporary = False
    message = "the registry holds other bytes than the digest says"


class Blocked(RegistryError):
    """The address is one that Haven must not call (see `registry.http`)."""

    code, status, message = "DENIED", 403, "this address may not be called"


BY_CODE = {
    kind.code: kind
    for kind in (
        NameInvalid,
        NameUnknown,
        TagInvalid,
        DigestInvalid,
        SizeInvalid,
        ManifestInvalid,
        ManifestUnknown,
        ManifestBlobUnknown,
        BlobUnknown,
        BlobUploadUnknown,
        BlobUploadInvalid,
        RangeInvalid,
        PaginationNumberInvalid,
        Unauthorized,
        Denied,
        Unsupported,
        TooManyRequests,
        Unavailable,
    )
}
BY_STATUS = {
    401: Unauthorized,
    403: Denied,
    405: Unsupported,
    413: TooLarge,
    416: RangeInvalid,
    429: TooManyRequests,
}


def error_for(status: int, code: str = "", message: str = "", detail: Any = None) -> RegistryError:
    """The error that an answer with this HTTP status and OCI code stands for.

    Statuses that say enough come first: some registries put a code of another status into their answers.
    """
    kind = BY_STATUS.get(status) or BY_CODE.get(code) or (RegistryError if 400 <= status < 500 else Unavailable)
    error = kind(message, detail)
    if kind is RegistryError:
        error.status = status
    return error
