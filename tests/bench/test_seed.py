"""The seed makes an installation that keeps Haven's own promises, and leaves somebody's database alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import Postgres

pytestmark = pytest.mark.stack
PROMISES = """
import django
django.setup()
from artifacts import fsck
from artifacts.models import Artifact, Manifest
from registry.manifests import parse
wrong = [*fsck.tags(), *fsck.quotas(), *fsck.lists()]
for row in Manifest.objects.select_related("artifact")[:500]:
    if parse(bytes(row.content), row.artifact.media_type).digest != row.artifact.digest:
        wrong.append(f"{row.artifact.digest} is not that of its manifest")
print("\\n".join(wrong))
"""
KINDS = "operation, resource_type, success"
DAY = "(op_time AT TIME ZONE 'UTC')::date"
TALLIES = {
    "audit_tally": (
        f"SELECT day, project_id, {KINDS}, number FROM audit_tally",
        f"SELECT {DAY}, project, {KINDS}, count(*) FROM (SELECT *, 0 AS project FROM audit_entry"
        " UNION ALL SELECT *, project_id FROM audit_entry WHERE project_id IS NOT NULL) counted GROUP BY 1, 2, 3, 4, 5",
    ),
    "audit_usertally": (
        f"SELECT username, {KINDS}, number FROM audit_usertally",
        f"SELECT username, {KINDS}, count(*) FROM audit_entry GROUP BY 1, 2, 3, 4",
    ),
    "audit_purged": (
        "SELECT counted, settled, newest FROM audit_purged",
        "SELECT max(id), max(id), max(id) FROM audit_entry",
    ),
    "artifacts_repository": (
        "SELECT id, pull_count FROM artifacts_repository WHERE pull_count > 0",
        "SELECT repository_id, sum(pull_count) FROM artifacts_artifact GROUP BY 1 HAVING sum(pull_count) > 0",
    ),
}
"""What is told of the rows of a table, and what is so: by the table that tells it."""


def test_the_seed_keeps_the_promises_and_touches_no_database_in_use(tmp_path: Path) -> None:
    postgres = Postgres()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "harbor.settings", "HAVEN_DATA": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    try:
        postgres.start()
        environment["DATABASE_URL"] = postgres.url
        assert run("manage.py", "migrate", "-v0").returncode == 0
        seeded = run("-m", "bench.seed", "--scale", "0.01")
        assert seeded.returncode == 0, seeded.stderr[-2000:]
        counted = "SELECT (SELECT count(*) FROM artifacts_tag), (SELECT count(*) FROM audit_entry)"
        assert postgres.sql(counted) == "16000|50000"
        before = postgres.sql("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
        assert "entry_project_time" in before and "tag_name_unique" in before

        checked = run("-c", PROMISES)
        assert (checked.returncode, checked.stdout.strip()) == (0, ""), checked.stderr[-2000:]
        for table, (told, so) in TALLIES.items():
            assert int(postgres.sql(f"SELECT count(*) FROM ({told}) told")) > 0, table
            differs = f"(({told}) EXCEPT ALL ({so})) UNION ALL (({so}) EXCEPT ALL ({told}))"
            assert postgres.sql(f"SELECT count(*) FROM ({differs}) differs") == "0", table

        again = run("-m", "bench.seed", "--scale", "0.01")
        assert again.returncode == 1 and "empty" in again.stderr
        assert postgres.sql(counted) == "16000|50000"
    finally:
        postgres.remove()
