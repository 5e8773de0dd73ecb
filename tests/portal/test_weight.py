"""What a first visit weighs: the page, and everything that it asks for before it is there, as the edge sends it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings as configured

from tests.portal.conftest import Reader, Scene

FIRST_PAINT = 200_000
"""Bytes."""
LEVEL = 5
"""The edge's."""
STATIC = Path(configured.BASE_DIR) / "static"
FONTS = ("vendor/fonts/inter.woff2", "vendor/fonts/jetbrains-mono.woff2")
"""What the style sheets fetch for these pages, as they are: fonts are compressed already."""


def weight(page: bytes) -> dict[str, int]:
    """Bytes on the wire, by file; the page itself, which the edge does not compress, is ''."""
    files = set(re.findall(rb'(?:href|src)="/static/([^"#?]+)', page))
    found = {name.decode(): len(gzip.compress((STATIC / name.decode()).read_bytes(), LEVEL)) for name in files}
    fonts = {name: (STATIC / name).stat().st_size for name in FONTS}
    return {**found, **fonts, "": len(page)}


@pytest.mark.parametrize("path", ["/", "/projects/private/repositories/app/web", "/projects/private/summary", "/audit"])
def test_a_first_visit_is_light(scene: Scene, reader: Reader, path: str) -> None:
    found = weight(reader("admin").get(path).content)

    assert sum(found.values()) < FIRST_PAINT, found
