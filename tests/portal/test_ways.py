"""Nobody is shown a way that is refused: whoever reads, every link and every form on every page leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from django.test import Client

from tests.portal.conftest import Reader, Scene
from tests.portal.visits import places

LINK = re.compile(r'<a [^>]*?href="([^"]+)"')
FORM = re.compile(r"<form ([^>]*)>")
MOST = 200
"""Pages that are walked for each reader: more than there are of different kinds."""


def links(page: str, here: str) -> Iterator[str]:
    """Where the links of `page` lead, on this site."""
    for address in LINK.findall(page):
        address = unescape(address)
        if address.startswith("?"):
            yield here.partition("?")[0] + address
        elif address.startswith("/") and not address.startswith(("/c/", "/api", "/static")):
            yield address


def walk(client: Client, found: dict[str, int], start: list[str]) -> None:
    """Follow every link from `start` on, each kind of address once, and note the status of each page."""
    waiting, kinds = list(start), set[str]()
    while waiting and len(found) < MOST:
        path = waiting.pop(0).partition("#")[0]
        kind = re.sub(r"sha256:[0-9a-f]+|\d+|=[^&]*", "*", path)
        if path in found or kind in kinds:
            continue
        kinds.add(kind)
        answer = client.get(path)
        found[path] = answer.status_code
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            waiting += links(answer.content.decode(), path)


def test_every_way_that_is_shown_is_open(scene: Scene, reader: Reader) -> None:
    places(scene)
    for who in ("limited_guest", "developer", "alice", "anonymous"):
        found: dict[str, int] = {}
        walk(reader(who), found, ["/", "/projects/private", "/projects/public"])
        stranger = who == "anonymous"
        if stranger:
            found.pop("/projects/private")
        assert {path: status for path, status in found.items() if status != 200} == {}, who
        assert len(found) > (12 if stranger else 25), (who, len(found))


def test_every_form_that_is_shown_is_taken(scene: Scene, reader: Reader) -> None:
    """Sent with nothing in it, a form may say what is missing; it is never forbidden."""
    shown = [f"{place}" for name, place in places(scene).items() if "delete" not in name]
    for who in ("limited_guest", "maintainer"):
        client = reader(who)
        for path in shown:
            answer = client.get(path)
            if answer.status_code == 200:
                page = answer.content.decode()
                for form in FORM.findall(page):
                    action = re.search(r'action="([^"]*)"', form)
                    target = unescape(action[1]) if action else path
                    if 'method="post"' not in form or "sign-out" in target or "/member" in target:
                        continue
                    status = client.post(target, {}).status_code
                    assert status not in (403, 405, 500), (who, path, target, status)
