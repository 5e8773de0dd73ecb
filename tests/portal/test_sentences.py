"""What the domain says of registries elsewhere, in the reader's language."""

from __future__ import annotations

import re

from django.utils import translation

from portal.sentences import said

REFUSED = "the registry refuses these credentials"
SAID = {
    f"the registry is unhealthy: {REFUSED}: check access key and secret": "该仓库无法使用：该仓库拒绝这些凭据。",
    "the target, storing blob sha256:ab: the server did not answer in time": "目标端，写入数据块 sha256:ab：…",
    "5 artifacts match, 2 of them are there already": "5 个匹配，其中 2 个已存在",
    "2 manifests and 3 blobs copied (500000 bytes), 1 mounted": "已复制：3 个层，共 488.2 KiB；清单 2 个",
    "there already, 0 bytes moved; nothing differs": "已存在，未传输任何内容; 没有差异",
    "3 to copy, 1048576 bytes to move": "需复制 3 个，需传输 1.0 MiB",
    "the rule is disabled": "规则已停用。",
}


def test_known_sentences_are_chinese() -> None:
    with translation.override("zh-hans"):
        for message in SAID:
            found = said(message)
            assert re.search(r"[\u4e00-\u9fff]", found), message
            assert not re.search(r"\b(the|registry|artifacts|blobs)\b", found), found
        assert {message: said(message) for message in list(SAID)[2:4]} == dict(list(SAID.items())[2:4])


def test_what_is_not_known_stays_as_it_is() -> None:
    for message in ("", "a sentence of tomorrow", "; ".join(["x: y"] * 300)):
        assert said(message) == message


def test_a_sentence_reads_well_in_english() -> None:
    with translation.override("en"):
        assert said(f"the source, reading manifest a/b:1: {REFUSED}") == (
            "The source, reading the manifest a/b:1: The registry refuses these credentials."
        )
