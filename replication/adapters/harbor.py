"""Harbor, and Haven: what the REST API (`/api/v2.0`) tells that the v2 protocol does not."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from registry import http
from registry.errors import Denied, Unauthorized, Unavailable, error_for
from replication.adapters.base import (
    AT_LEAST_TWO,
    LABEL,
    NAME,
    RESOURCE,
    TAG,
    Access,
    Adapter,
    Found,
    Info,
    literal_prefix,
)
from replication.adapters.calling import at, objects, texts

API = "/api/v2.0"
PAGE = 100
MOST_PAGES = 10_000
ANSWER = 8 * 1024 * 1024
"""Bytes of one answer that are read."""


class Harbor(Adapter):
    """Another Harbor or Haven: lists with labels, and projects that are made when they are missing."""

    info = Info(
        "harbor",
        "Harbor or Haven",
        filters=(NAME, TAG, LABEL, RESOURCE),
        copy_by_chunk=True,
        path_components=AT_LEAST_TWO,
    )

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._seen: set[str] = set()
        """Projects that were there a moment ago."""

    def check(self) -> None:
        """Both the API and the registry let us in; where there are credentials, they are somebody's."""
        if self.access.username:
            self._ask("GET", "/users/current" if not self._is_robot else "/projects?page_size=1")
        else:
            self._ask("GET", "/ping")
        self.reach()

    def repositories(self, pattern: str) -> Iterator[str]:
        """By project, where the pattern names one; robots and members see what they may."""
        project = literal_prefix(pattern).partition("/")[0] if "/" in literal_prefix(pattern) else ""
        for name in [project] if project else self._projects():
            path = f"/projects/{quote(name, safe='')}/repositories"
            for entry in self._pages(path, name_header=True, missing_ok=True):
                if isinstance(entry.get("name"), str):
                    yield entry["name"]

    def artifacts(self, repository: str) -> Iterator[Found]:
        path = f"{_path(repository)}/artifacts?with_label=true&with_tag=true"
        for entry in self._pages(path, name_header=True, missing_ok=True):
            yield Found(
                repository,
                tuple(texts(objects(entry.get("tags")), "name")),
                str(entry.get("digest") or ""),
                frozenset(texts(objects(entry.get("labels")), "name")),
                str(entry.get("type") or "IMAGE"),
            )

    def prepare(self, repository: str, public: bool = False) -> None:
        """The project of `repository` is there afterwards; made by us if it was not."""
        project = repository.partition("/")[0]
        if self.has_place_for(repository):
            return
        body = {"project_name": project, "metadata": {"public": "true" if public else "false"}}
        answer = self._send("POST", "/projects", body)
        answer.close()
        if answer.status_code == 401:
            raise Unauthorized("the registry refuses these credentials")
        if answer.status_code == 403:
            raise Denied(f"the account may not create the project {project}, which does not exist there")
        if answer.status_code not in (201, 409):
            raise error_for(answer.status_code, message=f"the project {project} could not be created there")

    def has_place_for(self, repository: str) -> bool:
        project = repository.partition("/")[0]
        if project in self._seen:
            return True
        found = self._send("HEAD", f"/projects?project_name={quote(project, safe='')}", None)
        found.close()
        if found.status_code not in (200, 404):
            raise Unauthorized() if found.status_code == 401 else error_for(found.status_code)
        if found.status_code == 200:
            self._seen.add(project)
        return bool(found.status_code == 200)

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """By the API: a tag goes alone, the last one with the artifact."""
        path = _path(repository) + f"/artifacts/{digest}"
        if tag and {entry.get("name") for entry in self._tags(path)} != {tag}:
            path += f"/tags/{quote(tag, safe='')}"
        answer = self._send("DELETE", path, None, name_header=True)
        answer.close()
        if answer.status_code not in (200, 404):
            raise error_for(answer.status_code, message=f"{repository} could not be deleted from there")
        return bool(answer.status_code == 200)

    def _tags(self, path: str) -> list[dict[str, Any]]:
        """The tags of the artifact at `path`; none where it is not there."""
        found = self._ask("GET", f"{path}?with_tag=true", name_header=True, missing_ok=True)
        return objects(at(found, "tags"))

    @property
    def _is_robot(self) -> bool:
        return "$" in self.access.username

    def _projects(self) -> Iterator[str]:
        for entry in self._pages("/projects"):
            if isinstance(entry.get("name"), str):
                yield entry["name"]

    def _pages(self, path: str, *, name_header: bool = False, missing_ok: bool = False) -> Iterator[dict[str, Any]]:
        separator = "&" if "?" in path else "?"
        for number in range(1, MOST_PAGES):
            address = f"{path}{separator}page={number}&page_size={PAGE}"
            entries = self._ask("GET", address, name_header=name_header, missing_ok=missing_ok)
            if not isinstance(entries, list):
                return
            yield from (entry for entry in entries if isinstance(entry, dict))
            if len(entries) < PAGE:
                return

    def _ask(self, method: str, path: str, *, name_header: bool = False, missing_ok: bool = False) -> Any:
        """The answer's JSON; None for 404 where that is fine."""
        response = self._send(method, path, None, name_header=name_header)
        if response.status_code == 404 and missing_ok:
            response.close()
            return None
        if response.status_code != 200:
            response.close()
            if response.status_code == 401:
                raise Unauthorized("the registry refuses these credentials")
            if response.status_code == 403:
                raise Denied("the account may not do this there")
            raise error_for(response.status_code, message="the registry's API answers with an error")
        if path == "/ping":
            response.close()
            return None
        return http.read_json(response, ANSWER)

    def _send(self, method: str, path: str, body: Any, *, name_header: bool = False) -> http.Response:
        headers = {"Accept": "application/json"}
        if self.access.username:
            pair = f"{self.access.username}:{self.access.secret}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        if name_header:
            headers["X-Is-Resource-Name"] = "true"
        options = {"json": body} if body is not None else {}
        request = http.Request(method, f"{self.access.url.rstrip('/')}{API}{path}", headers=headers, **options)
        response = self.access.session.send(self.access.session.prepare_request(request))
        if response.status_code in (301, 302, 303, 307, 308):
            response.close()
            raise Unavailable("the address answers with a redirect: give the one that it leads to")
        return response


def _path(repository: str) -> str:
    """Where the API has the repository; its slashes are escaped twice."""
    project, _, short = repository.partition("/")
    return f"/projects/{quote(project, safe='')}/repositories/{quote(quote(short, safe=''), safe='')}"
