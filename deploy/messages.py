"""Keeps the messages of the pages complete: `python -m deploy.messages` checks them, `write` after it mends them.

A message that is missing, a guess or no longer used fails the check, and so does a compiled file that is stale.
Needs gettext (`xgettext`, `msgmerge`, `msgfmt`). Running Haven does not: compiled files are kept beside their sources.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

ROOT = Path(__file__).resolve().parent.parent
IGNORED = (".venv", "var", "tests", "static", "staticfiles", "bench", "node_modules")
LANGUAGES = ("zh_Hans",)
_DATE = re.compile(rb'"POT-Creation-Date: [^"]*"\n')
"""Left out: it would differ on every run."""


def main(arguments: list[str]) -> int:
    """Check, or write; the number of complaints."""
    os.chdir(ROOT)
    if arguments == ["write"]:
        for language in LANGUAGES:
            _extract(language)
            _compile(_source(language), _compiled(language))
    complaints = [complaint for language in LANGUAGES for complaint in check(language)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return len(complaints)


def check(language: str) -> Iterator[str]:
    """What is wrong with the messages of `language`. The files are left as they were."""
    source = _source(language)
    before = source.read_bytes()
    try:
        _extract(language)
        if source.read_bytes() != before:
            yield f"{source}: not what the code says; run: python -m deploy.messages write"
    finally:
        source.write_bytes(before)
    yield from (f"{source}: {complaint}" for complaint in incomplete(source))
    with tempfile.NamedTemporaryFile(suffix=".mo") as fresh:
        _compile(source, Path(fresh.name))
        if Path(fresh.name).read_bytes() != _compiled(language).read_bytes():
            yield f"{_compiled(language)}: older than its source; run: python -m deploy.messages write"


def incomplete(source: Path) -> Iterator[str]:
    """The messages of a `.po` file that have no translation, or only a guess."""
    for option, complaint in (("--untranslated", "not translated"), ("--only-fuzzy", "a guess, check it")):
        listed = run(["msgattrib", "--no-wrap", option, str(source)], check=True, capture_output=True, text=True).stdout
        for message in re.findall(r'^msgid "(.+)"$', listed, re.MULTILINE):
            yield f"{complaint}: {message}"


def _extract(language: str) -> None:
    """Bring the source of `language` in line with the code and the templates."""
    ignored = [option for name in IGNORED for option in ("--ignore", name)]
    options = ["--no-location", "--no-obsolete", "--no-wrap", "--verbosity=0", *ignored]
    run([sys.executable, "manage.py", "makemessages", "-l", language, *options], check=True)
    source = _source(language)
    source.write_bytes(_DATE.sub(b"", source.read_bytes()))


def _compile(source: Path, target: Path) -> None:
    run(["msgfmt", "--check-format", "-o", str(target), str(source)], check=True)


def _source(language: str) -> Path:
    return Path("locale", language, "LC_MESSAGES", "django.po")


def _compiled(language: str) -> Path:
    return _source(language).with_suffix(".mo")


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
