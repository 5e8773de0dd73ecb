"""How answers are written."""

from __future__ import annotations

import json

from django.utils.translation import gettext_lazy

from api.json import Json


def test_an_answer_is_compact_and_ends_with_a_newline() -> None:
    assert Json().render({"name": "图像 <b>&", "tags": None}) == '{"name":"图像 <b>&","tags":null}\n'.encode()


def test_what_an_image_says_of_itself_need_not_fit_in_64_bits() -> None:
    document = {"extra_attrs": {"large": 2**70, "small": -(2**70)}, "sentence": gettext_lazy("not found"), "1": {2: 3}}

    written = Json().render(document)

    assert json.loads(written) == {
        "extra_attrs": {"large": 2**70, "small": -(2**70)},
        "sentence": "not found",
        "1": {"2": 3},
    }
    assert written.endswith(b"}\n")


def test_depth_is_no_trouble() -> None:
    deep: dict[str, object] = {}
    for _ in range(400):
        deep = {"in": deep}

    assert json.loads(Json().render(deep)) == deep


def test_no_content_has_no_newline() -> None:
    assert Json().render(None) == b""
