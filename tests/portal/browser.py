"""A reader with a real browser, who notices what should not happen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.stack.people import People
from tests.stack.stack import Stack

AXE = Path(__file__).with_name("axe-core") / "axe.min.js"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RUN = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations'], preload: false})"
WIDE, PHONE = (1440, 900), (390, 844)
NOBODY = "anonymous"
REFUSALS = ("status of 401", "status of 403", "status of 404", "status of 409", "status of 422", "status of 429")
"""The browser's own line about an answer that is meant."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's chromium, without a head."""
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield browser
        browser.close()


class Reader:
    """Somebody at a browser window of their own."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = WIDE, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            base_url=url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **options
        )
        self.context.set_default_timeout(15_000)
        self.url = url
        self.page: Page = self.context.new_page()
        self.seen: list[str] = []
        """Errors on the console and exceptions: what the policy stopped among them."""
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.seen.append(str(error)))

    def sign_in(self, name: str, password: str) -> None:
        self.page.goto("/account/sign-in")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", password)
        self.page.click("main button[type=submit]:has-text('Sign in')")
        expect(self.page.locator(".hv-frame")).to_be_visible()

    def prefer(self, *, theme: str = "light", language: str = "en") -> None:
        """Choose theme and language, by their cookies."""
        chosen = {"haven_theme": theme, "lang": language}
        self.context.add_cookies([{"name": name, "value": value, "url": self.url} for name, value in chosen.items()])

    def hears(self, text: str) -> None:
        """A toast says so, and the live region with it."""
        expect(self.page.locator(".hv-toast")).to_contain_text(text)
        expect(self.page.locator("#hv-announcer")).to_contain_text(text)

    def breaches(self) -> list[str]:
        """What axe-core finds wrong with the page as it stands."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(RUN, list(WCAG))
        return [
            f"{breach['id']}: {breach['help']}: {breach['nodes'][0]['html'][:160]}" for breach in found["violations"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))

    def leave(self) -> None:
        self.context.close()

    def _listen(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not any(refusal in line.text for refusal in REFUSALS):
            self.seen.append(line.text)


SitDown = Callable[..., Reader]


@contextmanager
def readers(browser: Browser, stack: Stack, people: People) -> Iterator[SitDown]:
    """Gives what seats a reader at a window of their own, signed in where a name is given: `sit_down("alice", PHONE)`.

    At the end nobody may have met an error.
    """
    seated: list[Reader] = []

    def sit_down(who: str = NOBODY, size: tuple[int, int] = WIDE, **options: Any) -> Reader:
        seated.append(Reader(browser, stack.url, size, **options))
        if who != NOBODY:
            seated[-1].sign_in(*people.secrets[who])
        return seated[-1]

    yield sit_down
    seen = [line for each in seated for line in each.seen]
    for each in seated:
        each.leave()
    assert seen == []
