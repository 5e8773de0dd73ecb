"""Whether the tallies say what the log holds, and putting them right where they do not.

The database compares in one statement, which sees tallies, entries and the id up to which these are counted as they
are at one moment: nobody need wait while millions are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncDate

from audit.models import Entry, Ledger, Tally, UserTally
from audit.tallies import EVERYWHERE, KIND, OF_DAY, OF_USER, lock, upsert

Drift = dict[tuple[Any, ...], int]


def drifted() -> int:
    """How many tallies say another number than there are entries."""
    return len(_of_days()) + len(_of_users())


def put_right() -> int:
    """Let every tally say how many entries there are; how many did not. Where all do, nobody waits."""
    return _put_right() if drifted() else 0


@transaction.atomic
def _put_right() -> int:
    """With the row held for which purges wait, and in SQLite all who write."""
    ledger = lock()
    days, users = _of_days(), _of_users()
    upsert(Tally, OF_DAY, days)
    upsert(UserTally, OF_USER, users)
    Ledger.objects.filter(pk=ledger.pk).update(times=F("times") + 1)  # what was remembered is forgotten, too
    return len(days) + len(users)


def _of_days() -> Drift:
    """How many entries the tallies of days lack; less than none where they have too many."""
    dated = _counted().annotate(day=TruncDate("op_time", tzinfo=UTC))
    of_projects = dated.exclude(project_id=None).exclude(project_id=EVERYWHERE).values("project_id", "day", *KIND)
    everywhere = dated.values("day", *KIND)
    parts = [("project_id", of_projects), (str(EVERYWHERE), everywhere)]
    return _lacking(Tally, OF_DAY, parts)


def _of_users() -> Drift:
    """The same of the tallies of users."""
    return _lacking(UserTally, OF_USER, [("username", _counted().values("username", *KIND))])


def _counted() -> QuerySet[Entry, Any]:
    """The entries that are in the tallies."""
    return Entry.objects.order_by().filter(pk__lte=Ledger.objects.filter(pk=1).values("counted"))


def _lacking(
    model: type[models.Model], names: tuple[str, ...], parts: Iterable[tuple[str, QuerySet[Any, Any]]]
) -> Drift:
    """What the rows of `model` lack of `parts`: each an expression for the first of `names`, and entries grouped."""
    first, rest = names[0], ", ".join(names[1:])
    selects, values = [f"SELECT {first}, {rest}, -number FROM {model._meta.db_table}"], []
    for expression, grouped in parts:
        statement, given = grouped.annotate(number=Count("pk")).query.sql_with_params()
        selects.append(f"SELECT {expression}, {rest}, number FROM ({statement}) grouped")
        values += given
    keys = f"{first}, {rest}"
    union = f"WITH counted ({keys}, number) AS ({' UNION ALL '.join(selects)})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{union} SELECT {keys}, sum(number) FROM counted GROUP BY {keys} HAVING sum(number) <> 0", values
        )
        return {tuple(row[:-1]): int(row[-1]) for row in cursor.fetchall()}
