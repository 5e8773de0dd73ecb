"""Tables that people open in a spreadsheet, with texts that somebody else chose."""

from __future__ import annotations

import csv

import pytest

from audit.actions import record
from audit.models import Entry
from tests.api.conftest import Stage
from tests.attacks.browser import signed_in

FORMULAS = ("=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", '=HYPERLINK("//evil.test","x")', "＝1+1")
BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")


@pytest.mark.parametrize(("path", "who"), [("/audit.csv", "admin"), ("/projects/private/log.csv", "alice")])
def test_no_cell_is_a_formula(stage: Stage, path: str, who: str) -> None:
    cast = stage.cast
    for text in FORMULAS:
        entry = record(cast.guest.actor, "create", "artifact", text, project=cast.private, description=text)
        Entry.objects.filter(pk=entry.pk).update(username=text, resource=text, operation_description=text)

    answer = signed_in(who).get(path)

    assert answer.status_code == 200
    rows = list(csv.reader(b"".join(answer).decode("utf-8-sig").splitlines()))
    cells = [cell for row in rows for cell in row]
    assert sum("HYPERLINK" in cell for cell in cells) == 3, "the entries are there"
    assert [cell for cell in cells if cell.startswith(BEGINNINGS)] == []
