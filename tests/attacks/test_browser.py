"""A real browser looks at pages full of hostile text: nothing runs, nothing is asked for, nothing even tries."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.api.conftest import Stage
from tests.attacks.browser import SIGN_IN
from tests.attacks.test_pages import PAYLOADS, TRAP, all_pages, poison
from tests.cast import PASSWORD

pytestmark = pytest.mark.sweep


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright keeps a loop running in this thread
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield browser.new_page()
        browser.close()


def watched(page: Page) -> list[str]:
    """What should not happen, as it happens: a dialog, a call to the trap, something that the policy had to stop."""
    seen: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def request(request: Request) -> None:
        if TRAP in request.url.partition("?")[0]:
            seen.append(request.url)

    def line(line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text:
            seen.append(line.text)

    page.on("dialog", dismiss)
    page.on("request", request)
    page.on("console", line)
    return seen


@pytest.mark.django_db(transaction=True)
def test_hostile_text_stays_text(live_server: LiveServer, page: Page, stage: Stage) -> None:
    seen = watched(page)
    page.goto(f"{live_server.url}{SIGN_IN}")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{live_server.url}/")

    shown = 0
    for first in range(0, len(PAYLOADS), 4):
        poison(stage, " ".join(PAYLOADS[first : first + 4]))
        for path in all_pages(stage):
            page.goto(f"{live_server.url}{path}")
            shown += TRAP in page.content()
            assert seen == [], (path, first)

    assert shown > 15
    page.evaluate("document.body.innerHTML += '<img src=x onerror=alert(1)>'")
    page.wait_for_timeout(200)
    assert seen  # had something tried, it would have been noticed
