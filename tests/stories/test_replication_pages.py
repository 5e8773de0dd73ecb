"""Replication in the browser: an endpoint, a rule, a run that is watched to its end, and the proof of the copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.portal.browser import PHONE, WIDE, Reader, chromium
from tests.replication.plain import Plain, client
from tests.stack import content
from tests.stack.content import Blob
from tests.stack.fixtures import MakeStack
from tests.stack.replicas import HTPASSWD, LOOPBACK, PLAIN_PASSWORD, PLAIN_USER
from tests.stack.stack import ADMIN_PASSWORD, Stack

pytestmark = pytest.mark.stack


@dataclass
class Scene:
    """A Haven, a plain registry with a password, and the administrator at a browser."""

    stack: Stack
    plain: Plain
    reader: Reader


@pytest.fixture(scope="module")
def scene(make_stack: MakeStack) -> Iterator[Scene]:
    plain = Plain(htpasswd=HTPASSWD)
    try:
        stack = make_stack(HAVEN_ALLOWED_NETWORKS=LOOPBACK).start()
        plain.start()
        with chromium() as browser:
            reader = Reader(browser, stack.url)
            reader.sign_in("admin", ADMIN_PASSWORD)
            yield Scene(stack, plain, reader)
            assert reader.seen == []
    finally:
        plain.remove()


def test_from_an_endpoint_to_the_proof_of_a_copy(scene: Scene) -> None:
    page = scene.reader.page
    for tag in ("v1", "v2", "dev"):
        push(scene, tag)
    make_endpoint(scene)
    rule = make_rule(scene)

    page.click("main button:has-text('Dry run')")
    lacks = page.locator(".hv-stat", has_text="Bytes that the target lacks")
    expect(lacks).to_contain_text("KiB", timeout=60_000)
    expect(page.locator("#listing tbody tr")).to_have_count(2)
    page.click("main button:has-text('Run now')")
    # Nobody touches the page again: it tells of the progress and of the end by itself.
    expect(page.locator("progress[aria-label*=' of ']").first).to_be_visible(timeout=60_000)
    expect(page.locator(".hv-stats [role=status]")).to_have_text("Done", timeout=60_000)
    expect(page.locator(".hv-stat", has_text="Artifacts")).to_contain_text("2 of 2")
    assert there(scene) == ["v1", "v2"]
    page.locator("[aria-label^='Log of']").first.click()
    expect(page.locator(".hv-log")).to_contain_text("copying library/team/app to mirror/team/app at plain")
    assert PLAIN_PASSWORD not in page.content()

    page.goto(rule)
    page.click("main button:has-text('Verify')")
    expect(page.locator(".hv-notice-good")).to_contain_text("The copy is complete", timeout=60_000)
    push(scene, "v3")
    page.goto(rule)
    page.click("main button:has-text('Verify')")
    page.click("main button:has-text('Repair what differs')", timeout=60_000)
    expect(page.locator(".hv-stats [role=status]")).to_have_text("Done", timeout=60_000)
    expect(page.locator(".hv-stat", has_text="Artifacts")).to_contain_text("1 of 1")
    assert there(scene) == ["v1", "v2", "v3"]


def push(scene: Scene, tag: str) -> None:
    image = content.image(Blob(tag.encode()), Blob(os.urandom(400_000)))
    assert scene.stack.admin.push("library/team/app", tag, image).status == 201


def there(scene: Scene) -> list[str]:
    """The tags that have arrived."""
    return sorted(client(scene.plain.url, PLAIN_USER, PLAIN_PASSWORD).tags("mirror/team/app"))


def make_endpoint(scene: Scene) -> None:
    """The plain registry as an endpoint, tried with a wrong password first."""
    page = scene.reader.page
    page.goto("/endpoints")
    page.click("main >> text=New endpoint >> nth=0")
    page.click("text=Any other registry (v2)")
    page.fill("[name=name]", "plain")
    page.fill("[name=url]", scene.plain.url)
    page.fill("[name=access_key]", PLAIN_USER)
    page.fill("[name=access_secret]", "wrong")
    page.click("text=Test the connection")
    expect(page.locator("#hv-tested")).to_contain_text("The registry refuses these credentials.")
    page.fill("[name=access_secret]", PLAIN_PASSWORD)
    page.click("text=Test the connection")
    expect(page.locator("#hv-tested")).to_contain_text("The registry answers and takes these credentials.")
    page.click("main button:has-text('Save')")
    scene.reader.hears("The endpoint plain has been created.")


def make_rule(scene: Scene) -> str:
    """A rule that was looked at before it was kept; its address."""
    page = scene.reader.page
    page.goto("/replication/new")
    page.fill("[name=name]", "to plain")
    page.fill("[name=name_filter]", "library/**")
    page.fill("[name=tag_filter]", "v*")
    page.fill("[name=dest_namespace]", "mirror")
    page.select_option("[name=replace_count]", label="The first level")
    expect(page.locator("#hv-example")).to_contain_text("mirror/team/app")
    page.fill("[name=speed]", "200")
    page.click("text=Show what matches")
    expect(page.locator("#hv-preview tbody tr")).to_have_count(2)
    expect(page.locator("#hv-preview")).to_contain_text("mirror/team/app:v2")
    page.click("main button:has-text('Save')")
    scene.reader.hears("The rule to plain has been created.")
    return page.url


def test_without_a_script(scene: Scene) -> None:
    assert scene.reader.context.browser
    reader = Reader(scene.reader.context.browser, scene.stack.url, java_script_enabled=False)
    reader.sign_in("admin", ADMIN_PASSWORD)
    page = reader.page
    page.goto("/endpoints")
    page.click("th >> text=plain")
    page.click("text=Test the connection")
    expect(page.locator("#hv-tested")).to_contain_text("The registry answers and takes these credentials.")
    page.goto("/replication")
    page.click("th >> text=to plain")
    page.click("main a:has-text('Change')")
    page.click("text=Show what matches")
    expect(page.locator("#hv-preview tbody tr")).to_have_count(3)
    expect(page.locator("[name=dest_namespace]")).to_have_value("mirror")
    page.click("main button:has-text('Save')")
    page.click("main button:has-text('Run now')")
    expect(page.locator(".hv-stats [role=status]")).to_have_text("Done", timeout=60_000)  # it loads itself again
    expect(page.locator(".hv-stat", has_text="Moved")).to_contain_text("0 B")
    assert reader.seen == []
    reader.leave()


def test_a_run_is_stopped_and_gone_on_with(scene: Scene) -> None:
    page, reader = scene.reader.page, scene.reader
    assert scene.stack.admin.push("library/slow", "v1", content.image(Blob(os.urandom(3_000_000)))).status == 201
    page.goto("/replication/new")
    page.fill("[name=name]", "slow")
    page.fill("[name=name_filter]", "library/slow")
    page.fill("[name=speed]", "50")
    page.click("main button:has-text('Save')")
    page.click("main button:has-text('Run now')")
    expect(page.locator("#listing .hv-mark-busy")).to_be_visible(timeout=60_000)
    page.click("#hv-stop")
    page.wait_for_timeout(2_500)  # the page renews itself behind the question
    page.locator("dialog[open] button:has-text('Stop it')").click()
    reader.hears("It was asked to stop.")
    expect(page.locator(".hv-stats [role=status]")).to_have_text("Stopped", timeout=30_000)
    page.click("text=Try again what failed")
    page.locator("dialog[open] button:has-text('Try again')").click()
    expect(page.locator("#hv-stop")).to_be_visible()
    page.click("#hv-stop")
    page.locator("dialog[open] button:has-text('Stop it')").click()
    expect(page.locator(".hv-stats [role=status]")).to_have_text("Stopped", timeout=30_000)


def test_every_page_is_accessible(scene: Scene) -> None:
    """After the stories: with rules, runs, jobs and findings to show."""
    reader, page = scene.reader, scene.reader.page
    paths = ["/endpoints", "/endpoints/new", "/endpoints/new?type=harbor", "/replication", "/replication/new"]
    paths += ["/projects/library/replication", "/projects/library/replication/new"]
    for start, name in (("/endpoints", "plain"), ("/replication", "to plain")):
        page.goto(start)
        row = page.locator("th a", has_text=name)
        paths += [str(row.get_attribute("href"))]
    page.goto(paths[-1])
    inner = page.locator("th a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    paths += [*inner, f"{paths[-1]}/change", f"{paths[-1]}/delete"]
    found = []
    looks = (("light", "en", WIDE), ("dark", "zh-hans", PHONE), ("dark", "zh-hans", WIDE), ("light", "en", PHONE))
    for theme, language, size in looks:
        reader.prefer(theme=theme, language=language)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for path in paths:
            answer = page.goto(path)
            assert answer and answer.status == 200, path
            wrong = reader.breaches() + (["wider than the window"] if reader.overflow() > 0 else [])
            found += [f"{path} {theme}: {breach}" for breach in wrong]
    assert found == []
