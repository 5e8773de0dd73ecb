"""As much of S3 as a registry's storage driver asks for, in memory. Signatures are not looked at."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

MOMENT = "2026-01-01T00:00:00.000Z"
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass
class Upload:
    """A multipart upload under way."""

    key: str
    parts: dict[int, bytes] = field(default_factory=dict)


class Store:
    """One bucket, served at `http://127.0.0.1:port`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"store": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port: int = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What bin/up needs to keep its blobs here."""
        prefix = "REGISTRY_STORAGE_S3_"
        return {
            "REGISTRY_STORAGE": "s3",
            f"{prefix}BUCKET": "haven",
            f"{prefix}REGIONENDPOINT": f"http://127.0.0.1:{self.port}",
            f"{prefix}REGION": "us-east-1",
            f"{prefix}ACCESSKEY": "key",
            f"{prefix}SECRETKEY": "secret",
            f"{prefix}SECURE": "false",
        }

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.key = unquote(url.path).removeprefix("/haven").lstrip("/")
        self.body = self._body()
        with self.store.lock:
            getattr(self, f"_{self.command.lower()}")()

    def _body(self) -> bytes:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.headers.get("x-amz-content-sha256", "").startswith("STREAMING"):
            return content
        plain, rest = b"", content  # aws-chunked: size in hexadecimal, extensions, the chunk
        while rest:
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.partition(b";")[0] or b"0", 16)
            if not size:
                break
            plain, rest = plain + rest[:size], rest[size + 2 :]
        return plain

    def _head(self) -> None:
        self._get()

    def _get(self) -> None:
        if not self.key:
            return self._list_uploads() if "uploads" in self.query else self._list()
        if "uploadId" in self.query:
            return self._list_parts()
        content = self.store.objects.get(self.key)
        if content is None:
            return self._fail(404, "NoSuchKey")
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        if not asked:
            return self._answer(200, content, {"ETag": etag(content)})
        first, _, last = asked.partition("-")
        part = content[int(first) : int(last) + 1 if last else None]
        if not part:
            return self._fail(416, "InvalidRange")
        span = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        return self._answer(206, part, {"ETag": etag(content), "Content-Range": span})

    def _put(self) -> None:
        content = self.body
        source = unquote(self.headers.get("x-amz-copy-source", "")).lstrip("/").removeprefix("haven/")
        if source:
            if source not in self.store.objects:
                return self._fail(404, "NoSuchKey")
            content = self.store.objects[source]
            if asked := self.headers.get("x-amz-copy-source-range", "").removeprefix("bytes="):
                first, _, last = asked.partition("-")
                content = content[int(first) : int(last) + 1]
        if "uploadId" in self.query:
            if self.query["uploadId"] not in self.store.uploads:
                return self._fail(404, "NoSuchUpload")
            self.store.uploads[self.query["uploadId"]].parts[int(self.query["partNumber"])] = content
        else:
            self.store.objects[self.key] = content
        if source:
            kind = "CopyPartResult" if "uploadId" in self.query else "CopyObjectResult"
            return self._xml(kind, f"<ETag>{escape(etag(content))}</ETag><LastModified>{MOMENT}</LastModified>")
        return self._answer(200, b"", {"ETag": etag(content)})

    def _post(self) -> None:
        if "uploads" in self.query:
            name = uuid.uuid4().hex
            self.store.uploads[name] = Upload(self.key)
            return self._xml("InitiateMultipartUploadResult", _elements(Bucket="haven", Key=self.key, UploadId=name))
        if "uploadId" in self.query:
            upload = self.store.uploads.pop(self.query["uploadId"], None)
            if upload is None:
                return self._fail(404, "NoSuchUpload")
            content = b"".join(upload.parts[int(number)] for number in self._named("PartNumber"))
            self.store.objects[self.key] = content
            return self._xml(
                "CompleteMultipartUploadResult", _elements(Bucket="haven", Key=self.key, ETag=etag(content))
            )
        for key in self._named("Key"):
            self.store.objects.pop(key, None)
        return self._xml("DeleteResult", "")

    def _delete(self) -> None:
        if "uploadId" in self.query:
            self.store.uploads.pop(self.query["uploadId"], None)
        else:
            self.store.objects.pop(self.key, None)
        self._answer(204, b"")

    def _named(self, name: str) -> list[str]:
        """The texts of all elements called `name` in the request's XML."""
        tree = ElementTree.fromstring(self.body)
        return [element.text or "" for element in tree.iter() if element.tag.rpartition("}")[2] == name]

    def _list(self) -> None:
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "")
        after = self.query.get("continuation-token") or self.query.get("start-after") or self.query.get("marker", "")
        most = int(self.query.get("max-keys", "1000"))
        entries: dict[str, str] = {}
        for key in sorted(key for key in self.store.objects if key.startswith(prefix) and key > after):
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if found and prefix + head + delimiter > after:
                group = prefix + head + delimiter
                entries[group] = f"<CommonPrefixes><Prefix>{escape(group)}</Prefix></CommonPrefixes>"
            elif not found:
                content = self.store.objects[key]
                about = _elements(Key=key, Size=len(content), ETag=etag(content), LastModified=MOMENT)
                entries[key] = f"<Contents>{about}<StorageClass>STANDARD</StorageClass></Contents>"
        names = list(entries)[:most]
        cut = len(entries) > len(names)
        about = _elements(Name="haven", Prefix=prefix, MaxKeys=most, KeyCount=len(names), IsTruncated=str(cut).lower())
        if cut and names:
            about += _elements(NextContinuationToken=names[-1], NextMarker=names[-1])
        self._xml("ListBucketResult", about + "".join(entries[name] for name in names))

    def _list_uploads(self) -> None:
        prefix = self.query.get("prefix", "")
        found = [
            f"<Upload>{_elements(Key=upload.key, UploadId=name, Initiated=MOMENT)}</Upload>"
            for name, upload in self.store.uploads.items()
            if upload.key.startswith(prefix)
        ]
        self._xml("ListMultipartUploadsResult", _elements(Bucket="haven", IsTruncated="false") + "".join(found))

    def _list_parts(self) -> None:
        upload = self.store.uploads.get(self.query["uploadId"])
        if upload is None:
            return self._fail(404, "NoSuchUpload")
        parts = [
            f"<Part>{_elements(PartNumber=n, Size=len(part), ETag=etag(part), LastModified=MOMENT)}</Part>"
            for n, part in sorted(upload.parts.items())
        ]
        about = _elements(Bucket="haven", Key=upload.key, UploadId=self.query["uploadId"], IsTruncated="false")
        return self._xml("ListPartsResult", about + "".join(parts))

    def _xml(self, root: str, inside: str) -> None:
        text = f'<?xml version="1.0" encoding="UTF-8"?><{root} {NAMESPACE}>{inside}</{root}>'
        self._answer(200, text.encode(), {"Content-Type": "application/xml"})

    def _fail(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def _elements(**values: object) -> str:
    pairs: Iterable[tuple[str, object]] = values.items()
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in pairs)
