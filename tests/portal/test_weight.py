"""What a first visit weighs: each page and all that it loads, also what comes late, as the edge sends it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from django.conf import settings as configured

from tests.portal import styles
from tests.portal.conftest import Reader, Scene
from tests.portal.crowd import grow
from tests.portal.visits import places

FIRST_PAINT = 200_000
"""Bytes."""
LEVEL = 6
"""The edge's, for files."""
STATIC = Path(configured.BASE_DIR) / "static"
FONTS = ("vendor/fonts/inter.woff2", "vendor/fonts/jetbrains-mono.woff2")
"""What the style sheets fetch, as they are: fonts are compressed already."""


def weight(page: bytes) -> dict[str, int]:
    """Bytes on the wire, by file; the page itself, which the edge does not compress, is ''."""
    files = set(re.findall(rb'(?:href|src|data-hv-uplot)="/static/([^"#?]+)', page))
    found = {name.decode(): len(gzip.compress((STATIC / name.decode()).read_bytes(), LEVEL)) for name in files}
    fonts = {name: (STATIC / name).stat().st_size for name in FONTS}
    return {**found, **fonts, "": len(page)}


def test_a_first_visit_of_any_page_is_light(scene: Scene, reader: Reader) -> None:
    grow(scene, "many", 30)  # more rows than a page of a list shows
    client = reader("admin")
    for path in places(scene).values():
        answer = client.get(path)
        assert answer.status_code == 200, path
        found = weight(answer.content)
        assert sum(found.values()) < FIRST_PAINT, (path, found)


def test_the_style_sheet_is_what_the_pages_use() -> None:
    assert styles.CUT.read_text() == styles.used(), "python -m tests.portal.styles"
