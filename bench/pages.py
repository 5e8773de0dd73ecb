"""Server time of the portal's pages in a large installation: `python -m bench.pages [entries]`.

A thousand projects, 20,000 repositories, 800,000 tagged artifacts, two million audit entries unless told otherwise, on
PostgreSQL. Each page is asked for as the administrator and as a developer of ten projects; printed are the median and
the 95th percentile in milliseconds, and the number of queries.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

from bench.stage import stage

PROJECTS, REPOSITORIES, ARTIFACTS, ENTRIES = 1_000, 20_000, 800_000, 2_000_000
ROUNDS = 25
PAGES = (
    "/", "/projects", "/projects?q=7&page=3", "/projects/p-500", "/projects/p-500/summary", "/projects/p-500/log",
    "/projects/p-500/members", "/projects/p-500/repositories/r-500", "/projects/p-500/repositories/r-500?q=v7",
    "/projects/p-500/repositories/r-500/-/info", "/search?q=r-500", "/search?q=v12", "/search?q=sha256:00012",
    "/palette?q=p-50", "/audit", "/audit?q=user-7", "/audit?event=delete_artifact", "/audit?result=failed",
    "/audit?page=300", "/users", "/quotas", "/jobs", "/health",
)  # fmt: skip


def fill(model: Any, count: int, **expressions: str) -> None:
    """`count` rows of `model`, made by PostgreSQL: expressions of `n` by column; other columns have their defaults."""
    from django.db import connection

    columns, values = [], []
    for field in model._meta.concrete_fields:
        given = expressions.pop(field.column, None)
        if field.primary_key and given is None:
            continue
        columns.append(f'"{field.column}"')
        values.append(given if given is not None else _default(field))
    assert not expressions, expressions
    table = model._meta.db_table
    with connection.cursor() as cursor:
        rows = f"SELECT {', '.join(values)} FROM generate_series(1, {count}) n"
        cursor.execute(f'INSERT INTO "{table}" ({", ".join(columns)}) {rows}')
        cursor.execute(f'ANALYZE "{table}"')


def _default(field: Any) -> str:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return "now()"
    value = field.get_default()
    if value is None:
        return "NULL"
    if isinstance(value, dict | list):
        return f"'{json.dumps(value)}'::jsonb"
    return f"'{value}'" if isinstance(value, str) else str(value)


def furnish(entries: int) -> None:
    """The large installation."""
    from accounts.models import User
    from artifacts.models import Artifact, ArtifactBlob, Blob, Manifest, PullDay, Repository, Tag
    from audit.models import Entry
    from projects.models import Member, Project, Quota
    from tests.cast import make_user

    developer, admin = make_user("developer"), make_user("admin", is_admin=True)
    fill(User, 5_000, username="'user-' || n", password="'!'", email="''")
    fill(Project, PROJECTS, name="'p-' || n", public="n % 10 = 0", owner_id=str(admin.pk))
    first = Project.objects.order_by("pk").values_list("pk", flat=True)[0] - 1
    fill(Quota, PROJECTS, project_id=f"{first} + n", used="n * 1048576")
    fill(Member, 10, project_id=f"{first} + 495 + n", user_id=str(developer.pk), role="2")
    fill(Repository, REPOSITORIES, project_id=f"{first} + 1 + (n - 1) % {PROJECTS}",
         name=f"'p-' || (1 + (n - 1) % {PROJECTS}) || '/r-' || n")  # fmt: skip
    repository = Repository.objects.order_by("pk").values_list("pk", flat=True)[0] - 1
    digest = "'sha256:' || encode(sha256(n::text::bytea), 'hex')"
    owner = f"{repository} + 1 + (n - 1) % {REPOSITORIES}"
    fill(Artifact, ARTIFACTS, project_id=f"{first} + 1 + ((n - 1) % {REPOSITORIES}) % {PROJECTS}", repository_id=owner,
         digest=digest, stored_digest=digest, media_type="'application/vnd.oci.image.manifest.v1+json'", type="'IMAGE'",
         size="1000000 + n", manifest_size="500", tagged="true",
         push_time="now() - n * interval '1 second'")  # fmt: skip
    artifact = Artifact.objects.order_by("pk").values_list("pk", flat=True)[0] - 1
    fill(Manifest, ARTIFACTS, artifact_id=f"{artifact} + n", content="'{}'::bytea")
    fill(Tag, ARTIFACTS, repository_id=owner, artifact_id=f"{artifact} + n", name="'v' || n", push_time="now()")
    fill(Blob, ARTIFACTS, repository_id=owner, digest=digest, stored_digest=digest, size="n", touched="now()")
    blob = Blob.objects.order_by("pk").values_list("pk", flat=True)[0] - 1
    fill(ArtifactBlob, ARTIFACTS, artifact_id=f"{artifact} + n", blob_id=f"{blob} + n")
    fill(PullDay, REPOSITORIES * 30, project_id=f"{first} + 1 + ((n - 1) % {REPOSITORIES}) % {PROJECTS}",
         repository_id=owner, day=f"current_date - ((n - 1) / {REPOSITORIES})::int", pulls="n % 50")  # fmt: skip
    fill(Entry, entries, op_time="now() - n * interval '1 second'", username="'user-' || (n % 5000)",
         resource_type="'artifact'", resource="'p-1/r-1:v' || n", success="n % 1000 <> 0",
         operation="CASE n % 20 WHEN 0 THEN 'create' WHEN 1 THEN 'delete' ELSE 'pull' END",
         project_id=f"{first} + 1 + n % {PROJECTS}")  # fmt: skip


def measure(who: str) -> None:
    """Every page as `who`."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    client = Client(SERVER_NAME="haven.test")
    client.force_login(User.objects.get(username=who), backend="accounts.backends.UserBackend")
    for path in PAGES:
        times = []
        with CaptureQueriesContext(connection) as queries:
            status = client.get(path).status_code
        number = len(queries)  # the next request forgets them
        if status != 200:
            continue  # not this reader's page
        for _ in range(ROUNDS):
            start = time.perf_counter()
            client.get(path)
            times.append((time.perf_counter() - start) * 1000)
        slow = statistics.quantiles(times, n=20)[-1]
        print(f"{who:10} {path:52} {statistics.median(times):7.1f} {slow:7.1f} {number:4}", flush=True)


def main(entries: int) -> None:
    with stage("postgresql"):
        start = time.monotonic()
        furnish(entries)
        print(f"furnished in {time.monotonic() - start:.0f} s; median and p95 in ms, queries")
        for who in ("admin", "developer"):
            measure(who)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else ENTRIES)
