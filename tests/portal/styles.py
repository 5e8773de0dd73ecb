"""The part of Tabler that the pages use: `python -m tests.portal.styles` cuts it out of the whole style sheet.

A rule stays when some template, script or style sheet of ours names every class of its selector; a variable stays
while a rule that stays reads it. So a first visit fetches a seventh of what Tabler ships.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.settings import BASE_DIR

ROOT = Path(BASE_DIR)
WHOLE = ROOT / "tests/portal/tabler/tabler.min.css"
CUT = ROOT / "static/vendor/tabler/tabler.min.css"
NAMED = {
    "templates/**/*.html": r"(?:class|style)=\"((?:[^\"{]|\{[%{].*?[%}]\})*)\"",
    "portal/**/*.py": r"\"([a-z]+-[a-z-]+|(?<=class=\")[a-z -]+)\"",
    "static/portal/*.js": r"[\"'.`]([\w-]+)",
    "static/portal/*.css": r"\.([\w-]+)",
}
"""Where classes are named, by the files."""
NESTED = ("@media", "@supports", "@layer", "@container")
VARIABLE = re.compile(r"(?<=[{;])(--[\w-]+):((?:url\([^)]*\)|\"[^\"]*\"|[^;{}\"])*)(?:;|(?=\}))")
MOVEMENT = re.compile(r"@keyframes ([\w-]+)\{(?:[^{}]*\{[^{}]*\})*\}")
EMPTY = re.compile(r"(?<=[{}])[^{}]+\{\}|^[^{}]+\{\}")
BLOCK = re.compile(r"[^{};]*(?:\{|;)")


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """The rules of `css`: what stands before the brace, and what stands within; ("@import ...", "") for lines."""
    place = 0
    while found := BLOCK.match(css, place):
        head, place = found[0], found.end()
        if head.endswith(";"):
            yield head[:-1], ""
            continue
        start, depth = place, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(css[place], 0)
            place += 1
        yield head[:-1].strip(), css[start : place - 1]


def selectors(head: str) -> list[str]:
    """The selectors of a list; commas within brackets part nothing."""
    return re.split(r",(?![^(]*\))", head)


def is_used(selector: str, words: frozenset[str]) -> bool:
    """Whether something on our pages can be meant by `selector`."""
    plain = re.sub(r":not\([^)]*\)", "", selector)
    return all(name.replace("\\", "") in words for name in re.findall(r"\.((?:[\w-]|\\.)+)", plain))


def cut(css: str, words: frozenset[str]) -> str:
    """`css` without the rules that nothing of ours uses."""
    kept = []
    for head, body in blocks(css):
        if head.startswith(NESTED):
            if inner := cut(body, words):
                kept.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}" if body else f"{head};")
        elif mine := [selector for selector in selectors(head) if is_used(selector, words)]:
            kept.append(f"{','.join(mine)}{{{body}}}")
    return "".join(kept)


def without_unread(css: str, ours: str) -> str:
    """`css` without variables that neither it nor `ours` reads, and without movements that nothing makes."""
    less = _without_unread_once(css, ours)
    return css if less == css else without_unread(less, ours)


def _without_unread_once(css: str, ours: str) -> str:
    everything = css + ours
    read = set(re.findall(r"var\((--[\w-]+)", everything))
    css = VARIABLE.sub(lambda found: found[0] if found[1] in read else "", css)
    css = MOVEMENT.sub(lambda found: found[0] if _times(found[1], everything) > 1 else "", css)
    return EMPTY.sub("", css)


def _times(name: str, css: str) -> int:
    return len(re.findall(rf"(?<![\w-]){re.escape(name)}(?![\w-])", css))


def classes() -> frozenset[str]:
    """Every class that our files name; a few words more do no harm."""
    return frozenset(
        word
        for pattern, named in NAMED.items()
        for path in ROOT.glob(pattern)
        for found in re.findall(named, path.read_text())
        for word in re.findall(r"[\w-]+", found)
    )


def used() -> str:
    """What the style sheet that is served should hold: Tabler's own notice, and its rules that we use."""
    notice, _, whole = WHOLE.read_text().removeprefix('@charset "UTF-8";').partition("*/")
    whole = re.sub(r"/\*.*?\*/", "", whole, flags=re.DOTALL)
    ours = "\n".join(path.read_text() for path in sorted(ROOT.glob("static/portal/*.[cj]s*")))
    return f"{notice}*/\n{without_unread(cut(whole, classes()), ours)}\n"


if __name__ == "__main__":
    CUT.write_text(used())
    print(f"{CUT.relative_to(ROOT)}: {CUT.stat().st_size // 1000} of {WHOLE.stat().st_size // 1000} kB")
