"""Odd words in every parameter and every field of every page: an answer that says so, never an error of ours."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from django.db import transaction

from portal.once import FIELD
from tests.portal.conftest import Reader, Scene
from tests.portal.visits import places

ODD = ("a\0b", "9" * 30)
"""No text for PostgreSQL, and no number for any database."""
PARAMETERS = {"q", "page", "sort", "view", "type", "access", "job", "from", "to"}
"""Of pages' addresses, beside those that their forms name."""


class Forms(HTMLParser):
    """The forms of a page: method, address and the names of their fields; one more for each other goal of a button.

    Without the word that lets a form be sent once: with the same one all but the first would do nothing.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, set[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.found.append((given.get("method", "get").lower(), given.get("action", ""), set()))
        elif self.found and given.get("name", FIELD) != FIELD:
            self.found[-1][2].add(given["name"])
        if self.found and "formaction" in given:
            self.found.append(("post", given["formaction"], self.found[-1][2]))


def test_no_word_breaks_a_page_or_a_form(scene: Scene, reader: Reader) -> None:
    client, answers = reader("admin"), Counter[tuple[str, int]]()
    client.raise_request_exception = False

    def ask(method: str, path: str, names: set[str]) -> None:
        for word in ODD:
            with transaction.atomic():  # as if nobody had asked: one form may end what the next is about
                status = getattr(client, method)(path, dict.fromkeys(names, word)).status_code
                transaction.set_rollback(True)
            assert status < 500, (method, path, word)
            answers[method, status] += 1

    sent = set()
    for path in places(scene).values():
        page = path.partition("?")[0]
        forms = Forms(client.get(path).content.decode()).found
        ask("get", page, PARAMETERS.union(*(names for method, _, names in forms if method == "get")))
        for method, address, names in forms:
            form = (address or page, *sorted(names))
            if method == "post" and "sign-out" not in address and form not in sent:
                sent.add(form)
                ask("post", address or page, names)
    assert answers["post", 422] > 50 and len(sent) > 60
