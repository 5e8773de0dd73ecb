"""What pages show, in which language, at what price; and that nobody's text is more than text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from artifacts.totals import BRIEFLY, UNTIL_COUNTED
from portal.history import join
from portal.natural import natural
from portal.words import ago, size
from tests.api.stage import PUSHED, make_image, make_repository
from tests.cast import Cast, make_project
from tests.portal.conftest import Reader, Scene
from tests.portal.crowd import grow


def test_a_repository_tells_how_to_pull_each_artifact(scene: Scene, reader: Reader) -> None:
    page = reader("guest").get(scene.path).content.decode()

    assert "docker pull haven.test:8080/private/app/web:v1.10" in page
    assert "podman pull haven.test:8080/private/app/web:multi" in page
    assert re.findall(r'class="hv-tag"[^>]*>([^<]+)<', page)[:5] == ["multi", "v1.10", "v1.9", "v1", "latest"]
    assert "linux/arm64/v0" in page
    assert "Cosign signature" in page
    # The signature and the index's parts are no rows of their own.
    assert page.count('<th scope="row"><span class="hv-digest">') == 2


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"type": "CHART"}, "helm pull oci://haven.test:8080/private/thing --version 1.0+build"),
        ({"type": "WASM"}, "oras pull haven.test:8080/private/thing:1.0_build"),
        ({"type": "UNKNOWN"}, "oras pull haven.test:8080/private/thing:1.0_build"),
    ],
)
def test_what_is_no_image_is_pulled_by_what_can(cast: Cast, reader: Reader, fields: dict[str, str], line: str) -> None:
    make_image(make_repository(cast.private, "thing"), "1.0_build", **fields)

    page = reader("guest").get("/projects/private/repositories/thing").content.decode()

    assert line in page
    assert "docker pull" not in page


def test_an_artifact_without_a_tag_is_pulled_by_digest(cast: Cast, reader: Reader) -> None:
    image = make_image(make_repository(cast.private, "thing"))

    page = reader("guest").get(f"/projects/private/repositories/thing/-/artifacts/{image.digest}").content.decode()

    assert f"docker pull haven.test:8080/private/thing@{image.digest}" in page


def test_the_parts_of_an_artifact(scene: Scene, reader: Reader) -> None:
    client = reader("guest")
    index_path = f"{scene.path}/-/artifacts/{scene.index.digest}"

    assert "linux/arm64/v1" in client.get(f"{index_path}?view=platforms").content.decode()
    assert "Cosign signature" in client.get(f"{scene.image_path}?view=accessories").content.decode()
    assert "&quot;schemaVersion&quot;: 2" in client.get(f"{scene.image_path}?view=manifest").content.decode()
    assert client.get(f"{scene.image_path}?view=nonsense").status_code == 200


def test_layers_are_shown_though_the_registry_is_away(
    scene: Scene, reader: Reader, tmp_path: Path, settings: Any
) -> None:
    settings.TOKEN_KEYS = tmp_path
    call_command("init_token_keys", verbosity=0)

    page = reader("guest").get(f"{scene.image_path}?view=layers")

    assert page.status_code == 200
    assert "the registry does not answer" in page.content.decode()


def test_each_step_of_a_build_has_its_layer() -> None:
    history: list[dict[str, Any]] = [
        {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
        {"created_by": "CMD [sh]", "empty_layer": True, "created": "2024-01-20T09:18:50Z"},
        {"created_by": "RUN make # buildkit", "created": "not a time"},
    ]

    steps = list(join(history, ["first", "second", "third"]))  # type: ignore[list-item]

    assert [(step.command, step.layer) for step in steps] == [
        ("ADD file:1 in /", "first"),
        ("CMD [sh]", None),
        ("RUN make", "second"),
        ("", "third"),
    ]
    assert [step.created is not None for step in steps] == [False, True, False, False]


def test_filter_order_and_page_stand_in_the_address(cast: Cast, reader: Reader) -> None:
    for number in range(60):
        make_project(f"many-{number:02d}", public=True)
    client = reader("anonymous")

    page = client.get("/projects?q=many&sort=-name&page=2").content.decode()
    names = re.findall(r'href="/projects/(many-\d\d)"', page)

    assert (names[0], names[-1], len(names)) == ("many-34", "many-10", 25)
    assert "26 to 50 of 60" in page
    assert "?q=many&amp;sort=-name&amp;page=3" in page
    for odd in (
        "page=0",
        "page=x",
        "page=99999999999999999999",
        "sort=password",
        "sort=--name",
        "q=%00",
        f"q={'x' * 9000}",
    ):
        assert client.get(f"/projects?{odd}").status_code == 200


LISTS = """/ /projects /users /search?q=a /projects/private /projects/private/members /projects/private/robots
/projects/private/log /projects/private/labels /projects/private/summary /projects/private/repositories/app/web
/audit /jobs /jobs/workers /robots /groups /labels /quotas"""


def test_a_longer_list_costs_no_more_queries(scene: Scene, reader: Reader) -> None:
    client = reader("admin")

    def queries() -> dict[str, int]:
        numbers = {}
        for path in LISTS.split():
            client.get(path)  # what is remembered for seconds may have been forgotten meanwhile
            with CaptureQueriesContext(connection) as asked:
                client.get(path)
            numbers[path] = len(asked)
        return numbers

    grow(scene, "one", 1)
    few = queries()
    grow(scene, "many", 12)

    assert queries() == few
    assert {path: number for path, number in few.items() if number > 16} == {}


def test_pages_carry_no_inline_code_and_stay_out_of_caches(scene: Scene, reader: Reader) -> None:
    for path in ("/", "/account/sign-in", "/projects", scene.path, "/nothing"):
        answer = reader("admin" if path != "/account/sign-in" else "anonymous").get(path)
        page = answer.content.decode()
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        assert "no-store" in answer["Cache-Control"]
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), path


@pytest.mark.parametrize(
    ("chosen", "written"), [("dark", 'data-bs-theme="dark"'), ("light", 'data-bs-theme="light"'), ("auto", "auto")]
)
def test_the_theme_is_kept_and_written_before_the_first_paint(db: None, chosen: str, written: str) -> None:
    client = Client()

    client.post("/account/theme", {"theme": chosen, "next": "/projects"})

    assert client.cookies["haven_theme"]["httponly"]
    assert written in client.get("/projects").content.decode().partition("<head>")[0]


def test_a_theme_that_is_none_changes_nothing(db: None) -> None:
    client = Client()
    client.post("/account/theme", {"theme": '"><script>', "next": "/"})
    assert "haven_theme" not in client.cookies
    client.cookies["haven_theme"] = '"><script>'
    assert b'data-hv-theme="auto"' in client.get("/").content


def test_chinese_from_the_first_page_on(scene: Scene) -> None:
    client = Client()

    client.post("/account/language", {"language": "zh-hans", "next": "/"})
    page = client.get("/account/sign-in").content.decode()

    assert '<html lang="zh-hans"' in page
    assert "登录" in page and "Sign in" not in page
    assert "登录" in Client(headers={"Accept-Language": "zh-CN,zh;q=0.9"}).get("/account/sign-in").content.decode()
    client.post("/account/language", {"language": "tlh", "next": "/"})
    assert client.cookies["lang"].value == "zh-hans"


def test_sizes_and_times_in_the_readers_language() -> None:
    with translation.override("en"):
        assert ago(PUSHED).endswith("ago")
    with translation.override("zh-hans"):
        assert ago(PUSHED).endswith("前")
    assert [size(octets) for octets in (0, 1023, 1024, 57671680, 5 * 2**60)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "55.0 MiB",
        "5120.0 PiB",
    ]


def test_versions_are_read_as_numbers() -> None:
    tags = ["v1.10", "latest", "v1.9", "1.0", "2", "v1.9-rc1", "10", "0" * 5000 + "1", "²"]

    ordered = sorted(tags, key=natural)

    assert ordered.index("v1.9") < ordered.index("v1.10")
    assert ordered.index("2") < ordered.index("10")


def test_every_icon_that_is_asked_for_is_in_the_sprite() -> None:
    root = Path(configured.BASE_DIR)
    asked = {
        name
        for path in [*root.glob("templates/**/*.html"), *root.glob("portal/**/*.py")]
        for name in re.findall(r'{% icon "([^"]+)"|Entry\([^)]*?, "([a-z0-9-]+)"[,)]', path.read_text())
        for name in name
        if name
    }
    there = set(re.findall(r'<symbol id="([^"]+)"', (root / "static/vendor/tabler/icons.svg").read_text()))

    assert asked - there == set()


def test_own_classes_are_prefixed() -> None:
    css = (Path(configured.BASE_DIR) / "static/portal/portal.css").read_text()
    tablers = {"btn", "btn-primary", "btn-danger", "form-check-input", "form-control", "form-select", "htmx-request"}

    classes = set(re.findall(r"(?<![\w)])\.([a-z][\w-]*)(?=[^{}]*\{)", re.sub(r"/\*.*?\*/|url\([^)]*\)", "", css)))

    assert {name for name in classes if not name.startswith("hv-")} <= tablers


def test_what_is_sorted_by_pulls_is_remembered_no_longer_than_until_they_are_counted(
    scene: Scene, reader: Reader
) -> None:
    redis: Any = cache._cache.get_client()  # type: ignore[attr-defined]
    for sort, is_longer in (("pulled", False), ("-pulled", False), ("size", True)):
        page = reader("guest").get(scene.path, {"q": "v1", "sort": sort})
        assert "v1.10" in page.content.decode()
        kept = [key for key in redis.keys("*artifacts.total*") if UNTIL_COUNTED < redis.ttl(key) <= BRIEFLY]
        assert bool(kept) == is_longer, sort
