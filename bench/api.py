"""Every list of the API on a large installation: how long a page takes with many callers at once, how many queries.

`[DATABASE_URL=...] python -m bench.api [--scale 1] [--callers 20] [--short] [--only TEXT]`

Without DATABASE_URL a database is made, seeded (see bench.seed) and forgotten. `alone` is the median of one caller.
What is asked stands in `bench/content_rows.py` and `bench/system_rows.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from bench import content_rows, system_rows
from bench.calls import Call, main


def calls() -> Iterator[Call]:
    """Every subject's."""
    yield from content_rows.calls()
    yield from system_rows.calls()


if __name__ == "__main__":
    sys.exit(main(__doc__, calls))
