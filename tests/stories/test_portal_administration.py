"""Administrators in the browser: labels, limits, the log, long work, the configuration; and the quick ways about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.portal.browser import SitDown, chromium, readers
from tests.stack import content
from tests.stack.people import People
from tests.stack.stack import Stack

pytestmark = pytest.mark.stack

SLOW_JOB = """
from django.utils import timezone
from jobs.models import Execution, Job, Status
now = timezone.now()
execution = Execution.objects.create(vendor_type="GARBAGE_COLLECTION", start_time=now)
job = Job.objects.create(execution=execution, kind="GARBAGE_COLLECTION", status=Status.RUNNING, due_at=now,
    start_time=now, lease_until=now + timezone.timedelta(hours=1), progress={"done": 1, "total": 4})
job.log_lines.create(time=now, line="one of four is done")
answer = execution.pk
"""
LAST_STEP = """
from django.utils import timezone
from jobs.models import Job, Status
ended = {{"status": Status.SUCCESS, "end_time": timezone.now(), "progress": {{"done": 4, "total": 4}}}}
Job.objects.filter(execution={pk}).update(**ended)
answer = None
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def sit_down(browser: Browser, stack: Stack, people: People) -> Iterator[SitDown]:
    with readers(browser, stack, people) as sit_down:
        yield sit_down


def test_a_label_is_made_put_on_and_filtered_by(sit_down: SitDown, people: People) -> None:
    people.make_project("portal-labels")
    for tag in ("1.0", "2.0"):
        assert people.client("alice").push("portal-labels/app", tag, content.image(text=f"label {tag}")).status == 201
    alice = sit_down("alice")
    page = alice.page
    page.goto("/projects/portal-labels/labels")
    page.click(".hv-empty >> text=New label")
    page.fill("[name=name]", "tested")
    page.fill("[name=color]", "#2f9e44")
    page.click("button:has-text('Save')")
    alice.hears("The label tested has been created.")

    page.goto("/projects/portal-labels/repositories/app")
    page.locator("tbody tr:has-text('2.0') .hv-digest a").first.click()
    page.click("button:has-text('Put on')")
    alice.hears("The label tested is put on.")
    page.goto("/projects/portal-labels/repositories/app")
    page.select_option("[name=label]", label="tested")
    expect(page.locator("#listing tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"label=\d+"))
    assert alice.breaches() == []


def test_a_limit_is_set_and_hit(sit_down: SitDown, people: People) -> None:
    people.make_project("portal-limit")
    admin = sit_down("admin")
    page = admin.page
    page.goto("/quotas?q=portal-limit")
    page.click("[aria-label='Change the storage limit of portal-limit']")
    page.fill("[name=hard]", "a lot")
    page.click("button:has-text('Save')")
    expect(page.locator("#id_hard_error")).to_contain_text("Write a number and a unit")
    expect(page.locator("[name=hard]")).to_have_value("a lot")
    page.fill("[name=hard]", "1 KiB")
    page.click("button:has-text('Save')")
    admin.hears("The storage limit of portal-limit is saved.")

    refused = people.client("alice").push("portal-limit/app", "1", content.image(text="x" * 100, author="y" * 4000))
    assert refused.status == 403
    page.goto("/projects/portal-limit/summary")
    expect(page.locator("main .hv-quota")).to_contain_text("of 1.0 KiB")


def open_palette(page: Page) -> None:
    page.wait_for_load_state()  # its key is heard from then on
    page.keyboard.press("Control+k")
    expect(page.locator("#hv-palette [aria-selected=true]")).to_have_text("Overview")


def test_the_palette_leads_everywhere(sit_down: SitDown, people: People) -> None:
    people.make_project("portal-palette")
    assert people.client("alice").push("portal-palette/deep/app", "9.9-rc", content.image(text="palette")).status == 201
    alice = sit_down("alice")
    page = alice.page
    page.keyboard.press("Control+k")
    field = page.locator("#hv-palette [role=combobox]")
    expect(field).to_be_focused()
    expect(page.locator("#hv-palette [role=option]").first).to_have_attribute("aria-selected", "true")
    assert alice.breaches() == []
    page.keyboard.type("palette/deep")
    expect(page.locator("#hv-palette [role=option]")).to_have_count(2)  # it, and the whole search
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("portal-palette/deep/app")

    open_palette(page)
    page.keyboard.type("9.9-r")
    expect(page.locator("#hv-palette [role=option]")).to_contain_text(["portal-palette/deep/app:9.9-rc", "Search for"])
    page.keyboard.press("Escape")
    expect(page.locator("#hv-palette")).not_to_be_visible()
    open_palette(page)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#hv-palette [aria-selected=true]")).to_have_text("Projects")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/projects$"))

    open_palette(page)
    page.keyboard.type("palette/deep")
    page.keyboard.press("Enter")  # at once: what is meant is not in the list yet
    expect(page.locator("h1")).to_contain_text("portal-palette/deep/app")


def test_long_work_is_watched_until_it_is_done(sit_down: SitDown, stack: Stack) -> None:
    pk = stack.ask(SLOW_JOB)
    admin = sit_down("admin")
    page = admin.page
    page.goto("/jobs")
    page.locator("tbody tr", has_text="Running").locator("a").first.click()
    expect(page.locator("progress").first).to_have_attribute("value", "1")
    expect(page.locator(".hv-log")).to_contain_text("one of four is done")
    assert admin.breaches() == []

    stack.ask(LAST_STEP.format(pk=pk))
    expect(page.locator("#hv-work [role=status]")).to_contain_text("Done")  # by itself
    expect(page.locator("#hv-work")).not_to_have_attribute("hx-trigger", re.compile("every"))


def test_the_log_is_filtered_and_taken_along(sit_down: SitDown, people: People, tmp_path: Path) -> None:
    people.make_project("portal-audit")
    admin = sit_down("admin")
    page = admin.page
    page.goto("/audit")
    page.fill("[name=resource]", "portal-audit")
    expect(page.locator("#listing tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("resource=portal-audit"))
    with page.expect_download() as download:
        page.click("text=Export these entries as CSV")
    download.value.save_as(tmp_path / "log.csv")
    lines = (tmp_path / "log.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 2 and ",alice,create,project,portal-audit,done," in lines[1]


def test_a_form_outlives_its_session(sit_down: SitDown, people: People) -> None:
    alice = sit_down("alice")
    page = alice.page
    page.goto("/projects/private/repositories")
    page.goto("/projects/-/new")
    page.fill("[name=name]", "portal-kept")
    page.check("[name=public]")
    alice.context.clear_cookies(name="sid")
    page.click("text=Create the project")
    expect(page.locator("main")).to_contain_text("what you typed is kept")
    assert alice.breaches() == []
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", people.secrets["alice"][1])
    page.press("[name=password]", "Enter")
    expect(page.locator("[name=name]")).to_have_value("portal-kept")
    expect(page.locator("[name=public]")).to_be_checked()
    page.click("text=Create the project")
    alice.hears("The project portal-kept has been created.")


def test_charts_are_tables_without_a_script(sit_down: SitDown) -> None:
    plain = sit_down("alice", java_script_enabled=False)
    plain.page.goto("/projects/private/summary")
    expect(plain.page.locator(".hv-days tbody tr")).to_have_count(30)
    expect(plain.page.locator(".hv-days tbody tr").first).to_be_visible()

    drawn = sit_down("alice")
    drawn.page.goto("/projects/private/summary")
    expect(drawn.page.locator(".hv-chart-plot canvas")).to_be_visible()
    expect(drawn.page.locator(".hv-days tbody tr").first).to_be_hidden()


def test_preferences_follow_to_another_browser(sit_down: SitDown, people: People) -> None:
    guest = sit_down("guest")
    page = guest.page
    page.goto("/account")
    page.select_option("select[name=language]", "zh-hans")
    page.select_option("select[name=theme]", "dark")
    page.select_option("select[name=time_zone]", "Asia/Shanghai")
    page.click("text=Save the preferences")
    guest.hears("您的偏好已保存。")

    other = sit_down("guest")
    expect(other.page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(other.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    other.page.goto("/account")
    other.page.select_option("select[name=language]", "en")
    other.page.click("button:has-text('保存偏好')")
    other.hears("Your preferences are saved.")
    people.forget_preferences("guest")
