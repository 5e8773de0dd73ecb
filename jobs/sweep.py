"""Forgetting old executions, as many as Harbor keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from jobs.models import Execution
from jobs.running import Running

KEPT = {"IMAGE_SCAN": 1, "SBOM": 1, "SCAN_ALL": 1, "PURGE_AUDIT_LOG": 10, "EXECUTION_SWEEP": 10}
"""Executions kept for each vendor id."""
KEPT_OF_OTHERS = 50
_SIZE = 500


def sweep(spec: Mapping[str, Any], running: Running) -> str:
    """Delete finished executions beyond the newest that are kept, with their jobs and logs (a job's function)."""
    deleted = 0
    for vendor_type in Execution.objects.order_by("vendor_type").values_list("vendor_type", flat=True).distinct():
        while old := _old(vendor_type):
            running.check()
            deleted += len(old)
            Execution.objects.filter(pk__in=old).delete()
    return f"{deleted} executions deleted"


def _old(vendor_type: str) -> list[int]:
    newest = Window(RowNumber(), partition_by=F("vendor_id"), order_by=[F("start_time").desc(), F("pk").desc()])
    busy = Execution.objects.unfinished().filter(vendor_type=vendor_type).values("pk")
    numbered = Execution.objects.filter(vendor_type=vendor_type).annotate(number=newest)
    old = numbered.filter(number__gt=KEPT.get(vendor_type, KEPT_OF_OTHERS)).exclude(pk__in=busy)
    return list(old.values_list("pk", flat=True)[:_SIZE])
