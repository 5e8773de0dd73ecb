"""Our own description of the API, and Swagger UI that shows it in a real browser under the strict policy."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.api.calling import Caller
from tests.api.contract import OURS
from tests.cast import Cast


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright keeps a loop running in this thread
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield browser.new_page()
        browser.close()


def test_the_document_names_every_operation_and_every_reference_in_it_leads_somewhere(db: None) -> None:
    document = Caller().get("/openapi.json").json()
    found = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert found == set(OURS)
    assert document["openapi"].startswith("3.") and document["servers"] == [{"url": "/api/v2.0"}]
    for reference in references(document):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    for path in document["paths"].values():
        for operation in path.values():
            statuses = set(operation["responses"])
            assert statuses & {"200", "201"} and {"400", "422", "429", "500"} <= statuses, operation["operationId"]


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "$ref")
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from references(inner)


@pytest.mark.sweep
@pytest.mark.django_db(transaction=True)
def test_swagger_ui_works_from_here_alone_and_breaks_no_rule(live_server: LiveServer, page: Page, cast: Cast) -> None:
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    answer = page.goto(f"{live_server.url}/devcenter-api-2.0")
    page.wait_for_selector(".opblock-tag")
    page.click("[id='operations-tag-system'] >> nth=0")
    page.click("#operations-system-getPing .opblock-summary-control")
    page.click("#operations-system-getPing .try-out__btn")
    page.click("#operations-system-getPing .execute")
    page.wait_for_selector("#operations-system-getPing .live-responses-table .response-col_status >> text=200")

    assert answer and "unsafe" not in answer.headers["content-security-policy"]
    assert page.locator(".opblock-tag").count() > 15
    assert complaints == []
    assert [url for url in asked if not url.startswith((f"{live_server.url}/", "data:image/"))] == []
