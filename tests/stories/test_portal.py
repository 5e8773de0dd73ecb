"""People in the browser: what they do in a day, with and without a script, on a desk and on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect

from tests.cast import PASSWORD
from tests.portal.browser import PHONE, WIDE, Reader, SitDown, chromium, readers
from tests.stack import content
from tests.stack.people import People
from tests.stack.stack import Stack

pytestmark = pytest.mark.stack

FIRST_PAINT = 200_000
"""Bytes on the wire, all together."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def sit_down(browser: Browser, stack: Stack, people: People) -> Iterator[SitDown]:
    with readers(browser, stack, people) as sit_down:
        yield sit_down


@pytest.fixture
def alice(sit_down: SitDown, people: People) -> Reader:
    """Administrator of `private` and `public`, signed in."""
    reader = sit_down()
    reader.sign_in(*people.secrets["alice"])
    return reader


@pytest.fixture(scope="module")
def pushed(people: People) -> str:
    """The path of a repository with an image, an index and a chart's worth of tags."""
    developer = people.client("developer")
    for tag in ("2.9.0", "2.10.0", "latest"):
        assert developer.push("private/portal/web", tag, content.image(text="portal")).status == 201
    both = content.index(content.image(text="one"), content.image(text="two", architecture="arm64"))
    assert developer.push("private/portal/web", "multi", both).status == 201
    return "/projects/private/repositories/portal/web"


def test_signing_in_and_out(sit_down: SitDown, people: People) -> None:
    reader = sit_down()
    page = reader.page
    page.goto("/projects/private")
    expect(page.locator("h1")).to_have_text("There is nothing here")
    page.click("main a:has-text('Sign in')")

    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "wrong")
    page.press("[name=password]", "Enter")
    expect(page.locator("[role=alert]")).to_contain_text("The name or the password is wrong.")
    expect(page.locator("[name=username]")).to_have_value("alice")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")

    expect(page.locator("h1")).to_contain_text("private")
    page.click("header summary:has-text('Account of alice')")
    page.click("button:has-text('Sign out')")
    reader.hears("You are signed out.")
    page.goto("/projects/private")
    expect(page.locator("h1")).to_have_text("There is nothing here")


def test_a_project_from_beginning_to_end(alice: Reader, people: People, stack: Stack) -> None:
    page = alice.page
    page.goto("/projects")
    page.click("text=New project")
    page.fill("[name=name]", "Wrong Name")
    page.click("text=Create the project")
    expect(page.locator("#id_name_error")).to_contain_text("Use lower case letters")
    expect(page.locator("[name=name]")).to_have_value("Wrong Name")
    page.fill("[name=name]", "story")
    page.click("text=Create the project")
    alice.hears("The project story has been created.")
    expect(page.locator(".hv-empty")).to_contain_text(f"docker push {stack.host}/story/my-image:latest")

    page.click("text=Settings")
    page.check("[name=public]")
    page.click("text=Save")
    expect(page.locator("h1")).to_contain_text("Public")

    page.click("a:has-text('Delete the project')")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Delete the project story?")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.click("a:has-text('Delete the project')")
    dialog.locator("button:has-text('Delete the project')").click()
    alice.hears("The project story is deleted.")
    assert people.client("alice").api("GET", "/projects/story").status in (403, 404)


def test_members(alice: Reader, sit_down: SitDown, people: People) -> None:
    people.make_project("portal-members")
    page = alice.page
    page.goto("/projects/portal-members/members")
    page.fill("[name=username]", "nobody-at-all")
    page.click("button:has-text('Add')")
    expect(page.locator("#id_username_error")).to_have_text("There is nobody of this name.")
    page.fill("[name=username]", "stranger")
    page.select_option("[name=role]", label="Guest")
    page.click("button:has-text('Add')")
    alice.hears("stranger is a member now: Guest.")

    stranger = sit_down()
    stranger.sign_in(*people.secrets["stranger"])
    stranger.page.goto("/projects/portal-members")
    expect(stranger.page.locator("h1")).to_contain_text("portal-members")
    expect(stranger.page.get_by_role("link", name="Settings")).to_have_count(0)

    page.click("[aria-label='Remove stranger']")
    page.locator("dialog[open] button:has-text('Remove the member')").click()
    alice.hears("stranger is no longer a member.")
    stranger.page.reload()
    expect(stranger.page.locator("h1")).to_have_text("There is nothing here")


def test_a_robots_secret_is_seen_once(alice: Reader, people: People, stack: Stack, tmp_path: Path) -> None:
    people.make_project("portal-robots")
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = alice.page
    page.goto("/projects/portal-robots/robots")
    page.click("main >> text=New robot")
    page.fill("[name=name]", "builder")
    page.check("[value='repository:push']")
    page.click("text=Create the robot")
    expect(page.locator("h2")).to_have_text("The secret of robot$portal-robots+builder")
    secret = page.locator("#hv-secret code").inner_text()

    page.click("[aria-label='Copy the secret']")
    expect(page.locator("#hv-announcer")).to_have_text("Copied to the clipboard.")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    with page.expect_download() as download:
        page.click("text=Download as a file")
    download.value.save_as(tmp_path / "robot.json")
    assert json.loads((tmp_path / "robot.json").read_text()) == {
        "name": "robot$portal-robots+builder",
        "secret": secret,
    }
    robot = stack.client("robot$portal-robots+builder", secret)
    assert robot.push("portal-robots/made", "1", content.image(text="by a robot")).status == 201

    page.click("text=I have copied it")
    assert secret not in page.content()
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser would have to send the form again
        page.go_back()


def test_a_pushed_image_appears_and_is_copied_tagged_and_deleted(alice: Reader, people: People, stack: Stack) -> None:
    people.make_project("portal-push")
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = alice.page
    page.goto("/projects/portal-push")
    expect(page.locator("h2")).to_have_text("No repositories yet")

    assert people.client("alice").push("portal-push/web", "1.0", content.image(text="appears")).status == 201
    page.reload()
    page.click("th >> text=web")
    page.locator("button.hv-tag", has_text="1.0").click()
    expect(page.locator("#hv-announcer")).to_have_text("Copied to the clipboard.")
    assert page.evaluate("navigator.clipboard.readText()") == f"docker pull {stack.host}/portal-push/web:1.0"

    page.click("th .hv-digest a")
    page.fill("[name=name]", "stable")
    page.click("text=Add the tag")
    alice.hears("The tag stable points here now.")
    page.click("text=Layers")
    expect(page.locator(".hv-history")).to_have_text("COPY 0 /")
    page.click("nav >> text=Manifest")
    expect(page.locator(".hv-source")).to_contain_text('"schemaVersion": 2')

    page.click("main >> text=Delete")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("2 tags of portal-push/web share this digest and go with it: 1.0, stable.")
    dialog.locator("button:has-text('Delete the artifact')").click()
    expect(page.locator(".hv-empty h2")).to_have_text("This repository is empty")
    assert people.client("alice").pull("portal-push/web", "1.0").status == 404


def test_filtering_while_typing_changes_the_address(alice: Reader, pushed: str) -> None:
    page = alice.page
    page.goto(pushed)
    expect(page.locator("#listing tbody tr")).to_have_count(2)
    assert page.locator("button.hv-tag").all_inner_texts()[-3:] == ["2.10.0", "2.9.0", "latest"]

    page.fill("[name=q] >> nth=1", "multi")
    expect(page.locator("#listing tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=multi"))
    page.fill("[name=q] >> nth=1", "nothing like it")
    expect(page.locator(".hv-empty h2")).to_have_text("No matches")
    page.go_back()
    expect(page.locator("#listing tbody tr")).to_have_count(1)


def test_language_and_theme(sit_down: SitDown, people: People) -> None:
    reader = sit_down(color_scheme="dark")
    reader.sign_in(*people.secrets["limited_guest"])
    page = reader.page
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")  # as the system has it

    page.click("summary[aria-label=Theme]")
    page.click("button:has-text('Light')")
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.click("summary[aria-label=Language]")
    page.click("button:has-text('简体中文')")

    expect(root).to_have_attribute("lang", "zh-hans")
    expect(page.locator("h1")).to_have_text("概览")
    expect(root).to_have_attribute("data-bs-theme", "light")
    people.forget_preferences("limited_guest")


def test_the_keyboard_is_enough(alice: Reader) -> None:
    page = alice.page
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("/")
    expect(page.locator("header [name=q]")).to_be_focused()
    page.keyboard.type("priv/")
    expect(page.locator("header [name=q]")).to_have_value("priv/")

    summary = page.locator("summary[aria-label=Theme]")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_contain_text("Light")
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(page.locator("details[open]")).to_have_count(0)


def test_without_a_script(sit_down: SitDown, people: People, pushed: str) -> None:
    reader = sit_down(java_script_enabled=False)
    page = reader.page
    reader.sign_in(*people.secrets["alice"])
    page.goto("/projects/-/new")
    page.fill("[name=name]", "plain")
    page.click("text=Create the project")
    expect(page.locator(".hv-toast")).to_contain_text("The project plain has been created.")

    page.goto(pushed)
    page.fill("[name=q] >> nth=1", "multi")
    page.press("[name=q] >> nth=1", "Enter")
    expect(page.locator("#listing tbody tr")).to_have_count(1)
    page.click("td summary")
    expect(page.locator("td .hv-command").first).to_be_visible()

    page.goto("/projects/plain/settings")
    page.click("a:has-text('Delete the project')")
    expect(page.locator("h1")).to_have_text("Delete the project plain?")
    page.click("button:has-text('Delete the project')")
    expect(page.locator(".hv-toast")).to_contain_text("The project plain is deleted.")
    page.click("header summary:has-text('Account of alice')")
    page.click("button:has-text('Sign out')")
    expect(page.locator("h1")).to_have_text("Sign in")


def test_on_a_phone(sit_down: SitDown, people: People, pushed: str) -> None:
    reader = sit_down(size=PHONE)
    reader.sign_in(*people.secrets["alice"])
    page = reader.page
    expect(page.locator(".hv-side")).to_be_hidden()
    page.click("button[aria-label=Menu]")
    page.click(".hv-side >> text=Projects")
    expect(page.locator("h1")).to_have_text("Projects")
    page.goto(pushed)
    row = page.locator("#listing tbody tr").first
    expect(page.locator("#listing thead")).to_be_hidden()
    assert row.evaluate("row => getComputedStyle(row).display") == "block"


def test_two_clicks_make_one_robot(alice: Reader, people: People) -> None:
    people.make_project("portal-twice")
    page = alice.page
    page.goto("/projects/portal-twice/robots/new")
    page.fill("[name=name]", "one")
    page.evaluate("const form = document.querySelector('main form'); form.requestSubmit(); form.requestSubmit();")
    expect(page.locator("#hv-secret")).to_be_visible()
    assert len(people.client("alice").api("GET", "/projects/portal-twice/robots").json) == 1


PAGES = """/ /projects /projects/-/new /projects?q=nothing-like-it /projects/private /projects/private/members
/projects/private/robots /projects/private/robots/new /projects/private/log /projects/private/settings
/projects/private/delete /projects/portal-empty {repository} {repository}/-/description {repository}/-/delete
{artifact} {artifact}?view=layers {artifact}?view=accessories {artifact}?view=manifest {artifact}/delete
{index}?view=platforms /users /users/new /users/{user}/password /users/{user}/delete /search?q=private
/search?q=nothing-like-it /account/password /account /nothing-here /projects/private/summary /projects/private/labels
/projects/private/labels/new {repository}/-/info {artifact}?view=config /audit /audit?q=nobody-at-all /audit/purge /jobs
/jobs/schedules /jobs/workers /jobs/{execution} /health /robots /robots/new /groups /groups/new /labels /labels/new
/quotas /quotas/private /configuration/system /configuration/authentication /configuration/security /search
/projects/private/allowlist {artifact}/copy /projects/private/replication /replication /endpoints"""
AN_EXECUTION = """
from django.utils import timezone
from jobs.actions import start
answer = start("HOUSEKEEPING", "HOUSEKEEPING", {}).pk
"""
LOOKS = [("light", "en", WIDE), ("dark", "zh-hans", WIDE), ("dark", "en", PHONE), ("light", "zh-hans", PHONE)]


@pytest.mark.parametrize(("theme", "language", "size"), LOOKS)
def test_every_page_is_accessible(
    sit_down: SitDown, people: People, stack: Stack, pushed: str, theme: str, language: str, size: tuple[int, int]
) -> None:
    artifacts = people.api("alice", "GET", "/projects/private/repositories/portal%252Fweb/artifacts", None, 200).json
    digests = {artifact["tags"][0]["name"] == "multi": artifact["digest"] for artifact in artifacts}
    if people.client("alice").api("GET", "/projects/portal-empty").status != 200:
        people.make_project("portal-empty")
    paths = PAGES.format(
        repository=pushed,
        artifact=f"{pushed}/-/artifacts/{digests[False]}",
        index=f"{pushed}/-/artifacts/{digests[True]}",
        user=people.api("alice", "GET", "/users/current", None, 200).json["user_id"],
        execution=stack.ask(AN_EXECUTION),
    ).split()
    reader, guest = sit_down(size=size), sit_down(size=size)
    reader.sign_in(*people.secrets["admin"])
    found = []
    for each, addresses in ((reader, paths), (guest, ["/", "/projects", "/account/sign-in", "/projects/private"])):
        each.prefer(theme=theme, language=language)
        for path in addresses:
            each.page.goto(path)
            wrong = each.breaches() + (["wider than the window"] if each.overflow() > 0 else [])
            found += [f"{path}: {breach}" for breach in wrong]

    assert found == []


def test_open_menus_and_dialogs_are_accessible(alice: Reader, pushed: str) -> None:
    page = alice.page
    page.goto(pushed)
    page.click("header summary:has-text('Account of alice')")
    assert alice.breaches() == []
    page.keyboard.press("Escape")
    page.locator("td summary").first.click()
    assert alice.breaches() == []
    page.click("a:has-text('Delete the artifact')")
    expect(page.locator("dialog[open] h2")).to_be_visible()
    assert alice.breaches() == []


def test_the_first_paint_is_light(sit_down: SitDown, people: People, pushed: str) -> None:
    reader = sit_down()
    session = reader.context.new_cdp_session(reader.page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    reader.page.goto("/account/sign-in")
    reader.page.wait_for_load_state("networkidle")
    assert 0 < sum(received) < FIRST_PAINT

    received.clear()
    session.send("Network.clearBrowserCache")
    reader.sign_in(*people.secrets["alice"])
    session.send("Network.clearBrowserCache")
    for path in (pushed, "/", "/projects/private/summary"):
        received.clear()
        session.send("Network.clearBrowserCache")
        reader.page.goto(path)
        reader.page.wait_for_load_state("networkidle")  # what draws its charts comes last
        assert 0 < sum(received) < FIRST_PAINT, path
