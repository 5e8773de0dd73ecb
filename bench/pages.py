"""Server time of every page of the portal in a large installation, for one caller, and its number of queries.

`[DATABASE_URL=...] python -m bench.pages [--scale 1] [--only TEXT] [--rounds 20]`

Without DATABASE_URL a database is made, seeded (see bench.seed) and forgotten. In one that is given nothing stays: all
is done in a transaction that is rolled back. Of a file the time to its first piece counts. The registry is not there:
what pages ask of it (the history of an image, the texts of a chart) is not in these times. What is asked stands in
`bench/page_rows.py`. Exits with 1 if a page is above its budget, or is none.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import time
from typing import Any

from bench.calls import HOST, Call, seeded

SLOWEST = 15
PATIENCE = 10
"""Seconds after which the database ends a query, as web has it."""


def asked() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="of the installation, where none is given")
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--only", default="", help="pages whose name contains this")
    return parser.parse_args()


def measure(client: Any, call: Call, rounds: int) -> tuple[float, float, float, int, int]:
    """Milliseconds of the first visit, median and 95th percentile of the others, queries and status of a page."""
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    with transaction.atomic():  # a query that was ended spoils no more than this
        with CaptureQueriesContext(connection) as captured:
            status, first = _visit(client, call.path)
        queries = len(captured)  # the next request forgets them
        transaction.set_rollback(status >= 500)
    times = [_visit(client, call.path)[1] for _ in range(rounds)] if status < 500 else [first, first]
    return first, statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[-1], queries, status


def _visit(client: Any, path: str) -> tuple[int, float]:
    """Status, and milliseconds until the page or the first piece of a file was there."""
    start = time.perf_counter()
    answer = client.get(path, headers={"Host": HOST, "X-Real-IP": "10.1.1.1"})
    pieces = iter(answer.streaming_content if answer.streaming else ())
    next(pieces, None)
    took = (time.perf_counter() - start) * 1000
    for _ in pieces:  # to its end: what is closed before takes the connection with it, and so the transaction
        pass
    return int(answer.status_code), took


def visit_all(wanted: argparse.Namespace) -> int:
    """Print a line for each page, and the slowest again; how many are above their budget or answer no 200."""
    from bench.page_rows import calls

    clients: dict[str, Any] = {}
    lines, wrong = [], 0
    for call in calls():
        if wanted.only not in call.name:
            continue
        if call.who not in clients:
            clients[call.who] = _client(call.who)
        first, median, slow, queries, status = measure(clients[call.who], call, wanted.rounds)
        mark = f"  {status}" if status != 200 else "  above" if slow > call.floor else ""
        wrong += bool(mark)
        times = f"{first:8.1f}{median:8.1f}{slow:8.1f}{call.floor:8.0f}"
        lines.append((slow, f"  {call.name:58}{times}{queries:8}{mark}"))
        print(lines[-1][1], flush=True)
    print("the slowest:", *(line for _, line in sorted(lines, reverse=True)[:SLOWEST]), sep="\n")
    print(f"{len(lines)} pages, {wrong} above their budget or no page; load average {os.getloadavg()[0]:.1f}")
    return wrong


def _client(who: str) -> Any:
    from django.contrib.auth.signals import user_logged_in
    from django.test import Client

    from accounts.backends import BACKEND
    from accounts.models import User

    client = Client(raise_request_exception=False)
    if who:
        # The row would stay locked until all is rolled back, and others may measure in the same database.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        client.force_login(User.objects.get(username=who), backend=BACKEND)
    return client


def main() -> int:
    wanted = asked()
    print(f"load average {os.getloadavg()[0]:.1f}; one caller, milliseconds")
    with seeded(wanted.scale):
        from django.db import connection, transaction

        logging.disable(logging.CRITICAL)
        print(f"  {'':58}{'first':>8}{'p50':>8}{'p95':>8}{'budget':>8}{'queries':>8}", flush=True)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}s'")
            wrong = visit_all(wanted)
            transaction.set_rollback(True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
