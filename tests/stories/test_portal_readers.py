"""Everybody in the browser: what each role sees of a project, in English and in Chinese; searching; copying."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.portal.browser import PHONE, WIDE, SitDown, chromium, readers
from tests.stack import content
from tests.stack.people import People
from tests.stack.stack import Stack

pytestmark = pytest.mark.stack

TABS = {
    "en": ("Repositories", "Summary", "Members", "Robots", "Labels", "Replication", "Log", "Settings"),
    "zh-hans": ("仓库", "概要", "成员", "机器人账户", "标记", "复制", "日志", "设置"),
}
NOTHING = {"en": "There is nothing here", "zh-hans": "这里什么都没有"}
SEES: tuple[tuple[str, int, dict[str, bool]], ...] = (
    ("admin", 8, {"/copy": True, "/delete": True, "/tags": True}),
    ("alice", 8, {"/copy": True, "/delete": True, "/tags": True}),
    ("maintainer", 5, {"/copy": True, "/delete": True, "/tags": True}),
    ("developer", 5, {"/copy": True, "/delete": False, "/tags": True}),
    ("guest", 5, {"/copy": False, "/delete": False, "/tags": False}),
    ("limited_guest", 2, {"/copy": False, "/delete": False, "/tags": False}),
    ("stranger", 0, {}),
    ("anonymous", 0, {}),
)
"""Who sees how many of a private project's tabs, and which ways to change an artifact of it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def sit_down(browser: Browser, stack: Stack, people: People) -> Iterator[SitDown]:
    with readers(browser, stack, people) as sit_down:
        yield sit_down


@pytest.fixture(scope="module")
def artifact(people: People) -> str:
    """The page of an image in the private project, tagged `r1`."""
    image = content.image(text="for every reader")
    assert people.client("developer").push("private/readers/app", "r1", image).status == 201
    return f"/projects/private/repositories/readers/app/-/artifacts/{image.digest()}"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_reader_sees_what_is_theirs(sit_down: SitDown, artifact: str, language: str) -> None:
    for who, tabs, ways in SEES:
        reader = sit_down(who)
        reader.prefer(language=language)
        page = reader.page
        page.goto("/projects/private")
        expect(page.locator("html")).to_have_attribute("lang", language)
        if not tabs:
            expect(page.locator("h1")).to_have_text(NOTHING[language])
            page.goto("/projects/public")
            expect(page.locator("h1")).to_contain_text("public")
            continue
        expect(page.locator("main .hv-tabs a")).to_have_text(list(TABS[language][:tabs]))
        page.click("main th a:has-text('readers/app')")
        page.locator("main th .hv-digest a").first.click()
        expect(page.locator("h1")).to_contain_text("private/readers/app:r1")
        for way, shown in ways.items():
            asked = page.locator(f"main a[href='{artifact}{way}'], main form[action='{artifact}{way}']")
            expect(asked, f"{who} {way}").to_have_count(int(shown))
        expect(page.locator("nav a[href='/users']")).to_have_count(int(who == "admin"))


def test_what_is_searched_is_found(sit_down: SitDown, artifact: str) -> None:
    guest, stranger = sit_down("guest"), sit_down("stranger")
    digest = artifact.rpartition("/")[2]
    for words, found in (("readers", "private/readers/app"), ("readers/app:r1", "r1"), (digest[:24], digest[7:19])):
        for reader, may in ((guest, True), (stranger, False)):
            page = reader.page
            page.goto("/")
            page.fill("header [name=q]", words)
            page.press("header [name=q]", "Enter")
            expect(page).to_have_url(re.compile(r"/search\?q="))
            rows = page.locator("main tbody tr", has_text=found)
            expect(rows, f"{words} {may}").to_have_count(int(may))


def test_what_is_searched_stands_in_one_place(sit_down: SitDown) -> None:
    for size, place in ((WIDE, "header"), (PHONE, "main")):
        page = sit_down("guest", size).page
        page.goto("/search?q=readers")
        box = page.locator("[name=q]").locator("visible=true")
        expect(box).to_have_count(1)
        expect(page.locator(f"{place} [name=q]")).to_be_visible()
        expect(box).to_have_value("readers")


def test_a_line_that_is_copied_pulls(sit_down: SitDown, people: People, stack: Stack, artifact: str) -> None:
    guest = sit_down("guest")
    guest.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = guest.page
    page.goto(artifact.partition("/-/")[0])
    row = page.locator("#listing tbody tr").first
    row.locator("[aria-label='Copy the pull command']").click()
    expect(page.locator("#hv-announcer")).to_have_text("Copied to the clipboard.")
    program, verb, reference = _copied(page).split()
    assert (program, verb) == ("docker", "pull")
    repository, _, tag = reference.removeprefix(f"{stack.host}/").partition(":")
    assert people.client("guest").pull(repository, tag).status == 200

    row.locator("summary[aria-label^='Actions']").click()
    row.locator(".hv-command button").nth(1).click()
    expect(page.locator("#hv-announcer")).to_have_text("Copied to the clipboard.")
    assert _copied(page) == f"podman pull {reference}"
    page.keyboard.press("Escape")
    row.locator(".hv-digest button").click()
    page.wait_for_function(
        "digest => navigator.clipboard.readText().then((text) => text === digest)", arg=artifact[-71:]
    )


def _copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_an_artifact_is_copied_to_another_project(sit_down: SitDown, people: People, artifact: str) -> None:
    people.make_project("portal-copies")
    alice = sit_down("alice")
    page = alice.page
    page.goto(artifact)
    page.click("main a:has-text('Copy to')")
    page.fill("[name=project]", "no-such-project")
    page.fill("[name=repository]", "shelf/app")
    page.click("main button:has-text('Copy the artifact')")
    expect(page.locator("#id_project_error")).to_contain_text("no project of this name that you may push to")
    expect(page.locator("[name=repository]")).to_have_value("shelf/app")
    page.fill("[name=project]", "portal-copies")
    page.click("main button:has-text('Copy the artifact')")
    alice.hears("is copied to portal-copies/shelf/app.")
    expect(page.locator("h1")).to_contain_text("portal-copies/shelf/app:r1")
    assert people.client("alice").pull("portal-copies/shelf/app", "r1").status == 200


def test_a_purge_names_what_will_be_gone(sit_down: SitDown) -> None:
    page = sit_down("admin").page
    page.goto("/audit/purge")
    now = page.locator("form[action='/audit/purge']")
    now.locator("[name=days]").fill("9000")
    now.locator("button").click()
    expect(page.locator("h1")).to_have_text("Purge the audit log?")
    expect(page.locator("main")).to_contain_text(
        "older than 9,000 days is deleted, if it is of these kinds: Artifact pulled"
    )
    page.click("main button:has-text('Delete these entries')")
    expect(page.locator("#hv-work [role=status]")).to_contain_text("Done", timeout=60_000)
