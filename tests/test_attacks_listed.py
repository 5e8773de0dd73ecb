"""`docs/attacks.md` has a line for every attack that this list knows, and each line tells the truth about its tests."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_BUILT = "not built yet"
ROWS = """
CVE-2019-16097; CVE-2019-16919; CVE-2019-19023; CVE-2019-19025; CVE-2019-19026; CVE-2019-19029; CVE-2019-3990;
CVE-2019-19030; CVE-2020-13788; CVE-2020-13794; CVE-2020-29662; CVE-2022-31666; CVE-2022-31667; CVE-2022-31668;
CVE-2022-31669; CVE-2022-31670; CVE-2022-31671; CVE-2022-46463; CVE-2023-20902; GHSA-j7jh-fmcm-xxwv; CVE-2024-22244;
CVE-2024-22261; CVE-2024-22278; CVE-2025-30086; CVE-2025-32019; GHSA-prh4-vhfh-24mj; CVE-2026-4404;
GHSA-qj39-pjf2-wmrc; GHSA-w5fq-xrhj-j7g2; GHSA-xq2m-cj8w-56v5; GHSA-xvh7-74g6-29xw; GHSA-27f2-qg57-2gwg;
GHSA-2phj-cp9f-qq6w; GHSA-884q-mjcg-86x4; GHSA-jw3v-7jvc-pfmx; GHSA-vwvv-675v-p6rr; GHSA-wjpm-hv5w-gxr6;
GHSA-wrw5-gmvj-gf23; GHSA-xgp2-5vxg-rgh2; GHSA-3x7c-wf86-mjx6;
89e1c4baa7; c080060316; ac955678eb; 2f47c5de84; bdc6df3f34; 7afd74a1d8; 5713e11f94; cbdf43c537; 85e756486f;
70306dca0c; 062d144d22; 3953b628a3; 6313a55219; 1a236ce8cb; 68fffc61b1;
CVE-2017-11468; CVE-2021-41190; CVE-2023-2253; CVE-2025-24976; CVE-2026-33540; CVE-2026-35172; CVE-2026-41888;
CVE-2024-39897; CVE-2025-23208; CVE-2025-48374; CVE-2026-31801; CVE-2026-61833; zot 22deb3bb; zot 35c29b95;
zot 483c8699; CVE-2026-32589; CVE-2026-32590; CVE-2026-32591; Quay 9b9224f73; CVE-2025-4374; Quay 44b56d435;
Quay 63cb0c092; CVE-2024-9683; CVE-2023-3384; CVE-2017-14621; Portus d287a693; docker_auth 3c31d7a;
docker_auth 6e8bb39; docker_auth 99bfe02; CVE-2020-15157; CVE-2021-3762;
2.0 matrix; 2.0 canary; 2.0 raw sockets;
2.1 spellings; 2.1 names; 2.1 route words; 2.1 one parser; 2.1 edge; 2.1 listeners; 2.1 registry;
2.2 scopes; 2.2 partial grants; 2.2 revocation; 2.2 two doors; 2.2 keys; 2.2 forged tokens; 2.2 guessing; 2.2 hashing;
2.2 anonymous; 2.2 logs;
2.3 mount; 2.3 guessing; 2.3 tables; 2.3 copies; 2.3 delete; 2.3 quota;
2.4 size; 2.4 letters; 2.4 depth and numbers; 2.4 keys; 2.4 types; 2.4 descriptors; 2.4 references; 2.4 counts;
2.4 urls; 2.4 tags; 2.4 bytes; 2.4 words;
2.5 hosts; 2.5 reflection; 2.5 address; 2.5 smuggling; 2.5 large headers; 2.5 slow clients;
2.6 forgery; 2.6 fixation; 2.6 old cookies; 2.6 redirects; 2.6 frames; 2.6 cookies; 2.6 reading; 2.6 content types;
2.7 guard; 2.7 remote registries; 2.7 endpoints; 2.7 webhooks; 2.7 scanners; 2.7 identity; 2.7 logs; 2.7 layer urls;
2.8 quota; 2.8 tags; 2.8 last administrator; 2.8 deletion; 2.8 collection; 2.8 retention; 2.8 robots and logins;
2.8 repositories; 2.8 jobs;
2.9 secrets at rest; 2.9 log injection; 2.9 tables; 2.9 markup; 2.9 directories; 2.9 identity providers;
2.9 webhook signatures; 2.9 mass assignment; 2.9 enumeration; 2.9 robots; 2.9 unpacking; 2.9 queries; 2.9 versions;
2.9 redis;
"""
"""Numbers of advisories and of commits, then the threats of Haven's own design by chapter."""


@cache
def lines() -> dict[str, tuple[str, str]]:
    """What each row tries, and what shows that it fails."""
    found: dict[str, tuple[str, str]] = {}
    for line in (ROOT / "docs" / "attacks.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[0] not in ("row", "---"):
            assert cells[0] not in found, f"{cells[0]} stands there twice"
            found[cells[0]] = (cells[1], cells[2])
    return found


@cache
def names_in(path: Path) -> set[str]:
    """The names of the tests of a file, those of classes as `Class::test`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def known() -> list[str]:
    return [row.strip() for row in ROWS.split(";") if row.strip()]


def test_every_row_has_a_line() -> None:
    assert [row for row in known() if row not in lines()] == []
    assert [row for row in known() if not lines()[row][0].endswith(".") or not lines()[row][1]] == []


def test_no_line_is_about_something_else() -> None:
    assert set(lines()) == set(known())


def test_a_line_names_tests_that_exist() -> None:
    assert {row: wrong for row in known() if (wrong := untrue(lines()[row][1]))} == {}


def untrue(shown: str) -> list[str]:
    """What of the names in the last cell of a line is no test."""
    named = re.findall(r"`([^`]+)`", shown)
    if not named:
        return [] if shown == NOT_BUILT else [shown]
    parts = [(node, *node.partition("::")[::2]) for node in named]
    return [node for node, path, name in parts if not (ROOT / path).is_file() or name not in names_in(ROOT / path)]


def test_a_name_that_does_not_exist_is_seen() -> None:
    here = names_in(Path(__file__))

    assert "test_every_row_has_a_line" in here
    assert "known" not in here
    assert "test_of_nothing" not in here
    assert untrue("`tests/test_attacks_listed.py::test_of_nothing`, `tests/none.py::test_x`") != []
    assert untrue("`tests/test_attacks_listed.py::test_every_row_has_a_line`") == []
    assert untrue("perhaps") != []
